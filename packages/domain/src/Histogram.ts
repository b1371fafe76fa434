/**
 * Durations as counts in buckets, eight for each doubling from a millisecond: what `app.latency_bucket` of the schema makes. So histograms
 * of any days, users and models can be added, which percentiles cannot.
 */
export type Histogram = Readonly<Record<string, number>>

const PER_DOUBLING = 8

/** The bucket of a duration in milliseconds. */
export const bucketOf = (milliseconds: number): number =>
  Math.floor(PER_DOUBLING * Math.log2(Math.max(milliseconds, 1)))

/** The middle of a bucket, in whole milliseconds: what is in it is at most 4.5 % away, and half a millisecond for the rounding. */
const middleOf = (bucket: number): number => Math.round(2 ** ((bucket + 0.5) / PER_DOUBLING))

/**
 * The milliseconds that `share` of the durations did not exceed, from 0 to 1: the median with 0.5. By the nearest rank; null if there are
 * none.
 */
export const percentile = (histogram: Histogram, share: number): number | null => {
  const buckets = Object.entries(histogram)
    .map(([bucket, count]) => ({ bucket: Number(bucket), count }))
    .toSorted((one, other) => one.bucket - other.bucket)
  const rank = Math.max(1, Math.ceil(share * buckets.reduce((sum, { count }) => sum + count, 0)))
  let seen = 0
  for (const { bucket, count } of buckets) {
    seen += count
    if (seen >= rank) return middleOf(bucket)
  }
  return null
}

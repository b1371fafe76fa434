import { assert, describe, it } from "@effect/vitest"
import { bucketOf, type Histogram, percentile } from "@llm-saas/domain/Histogram"
import * as fc from "fast-check"

const histogramOf = (durations: ReadonlyArray<number>): Histogram => {
  const counts: Record<string, number> = {}
  for (const duration of durations) {
    const bucket = bucketOf(duration)
    counts[bucket] = (counts[bucket] ?? 0) + 1
  }
  return counts
}

const DURATION = fc.integer({ min: 1, max: 3_600_000 })

describe("a histogram of durations", () => {
  it("has none where there is nothing", () => {
    assert.isNull(percentile({}, 0.5))
  })

  it("has percentiles within five per cent of the durations' own", () => {
    fc.assert(
      fc.property(fc.array(DURATION, { minLength: 1 }), fc.constantFrom(0.5, 0.95, 1), (durations, share) => {
        const own =
          durations.toSorted((one, other) => one - other)[Math.max(0, Math.ceil(share * durations.length) - 1)] ?? 0
        const found = percentile(histogramOf(durations), share) ?? 0
        assert.isAtMost(Math.abs(found - own), 0.05 * own + 0.5)
      })
    )
  })

  it("is added bucket by bucket: in parts or as a whole, the percentiles are the same", () => {
    fc.assert(
      fc.property(fc.array(DURATION), fc.array(DURATION), (some, others) => {
        const sum: Record<string, number> = { ...histogramOf(some) }
        for (const [bucket, count] of Object.entries(histogramOf(others))) sum[bucket] = (sum[bucket] ?? 0) + count
        assert.strictEqual(percentile(sum, 0.95), percentile(histogramOf([...some, ...others]), 0.95))
      })
    )
  })
})

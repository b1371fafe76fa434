const percent = new Intl.NumberFormat(undefined, {
  style: "percent",
  maximumFractionDigits: 0,
  signDisplay: "exceptZero"
})
const fine = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" })

/** By how much a number is more or less than the one before it: `+12 %`. Undefined: there is nothing to compare with. */
export const change = (now: number | null, earlier: number | null): string | undefined => {
  if (now === null || earlier === null || earlier === 0) return undefined
  const by = (now - earlier) / Math.abs(earlier)
  return (Math.abs(by) < 0.1 ? fine : percent).format(by)
}

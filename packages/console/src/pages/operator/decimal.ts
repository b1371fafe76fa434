/** Decimal digits after the point that the ledger's amounts have at most, and some more. */
const PLACES = 40

const scaled = (text: string): bigint => {
  const negative = text.startsWith("-")
  const [units = "0", places = ""] = text.replace("-", "").split(".")
  const value = BigInt(units + places.padEnd(PLACES, "0").slice(0, PLACES))
  return negative ? -value : value
}

/** The sum of decimal texts, to the last digit. */
export const sumOf = (texts: ReadonlyArray<string>): string => {
  const sum = texts.reduce((total, text) => total + scaled(text), 0n)
  const digits = String(sum < 0n ? -sum : sum).padStart(PLACES + 1, "0")
  const places = withoutZeros(digits.slice(-PLACES))
  return `${sum < 0n ? "-" : ""}${digits.slice(0, -PLACES)}${places === "" ? "" : `.${places}`}`
}

/** Digits up to the last that is not zero. */
const withoutZeros = (digits: string): string => {
  let end = digits.length
  while (digits[end - 1] === "0") end--
  return digits.slice(0, end)
}

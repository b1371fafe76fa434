import { BigDecimal, Option } from "effect"

/** A decimal number as text, without an exponent: amounts of money are never floating-point numbers. */
export type Decimal = string

export const plain = (number: BigDecimal.BigDecimal): Decimal => {
  const { scale, value } = BigDecimal.normalize(number)
  const sign = value < 0n ? "-" : ""
  const digits = `${value < 0n ? -value : value}`
  if (scale <= 0) return `${sign}${digits}${"0".repeat(-scale)}`
  const padded = digits.padStart(scale + 1, "0")
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`
}

/** Zero, for a text that is no decimal: those of the database and of checked settings always are. */
export const parse = (text: Decimal): BigDecimal.BigDecimal =>
  Option.getOrElse(BigDecimal.fromString(text), () => BigDecimal.fromBigInt(0n))

/** `amount` divided by `per`, a power of ten: so the quotient is exact. */
export const perOne = (amount: Decimal, per: number): Decimal => {
  const { scale, value } = parse(amount)
  return plain(BigDecimal.make(value, scale + Math.round(Math.log10(per))))
}

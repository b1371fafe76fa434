import { Schema, SchemaGetter } from "effect"

const DIGITS = /^[1-9][0-9]{0,8}$/u

/** A whole number in a query string, written in plain decimal digits: `0x10`, `1e2`, `+5` and ` 5` are refused. */
const Decimal = Schema.String.check(Schema.isPattern(DIGITS, { expected: "a whole number in decimal digits" })).pipe(
  Schema.decodeTo(Schema.Int, {
    decode: SchemaGetter.transform((text) => Number(text)),
    encode: SchemaGetter.transform((number) => String(number))
  })
)

/** The most rows one page holds. */
export const MAX_PAGE = 100

/** How many rows a page should hold: 1 to {@link MAX_PAGE}. */
export const PageLimit = Decimal.check(Schema.isBetween({ minimum: 1, maximum: MAX_PAGE }))

/** Where the next page starts: opaque, taken from `next_cursor`, good as long as the rows are. */
export const Cursor = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{1,200}$/u, { expected: "a cursor from next_cursor" }))

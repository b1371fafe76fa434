import { Schema, SchemaGetter } from "effect"

const DIGITS = /^(?:0|[1-9][0-9]{0,9})$/u

/**
 * A whole number in a query string, within bounds, written in plain decimal digits: `0x10`, `1e2`, `+5`, `05` and ` 5` are refused. The
 * OpenAPI document and the refusal both state these bounds.
 */
export const decimal = ({ maximum, minimum }: { readonly minimum: number; readonly maximum: number }) => {
  const expected = `a whole number from ${minimum} to ${maximum}`
  const isWithin = (text: string) => DIGITS.test(text) && Number(text) >= minimum && Number(text) <= maximum
  return Schema.String.check(
    Schema.makeFilter((text) => (isWithin(text) ? undefined : `Expected ${expected}`), {
      expected,
      // Bounds of a number on a string schema: `Document.ts` turns both into an integer.
      toJsonSchema: () => ({ minimum, maximum })
    })
  ).pipe(
    Schema.decodeTo(Schema.Int, {
      decode: SchemaGetter.transform((text) => Number(text)),
      encode: SchemaGetter.transform((number) => String(number))
    })
  )
}

/** Maximum rows per page. */
export const MAX_PAGE = 100

/** Rows per page: 1 to {@link MAX_PAGE}. */
export const PageLimit = decimal({ minimum: 1, maximum: MAX_PAGE })

/**
 * Where the next page starts: the id of the last row read, in hexadecimal. Ids are UUIDv7, so they sort by time of creation: a row
 * inserted meanwhile neither shifts nor repeats the rows after the cursor.
 */
export const Cursor = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{32}$/u, { expected: "a next_cursor from an earlier page" })
).pipe(
  Schema.decodeTo(Schema.String, {
    decode: SchemaGetter.transform(
      (hex) => `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
    ),
    encode: SchemaGetter.transform((id) => id.replaceAll("-", ""))
  })
)

/** A page's rows, and where the next page starts: null on the last page. */
export interface Page<A> {
  readonly data: ReadonlyArray<A>
  readonly next_cursor: string | null
}

/** The page made of `rows`. The query read `limit + 1` rows, to see whether another page follows. */
export const page = <A extends { readonly id: string }>(rows: ReadonlyArray<A>, limit: number): Page<A> => {
  const data = rows.slice(0, limit)
  const last = data.at(-1)
  return { data, next_cursor: rows.length > limit && last !== undefined ? last.id : null }
}

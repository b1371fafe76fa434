import { Cursor, PageLimit } from "@llm-saas/domain/Page"
import { Schema } from "effect"

/** Where a page starts, and its number of rows: by default 50. */
export const PageQuery = { limit: Schema.optionalKey(PageLimit), cursor: Schema.optionalKey(Cursor) }

/** One page of a list, newest row first. */
export const pageOf = <Row extends Schema.Constraint>(identifier: string, row: Row) =>
  Schema.Struct({
    data: Schema.Array(row),
    /** Send it as `cursor` for the next page; null on the last one. */
    next_cursor: Schema.NullOr(Cursor)
  }).annotate({ identifier })

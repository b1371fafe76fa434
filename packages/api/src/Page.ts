import { Cursor, PageLimit } from "@llm-saas/domain/Page"
import { Schema } from "effect"

/** Where a page starts, and how many rows it holds: 50 where nothing is said. */
export const PageQuery = { limit: Schema.optionalKey(PageLimit), cursor: Schema.optionalKey(Cursor) }

/** One page of a list that is read from its newest row on. */
export const pageOf = <Row extends Schema.Constraint>(identifier: string, row: Row) =>
  Schema.Struct({
    data: Schema.Array(row),
    /** Send it as `cursor` for the next page; null on the last one. */
    next_cursor: Schema.NullOr(Cursor)
  }).annotate({ identifier })

import type { TenantSql } from "@llm-saas/database/Tenancy"
import type { Statement } from "effect/sql"

// The planner has no statistics of rows, and its guesses may be wrong by any factor: of a user who had ten messages yesterday and has
// 100,000 today it sorts the whole history for a page, 1 s instead of 1 ms. So a page leaves it no choice. Whose rows they are is said as
// two bounds (`user_id <= x and user_id >= x`), and not as `user_id = x`: then the page's order begins with that column, and only the index
// on exactly these columns has it, where after `=` the primary key has the order too and would be read through for the user's rows. Inside
// the index bounds of `<=` and `>=` are where the scan begins and ends. The length of the page is behind a subquery, so that the planner
// reckons with a tenth of what there is. No `coalesce` around a bound: behind row-level security only what cannot leak may use an index,
// and PostgreSQL does not count it as that. The login has `enable_sort` off (sql/roles/10_roles.sql): the index's order is always taken.

/** Behind every id there is. */
const HIGHEST = "ffffffff-ffff-ffff-ffff-ffffffffffff"

/**
 * A page of a table of the tenant, newest first: the rows from behind the id `after`. `of`: only those whose `column` is `value`; there is an
 * index on (tenant_id, column, id).
 */
export const pageOnIndex = (
  sql: TenantSql["Service"],
  table: "messages" | "conversations" | "users",
  of: { readonly column: "user_id" | "conversation_id"; readonly value: Statement.Fragment } | undefined,
  after: string | null,
  limit: number
) => {
  const column = of === undefined ? undefined : sql.literal(`page.${of.column}`)
  const owned = of === undefined ? sql.literal("") : sql`and ${column} <= ${of.value} and ${column} >= ${of.value}`
  const order = of === undefined ? sql.literal("page.id desc") : sql`${column} desc, page.id desc`
  return sql`select page.* from ${sql.literal(`app.${table}`)} page
    where page.tenant_id = app.tenant_id() ${owned}
      and page.id < ${after ?? HIGHEST}::uuid
    order by ${order} limit (select ${limit}::int8)`
}

import type { TenantSql } from "@llm-saas/database/Tenancy"
import type { Statement } from "effect/sql"

// The planner has no statistics of rows, and its guesses may be wrong by any factor: for a user who had ten messages yesterday and has
// 100,000 today it sorts the whole history for a page, 1 s instead of 1 ms. So a page query leaves it no choice. The owner of the rows is
// given as two bounds (`user_id <= x and user_id >= x`), and not as `user_id = x`: then the page's order begins with that column, and only
// the index on exactly these columns has that order; after `=` the primary key has it too, and would be read through for the user's rows.
// In the index, the bounds `<=` and `>=` are where the scan begins and ends. The length of the page is behind a subquery, so that the
// planner assumes a tenth of the rows. No `coalesce` around a bound: behind row-level security only leakproof expressions may use an index,
// and PostgreSQL does not count it as one. The login has `enable_sort` off (sql/roles/10_roles.sql): the index's order is always taken.

/** What of a table is in its pages, and which of its rows: all, unless said otherwise. */
const SHOWN: Readonly<Partial<Record<Table, { readonly columns: string; readonly only: string }>>> = {
  // Not the hashes, which no room reads; and not what was deleted.
  api_keys: {
    columns: `page.id, page.tenant_id, page.user_id, page.public_id, page.name, page.scopes, page.models, page.metadata, page.created_at,
      page.expires_at, page.disabled_at, page.rotated_at, page.previous_until, page.last_used_at`,
    only: "and page.revoked_at is null"
  },
  // Likewise, and those that are not over.
  sessions: {
    columns: `page.id, page.user_id, page.method, page.device, page.address, page.created_at, page.last_used_at, page.idle_until, page.ends_at`,
    only: "and page.ended_at is null and page.idle_until > now()"
  }
}

type Table = "messages" | "conversations" | "users" | "api_keys" | "provider_keys" | "sessions" | "invitations"

/** Higher than every id. */
const HIGHEST = "ffffffff-ffff-ffff-ffff-ffffffffffff"

/**
 * A page of a table of the tenant, newest first: the rows after the id `after`. `of`: only rows whose `column` is `value`; this needs an
 * index on (tenant_id, column, id).
 */
export const pageOnIndex = (
  sql: TenantSql["Service"],
  table: Table,
  of: { readonly column: "user_id" | "conversation_id" | "kind"; readonly value: Statement.Fragment } | undefined,
  after: string | null,
  limit: number
) => {
  const column = of === undefined ? undefined : sql.literal(`page.${of.column}`)
  const owned = of === undefined ? sql.literal("") : sql`and ${column} <= ${of.value} and ${column} >= ${of.value}`
  const order = of === undefined ? sql.literal("page.id desc") : sql`${column} desc, page.id desc`
  const { columns, only } = SHOWN[table] ?? { columns: "page.*", only: "" }
  return sql`select ${sql.literal(columns)} from ${sql.literal(`app.${table}`)} page
    where page.tenant_id = app.tenant_id() ${owned}
      and page.id < ${after ?? HIGHEST}::uuid ${sql.literal(only)}
    order by ${order} limit (select ${limit}::int8)`
}

import type { TenantId } from "@llm-saas/domain/Tenant"
import type { PgConnection } from "@effect/sql-pg"
import { Effect, type Redacted, Schema } from "effect"
import { connect, rows, transaction } from "./connections/Script.ts"
import { quoteIdentifier } from "./Identifier.ts"
import { TenantUnknown } from "./logins/AuditorLogins.ts"
import { Roles } from "./logins/Roles.ts"

/** Rows that are fetched at once. */
const BATCH = 500

const Table = Schema.Struct({ name: Schema.String, columns: Schema.Array(Schema.String), key: Schema.String })
const decodeTables = Schema.decodeUnknownEffect(Schema.Array(Table))
const decodeLines = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ line: Schema.String })))

/**
 * Everything of a tenant that its own auditors may read, texts too, as JSON lines `{"table": …, "row": …}`; no hash, key or secret, and
 * nothing of what providers are paid. One moment of the database, whatever is written meanwhile. It reads as the role of backups, by the
 * administrator's connection: neither the API nor a token of the operator reads content. Recorded in the tenant's audit log before the
 * first line. Returns the number of rows by table.
 */
export const exportTenant = Effect.fn("TenantExport.export")(function* (
  adminUrl: Redacted.Redacted,
  tenantId: TenantId,
  write: (line: string) => Effect.Effect<void>
) {
  const { backup, operator, reader, readerContent } = yield* Roles
  const connection = yield* connect(adminUrl)
  yield* transaction(
    connection,
    Effect.gen(function* () {
      yield* rows(connection, `set local role ${operator}`)
      const known = yield* rows(connection, "select from app.tenants where id = $1::uuid", [tenantId])
      if (known.length === 0) return yield* new TenantUnknown({})
      yield* rows(
        connection,
        "select operator.record(null, 'tenant.exported', $1::uuid, 'tenant', $1::uuid, null, '{}')",
        [tenantId]
      )
    })
  )
  return yield* transaction(
    connection,
    Effect.gen(function* () {
      yield* rows(connection, "set transaction isolation level repeatable read read only")
      const tables = yield* Effect.flatMap(rows(connection, TABLES, [reader, readerContent]), (found) =>
        Effect.orDie(decodeTables(found))
      )
      yield* rows(connection, `set local role ${backup}`)
      const counts: Record<string, number> = {}
      for (const table of tables) counts[table.name] = yield* writeTable(connection, table, tenantId, write)
      return counts
    })
  )
}, Effect.scoped)

const writeTable = Effect.fnUntraced(function* (
  connection: PgConnection.PgConnection,
  { columns, key, name }: typeof Table.Type,
  tenantId: TenantId,
  write: (line: string) => Effect.Effect<void>
) {
  const place = `app.${quoteIdentifier(name)}`
  const members = columns.map((column) => `t.${quoteIdentifier(column)}`).join(", ")
  // What is deleted and not removed yet is not there any more.
  const marks = DELETED.includes(name) ? ID_COLUMNS.filter((column) => columns.includes(column)) : []
  const shown = marks.map(
    (column) => `and not exists (select from app.deletions d where d.tenant_id = t.tenant_id and d.id = t.${column})`
  )
  yield* rows(
    connection,
    `declare exported no scroll cursor for
     select json_build_object('table', '${name}', 'row', (select row_to_json(r) from (select ${members}) r))::text as line
     from ${place} t where t.${key} = '${tenantId}'::uuid ${shown.join(" ")}`
  )
  let count = 0
  while (true) {
    const lines = yield* Effect.flatMap(rows(connection, `fetch ${BATCH} from exported`), (found) =>
      Effect.orDie(decodeLines(found))
    )
    for (const { line } of lines) yield* write(line)
    count += lines.length
    if (lines.length < BATCH) break
  }
  yield* rows(connection, "close exported")
  return count
})

/** Tables whose rows are deleted by a mark: see `sql/policies/25_deleted.sql`. */
const DELETED = [
  "users",
  "conversations",
  "messages",
  "feedback",
  "api_keys",
  "sessions",
  "factors",
  "invitations",
  "sso_identities"
]
const ID_COLUMNS = ["id", "user_id", "conversation_id", "message_id"]

/** Tables of app, with the columns that a tenant's own auditors may read. */
const TABLES = `
  select c.relname::text as name, array_agg(a.attname::text order by a.attnum) as columns,
    case c.relname when 'tenants' then 'id' else 'tenant_id' end as key
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p')
    and (has_column_privilege($1::text, c.oid, a.attnum, 'select') or has_column_privilege($2::text, c.oid, a.attnum, 'select'))
  group by c.relname order by c.relname <> 'tenants', c.relname`

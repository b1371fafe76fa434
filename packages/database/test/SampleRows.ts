import type { Table } from "@llm-saas/database/catalogue/Catalogue"
import { Effect } from "effect"
import { randomBytes, randomInt, randomUUID } from "node:crypto"
import type { Session } from "./Session.ts"

export type Row = Readonly<Record<string, unknown>>

/** A row of every table, of one tenant. */
export interface Sample {
  readonly tenant: string
  readonly user: string
  readonly rows: ReadonlyMap<string, Row>
  /** Rows that nothing refers to yet, of the tables that others refer to. */
  readonly spares: ReadonlyMap<string, Row>
}

/** A value of a type without constraints. */
const BY_TYPE: Readonly<Record<string, () => unknown>> = {
  uuid: randomUUID,
  text: () => "sample",
  integer: () => 1,
  bigint: () => 1,
  smallint: () => 1,
  "double precision": () => 1,
  numeric: () => 0,
  boolean: () => false,
  "text[]": () => ["sample"],
  date: () => "2000-01-01",
  bytea: () => Buffer.from("sample"),
  jsonb: () => "{}",
  "timestamp with time zone": () => new Date(0).toISOString()
}

/** Values for columns with constraints, by table and column. */
const BY_COLUMN: Readonly<Record<string, () => unknown>> = {
  "users.email": () => `${randomUUID()}@example.com`,
  "users.role": () => "admin",
  "credentials.password_hash": () => "$argon2id$sample",
  "api_keys.public_id": () => randomUUID().replaceAll("-", "").slice(0, 16),
  "api_keys.secret_hash": () => randomBytes(32),
  "sessions.method": () => "password",
  "sessions.secret_hash": () => randomBytes(32),
  "session_tokens.hash": () => randomBytes(32),
  "invitations.email": () => `${randomUUID()}@example.com`,
  "invitations.role": () => "user",
  "audit_events.action": () => "sample.written",
  "generations.source": () => "messages",
  "limits.subject": () => `user:${randomUUID()}`,
  "rates.subject": () => `key:${randomUUID()}`,
  "budget_periods.subject": () => `key:${randomUUID()}`,
  "budget_periods.period": () => "day",
  "counter_changes.period": () => "day",
  "ledger.kind": () => "correction",
  "usage_days.grain": () => "both",
  "attempts.key_source": () => "tenant",
  "deletions.kind": () => "message",
  "tenant_keys.version": () => randomInt(1, 2 ** 31),
  "tenant_keys.wrapped": () => randomBytes(60),
  "tenant_keys.wrapped_by": () => randomBytes(8).toString("hex"),
  "one_time_tokens.purpose": () => "email_verify",
  "one_time_tokens.address": () => "sample@example.com",
  "one_time_tokens.hash": () => randomBytes(32),
  "mails.address": () => "sample@example.com",
  "mails.template": () => "email_verify",
  "provider_keys.sealed": () => randomBytes(40),
  "factors.kind": () => "totp",
  "totp_secrets.sealed": () => randomBytes(40),
  "recovery_codes.code_hash": () => randomBytes(32),
  "sso_connections.slug": () => randomUUID(),
  "sso_identities.subject": () => randomUUID(),
  "sso_connections.issuer": () => "https://sample.invalid",
  "generations.trace_id": () => randomUUID().replaceAll("-", "")
}

/** A new row of a table for this tenant: the values an INSERT must give, and the references to the tenant's other rows. */
export const rowOf = (table: Table, tenant: string, others: ReadonlyMap<string, Row>): Row => {
  const row: Record<string, unknown> = {}
  for (const column of table.columns) {
    const key = table.foreignKeys.find(
      (foreign) => foreign.table !== table.name && foreign.columns.includes(column.name)
    )
    if (column.name === table.tenantColumn) row[column.name] = tenant
    else if (key !== undefined)
      row[column.name] = others.get(key.table)?.[key.references[key.columns.indexOf(column.name)] ?? ""]
    else if (column.required) {
      const make = BY_COLUMN[`${table.name}.${column.name}`] ?? BY_TYPE[column.type]
      if (make === undefined)
        throw new Error(`SampleRows.ts does not know a ${column.type} for ${table.name}.${column.name}`)
      row[column.name] = make()
    }
  }
  return row
}

export const insert = (table: Table, row: Row): { readonly sql: string; readonly values: ReadonlyArray<unknown> } => {
  const names = Object.keys(row)
  return {
    sql: `insert into app.${table.name} (${names.join(", ")}) values (${names.map((_, n) => `$${n + 1}`).join(", ")})`,
    values: Object.values(row)
  }
}

/** One row in every table there is, for a tenant of their own. Dies, naming the table, if one of them refuses its row. */
export const plant = Effect.fnUntraced(function* (admin: Session, tables: ReadonlyArray<Table>) {
  const tenant = randomUUID()
  const rows = new Map<string, Row>()
  const spares = new Map<string, Row>()
  const add = (table: Table, into: Map<string, Row>) => {
    const row = rowOf(table, tenant, rows)
    into.set(table.name, row)
    const { sql, values } = insert(table, row)
    return Effect.catch(admin.count(sql, values), ({ message }) =>
      Effect.die(new Error(`teach SampleRows.ts to make a row of app.${table.name}: ${message}`))
    )
  }
  for (const table of tables) {
    yield* add(table, rows)
    if (table.name === "tenants") spares.set(table.name, rows.get(table.name) ?? {})
    else if (tables.some((other) => other.foreignKeys.some((key) => key.table === table.name)))
      yield* add(table, spares)
  }
  const sample: Sample = { tenant, user: String(rows.get("users")?.["id"]), rows, spares }
  return sample
})

import type { PgConnection } from "@effect/sql-pg"
import { Effect, Schema } from "effect"
import { rows } from "../connections/Script.ts"

const Column = Schema.Struct({
  name: Schema.String,
  /** As `format_type` writes it. */
  type: Schema.String,
  /** An INSERT must give a value: not null, and neither a default nor generated. */
  required: Schema.Boolean,
  generated: Schema.Boolean
})

const ForeignKey = Schema.Struct({
  columns: Schema.Array(Schema.String),
  table: Schema.String,
  references: Schema.Array(Schema.String)
})

/** A table of `app` as PostgreSQL has it. */
export const Table = Schema.Struct({
  name: Schema.String,
  /** The column that holds the tenant of a row. */
  tenantColumn: Schema.String,
  primaryKey: Schema.Array(Schema.String),
  columns: Schema.Array(Column),
  foreignKeys: Schema.Array(ForeignKey)
})
export type Table = typeof Table.Type

const decode = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ table: Schema.fromJsonString(Table) })))

/**
 * Every table of `app`, referenced tables before those that reference them. Read from the catalogue and never from a list, so that it
 * includes every table added later.
 */
export const tables = Effect.fnUntraced(function* (connection: PgConnection.PgConnection) {
  const found = yield* Effect.orDie(decode(yield* rows(connection, QUERY)))
  return sorted(found.map(({ table }) => table))
})

const sorted = (all: ReadonlyArray<Table>): ReadonlyArray<Table> => {
  const done: Array<Table> = []
  let rest = all
  while (rest.length > 0) {
    const waits = (table: Table) =>
      table.foreignKeys.some((key) => key.table !== table.name && rest.some((other) => other.name === key.table))
    const next = rest.filter((table) => !waits(table))
    // A circle of references: no order is right, any will do.
    done.push(...(next.length > 0 ? next : rest))
    rest = next.length > 0 ? rest.filter(waits) : []
  }
  return done
}

const QUERY = `
  select jsonb_build_object(
    'name', c.relname,
    'tenantColumn', case c.relname when 'tenants' then 'id' else 'tenant_id' end,
    'primaryKey', coalesce((
      select jsonb_agg(a.attname order by k.place)
      from pg_index i
      cross join unnest(i.indkey) with ordinality as k (attnum, place)
      join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
      where i.indrelid = c.oid and i.indisprimary
    ), '[]'),
    'columns', (
      select jsonb_agg(jsonb_build_object(
        'name', a.attname,
        'type', format_type(a.atttypid, a.atttypmod),
        'required', a.attnotnull and not a.atthasdef and a.attidentity = '',
        'generated', a.attgenerated <> '' or a.attidentity = 'a'
      ) order by a.attnum)
      from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ),
    'foreignKeys', coalesce((
      select jsonb_agg(jsonb_build_object(
        'table', (select relname from pg_class where oid = k.confrelid),
        'columns', (
          select jsonb_agg(a.attname order by pair.place) from unnest(k.conkey) with ordinality as pair (attnum, place)
          join pg_attribute a on a.attrelid = k.conrelid and a.attnum = pair.attnum
        ),
        'references', (
          select jsonb_agg(a.attname order by pair.place) from unnest(k.confkey) with ordinality as pair (attnum, place)
          join pg_attribute a on a.attrelid = k.confrelid and a.attnum = pair.attnum
        )
      ) order by k.conname)
      from pg_constraint k where k.conrelid = c.oid and k.contype = 'f'
    ), '[]')
  )::text as "table"
  from pg_class c
  where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p')
  order by c.relname`

import type { Table } from "@llm-saas/database/catalogue/Catalogue"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { insert, type Row, rowOf, type Sample } from "./SampleRows.ts"
import type { Refused, Session } from "./Session.ts"

/** The attempts on a table with the rows of `victim`; each returns how many rows it reached, or a refusal. */
export type Attempt = (session: Session, table: Table, victim: Sample) => Effect.Effect<number, Refused>

const whose = (table: Table, sample: Sample) => `${table.tenantColumn} = '${sample.tenant}'`

/** A column this role may write, so that where there is one a policy refuses, and not a missing grant. */
const writable = (session: Session, table: Table) =>
  session
    .rows(
      "select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '' "
        + "and has_column_privilege(attrelid, attnum, 'UPDATE') order by attname = any ($2), attnum",
      [`app.${table.name}`, table.primaryKey]
    )
    .pipe(Effect.map(([column]) => String(column?.["attname"] ?? table.tenantColumn)))

/** The existing row, unchanged: an upsert or a merge collides with it. */
const same = (table: Table, victim: Sample): Row => victim.rows.get(table.name) ?? {}

export const ATTEMPTS: Readonly<Record<string, Attempt>> = {
  select: (session, table, victim) => session.count(`select from app.${table.name} where ${whose(table, victim)}`),
  insert: (session, table, victim) => {
    // A foreign tenant is any but the attacker's own.
    const { sql, values } = insert(
      table,
      rowOf(table, table.name === "tenants" ? randomUUID() : victim.tenant, victim.spares)
    )
    return session.count(sql, values)
  },
  update: (session, table, victim) =>
    Effect.flatMap(writable(session, table), (column) =>
      session.count(`update app.${table.name} set ${column} = ${column} where ${whose(table, victim)}`)
    ),
  delete: (session, table, victim) => session.count(`delete from app.${table.name} where ${whose(table, victim)}`),
  upsert: (session, table, victim) =>
    Effect.flatMap(writable(session, table), (column) => {
      const { sql, values } = insert(table, same(table, victim))
      return session.count(
        `${sql} on conflict (${table.primaryKey.join(", ")}) do update set ${column} = excluded.${column}`,
        values
      )
    }),
  merge: (session, table, victim) =>
    Effect.flatMap(writable(session, table), (column) =>
      session.count(
        `merge into app.${table.name} t using (select '${victim.tenant}'::uuid as mine) s on t.${table.tenantColumn} = s.mine `
          + `when matched then update set ${column} = t.${column}`
      )
    ),
  "copy to": (session, table, victim) =>
    session.count(`copy (select * from app.${table.name} where ${whose(table, victim)}) to stdout`),
  "copy from": (session, table) => session.count(`copy app.${table.name} from stdin`)
}

/** The result: `3 rows`, `denied` (by a grant, a policy, or COPY's refusal of tables with policies), or the SQLSTATE. */
export const outcome = (attempt: Effect.Effect<number, Refused>): Effect.Effect<string> =>
  Effect.match(attempt, {
    onSuccess: (count) => `${count} rows`,
    onFailure: ({ state }) => (state === "42501" || state === "0A000" ? "denied" : state)
  })

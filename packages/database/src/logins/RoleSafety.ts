import { Effect, type Redacted, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { failedStatement, type MigrationFailed } from "../MigrationFailed.ts"
import { type RoleNames, Roles } from "./Roles.ts"
import { connect } from "../connections/Script.ts"
import type { Connection } from "../connections/Session.ts"

/** What a login may do on its server. */
export interface Login {
  readonly role: string
  /** Why it could see past row-level security; empty for a role the API may use. */
  readonly risks: ReadonlyArray<string>
  /** Whether it can prepare a database: a superuser, or a maker of roles. */
  readonly administers: boolean
  /** `server_version_num`, for {@link holesFixedIn}. */
  readonly serverVersion: number
}

const Row = Schema.Struct({
  role: Schema.String,
  superuser: Schema.Boolean,
  bypasses: Schema.Boolean,
  makes_roles: Schema.Boolean,
  replicates: Schema.Boolean,
  owns: Schema.Boolean,
  may_become: Schema.Array(Schema.String),
  version: Schema.Int
})
const decode = Schema.decodeUnknownEffect(Row)

/** Reads from the server what this login could do. If connecting fails, the error says why. */
export const inspectLogin = (url: Redacted.Redacted): Effect.Effect<Login, MigrationFailed> =>
  Effect.scoped(
    Effect.flatMap(connect(url), (connection) =>
      Effect.mapError(loginOf(connection), (error) => failedStatement(error))
    )
  )

/** The current login. */
export const loginOf = Effect.fnUntraced(function* (connection: Connection): Effect.fn.Return<Login, SqlError> {
  const { rows } = yield* connection.query(query(yield* Roles), [])
  const row = yield* Effect.orDie(decode(rows[0]))
  return {
    role: row.role,
    risks: [
      ...(row.superuser ? ["is a superuser"] : []),
      ...(row.bypasses ? ["has BYPASSRLS"] : []),
      ...(row.makes_roles ? ["may create roles"] : []),
      ...(row.replicates ? ["may replicate the whole server"] : []),
      ...(row.owns ? ["owns tables of app"] : []),
      ...row.may_become.map((role) => `is or may become ${role}`)
    ],
    administers: row.superuser || row.makes_roles,
    serverVersion: row.version
  }
})

// A role may become every role it is a member of, directly or through others, by inheritance or SET ROLE. Dangerous roles bypass row-level
// security, own the tables, read or write the server's files, or have a policy without the wall.
const query = ({ auth, operator, owner, tracking, work }: RoleNames) => `
  with ours as (
    select c.oid, c.relowner from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'app' and c.relkind in ('r', 'p')
  )
  select r.rolname::text as role, r.rolsuper as superuser, r.rolbypassrls as bypasses, r.rolcreaterole as makes_roles,
    r.rolreplication as replicates, exists (select from ours where relowner = r.oid) as owns,
    array(
      select o.rolname::text from pg_roles o
      where not r.rolsuper and pg_has_role(r.oid, o.oid, 'member') and (
        o.oid <> r.oid and (o.rolsuper or o.rolbypassrls or o.rolcreaterole or o.rolreplication)
        or o.rolname in ('${owner}', '${auth}', '${work}', '${tracking}', '${operator}', 'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
        or o.oid <> r.oid and o.oid in (select relowner from ours)
        or exists (
          select from pg_policy p where p.polrelid in (select oid from ours) and p.polpermissive and o.oid = any (p.polroles)
            and not exists (
              select from pg_policy w where w.polrelid = p.polrelid and w.polname = 'tenant_wall' and o.oid = any (w.polroles)
            )
        )
      )
      order by 1
    ) as may_become,
    current_setting('server_version_num')::int as version
  from pg_roles r where r.rolname = session_user`

// 2026's fixes of holes in row-level security itself (CVE-2026-120154, CVE-2026-116311, CVE-2026-14666), by major version.
const FIXED: Readonly<Record<number, number>> = { 18: 7, 17: 12, 16: 16, 15: 20 }

/** The release to upgrade to, if the server has known holes in row-level security. `version` is `server_version_num`. */
export const holesFixedIn = (version: number): string | undefined => {
  const major = Math.floor(version / 10_000)
  const fixed = FIXED[major]
  if (fixed === undefined) return major < 15 ? "18.7" : undefined
  return version % 10_000 < fixed ? `${major}.${fixed}` : undefined
}

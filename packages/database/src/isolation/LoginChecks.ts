import { IsolationCheck, IsolationFinding } from "@llm-saas/domain/Isolation"
import { Effect, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import type { Connection } from "../connections/Session.ts"
import { Roles, withPrefix } from "../logins/Roles.ts"
import { holesFixedIn, loginOf } from "../logins/RoleSafety.ts"
import type { Inspection } from "./Inspection.ts"

/** What the login of the connection could do beside row-level security, and what it finds in the server around this database. */
export const login = Effect.fnUntraced(function* (connection: Connection): Effect.fn.Return<Inspection, SqlError> {
  const { risks, role, serverVersion } = yield* loginOf(connection)
  const fixed = holesFixedIn(serverVersion)
  return {
    checks: [new IsolationCheck({ kind: "rule", name: "login", tried: 1, findings: risks.length })],
    findings: risks.map((detail) => new IsolationFinding({ check: "login", object: role, detail })),
    notes: [
      ...(fixed === undefined
        ? []
        : [`This PostgreSQL has known holes in row-level security: upgrade it to ${fixed}.`]),
      ...(yield* around(connection)),
      "Not looked at: superusers, backups, the server's files, and what is kept outside of this database (MLflow, logs)."
    ]
  }
})

const decodeAround = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ open: Schema.Array(Schema.String), unlimited: Schema.Int }))
)

const AROUND = `
  select array(
      select d.datname::text from pg_catalog.pg_database d
      where d.datallowconn and d.datname <> current_database()
        and exists (select from aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a where a.grantee = 0 and a.privilege_type = 'CONNECT')
      order by d.datname
    ) as open,
    (
      select count(*)::int4 from pg_catalog.pg_roles r
      where r.rolname ~ '^llm_(auditor|reader)_[0-9a-f]{12}$' and not exists (select from unnest(r.rolconfig) setting where starts_with(setting, 'temp_file_limit='))
    ) as unlimited`

/** What auditors' logins find in the server around this database. */
const around = Effect.fnUntraced(function* (connection: Connection) {
  const { rows } = yield* connection.query(withPrefix(AROUND, (yield* Roles).prefix), [])
  const [found] = yield* Effect.orDie(decodeAround(rows))
  const { open = [], unlimited = 0 } = found ?? {}
  return [
    ...(open.length === 0
      ? []
      : [
          `Who logs in to this server, auditors too, may also connect to ${open.slice(0, 3).join(", ")}${
            open.length > 3 ? ` and ${open.length - 3} more of its databases` : ""
          }: \`revoke connect on database … from public\` closes them.`
        ]),
    ...(unlimited === 0
      ? []
      : [
          `${unlimited} auditors' logins may fill the disk with temporary files: only a superuser may set temp_file_limit.`
        ])
  ]
})

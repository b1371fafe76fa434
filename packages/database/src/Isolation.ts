import { Actor } from "@llm-saas/domain/Actor"
import { IsolationCheck, IsolationFinding, IsolationReport } from "@llm-saas/domain/Isolation"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { steadily } from "@llm-saas/domain/Time"
import { Array, Clock, Context, DateTime, Effect, Exit, Layer, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { readCatalogueFile } from "./catalogue/CatalogueFile.ts"
import { differences, inWords, readLive } from "./catalogue/Drift.ts"
import { failedStatement } from "./MigrationFailed.ts"
import { outageOrBug, sqlState } from "./PostgresError.ts"
import { type Line, Pool } from "./connections/Pool.ts"
import { Roles, withPrefix } from "./logins/Roles.ts"
import { holesFixedIn, loginOf } from "./logins/RoleSafety.ts"
import type { Connection } from "./connections/Session.ts"
import { readSqlFiles } from "./SqlFiles.ts"

/** The actor whose room is entered to see what is left of it afterwards; nothing is read or written in their name. */
export type Visitor = Pick<Actor["Service"], "tenantId" | "userId" | "tokenEpoch">

/** The result of several checks. */
export interface Inspection {
  readonly checks: ReadonlyArray<IsolationCheck>
  readonly findings: ReadonlyArray<IsolationFinding>
  readonly notes: ReadonlyArray<string>
}

/** How long (ms) the tenants of one process share a report: it is about all of them, and costs a third of a second of database time. */
const REPORT_TTL_MS = 10_000

/**
 * Whether tenants are kept apart on the connections that serve requests, for any caller. The checks use the same connections as requests,
 * so they can do no more than a request can; what they write is rolled back.
 */
export class Isolation extends Context.Service<
  Isolation,
  {
    /**
     * Runs the checks at most every ten seconds. The check for what a connection keeps of a room runs each time, in the actor's own room.
     */
    readonly report: Effect.Effect<IsolationReport, Unavailable, Actor>
  }
>()("@llm-saas/database/Isolation") {
  static readonly layer = Layer.effect(
    Isolation,
    Effect.gen(function* () {
      const pool = yield* Pool
      const roles = yield* Roles
      const on = <A>(work: (connection: Connection) => Effect.Effect<A, SqlError>, line?: Line) =>
        Effect.catchTag(pool.use(work, line), "SqlError", outageOrBug)
      const clock = yield* Clock.Clock
      const at = Effect.provideService(DateTime.now, Clock.Clock, clock)
      const look = Effect.all({ at, about: on(about), inspection: on(inspect) }).pipe(
        Effect.provideService(Roles, roles)
      )
      const cached = yield* Effect.cachedWithTTL(look, (exit) => (Exit.isSuccess(exit) ? REPORT_TTL_MS : 0))
      const shared = steadily(cached)

      return Isolation.of({
        report: Effect.gen(function* () {
          const actor = yield* Actor
          const { about, at, inspection } = yield* shared
          const kept = yield* on((connection) => reused(connection, actor), actor.tenantId)
          return report(about, at, [inspection, kept])
        })
      })
    })
  )
}

/** Formats results as the report. */
export const report = (
  { login, schema_version, server_version }: About,
  checked_at: DateTime.Utc,
  inspections: ReadonlyArray<Inspection>
) => {
  const findings = inspections.flatMap((inspection) => inspection.findings)
  return new IsolationReport({
    ok: findings.length === 0,
    checked_at,
    server_version,
    schema_version,
    login,
    checks: inspections.flatMap((inspection) => inspection.checks),
    findings,
    notes: inspections.flatMap((inspection) => inspection.notes)
  })
}

type About = typeof AboutRow.Type

const AboutRow = Schema.Struct({ login: Schema.String, server_version: Schema.String, schema_version: Schema.Int })

/** The database, and the login. */
export const about = Effect.fnUntraced(function* (connection: Connection): Effect.fn.Return<About, SqlError> {
  const { rows } = yield* connection.query(
    `select session_user::text as login, current_setting('server_version') as server_version,
       coalesce((select max(version) from meta.migrations), 0)::int4 as schema_version`,
    []
  )
  return yield* Effect.orDie(Schema.decodeUnknownEffect(AboutRow)(rows[0]))
})

/**
 * Checks the whole catalogue, the rules of `sql/lint`, `audit.proof()`, and the login. Needs no transaction and keeps nothing; inside a
 * transaction it sees that transaction's changes.
 */
export const inspect = Effect.fnUntraced(function* (connection: Connection): Effect.fn.Return<Inspection, SqlError> {
  const parts = [
    yield* catalogue(connection),
    yield* rules(connection),
    yield* trials(connection),
    yield* login(connection)
  ]
  return {
    checks: parts.flatMap(({ checks }) => checks),
    findings: parts.flatMap(({ findings }) => findings),
    notes: parts.flatMap(({ notes }) => notes)
  }
})

/** Differences from `sql/catalogue.tsv`: finds every change, also one that no other rule was written for. */
export const catalogue = (connection: Connection): Effect.Effect<Inspection, SqlError> =>
  tried(
    CATALOGUE,
    Effect.gen(function* () {
      const files = yield* readSqlFiles()
      const expected = yield* readCatalogueFile()
      if (expected.content !== files.content) return NOT_OF_THESE_FILES
      const live = yield* readLive(connection)
      const found = differences(live, expected.facts)
      return {
        checks: [
          new IsolationCheck({ kind: "rule", name: CATALOGUE, tried: expected.facts.length, findings: found.length })
        ],
        findings: found.map(
          (difference) =>
            new IsolationFinding({
              check: CATALOGUE,
              object: `${difference.kind} ${difference.object}`.trim(),
              detail: inWords(difference)
            })
        ),
        notes: live.hardened
          ? []
          : ["Migrated without a superuser: what sql/roles/30_hardening.sql takes from PUBLIC is open to every role."]
      }
    }).pipe(Effect.catchTag("MigrationFailed", (failed) => Effect.succeed(unreadable(failed.message))))
  )

const CATALOGUE = "catalogue"

const unreadable = (detail: string): Inspection => ({
  checks: [new IsolationCheck({ kind: "rule", name: CATALOGUE, tried: 0, findings: 1 })],
  findings: [new IsolationFinding({ check: CATALOGUE, object: "sql/catalogue.tsv", detail })],
  notes: []
})

const NOT_OF_THESE_FILES = unreadable("is of other files than sql/ has: its first line says what writes it")

const decodeRules = Schema.decodeUnknownEffect(
  Schema.Array(
    Schema.Struct({
      rule: Schema.String,
      findings: Schema.Array(Schema.Struct({ object: Schema.String, detail: Schema.String }))
    })
  )
)

const RULES = `
  select v.relname::text as rule,
    coalesce((
      select jsonb_agg(jsonb_build_object('object', f.object, 'detail', f.detail)) from lint.findings() f where f.rule = v.relname
    ), '[]') as findings
  from pg_catalog.pg_class v join pg_catalog.pg_namespace n on n.oid = v.relnamespace
  where n.nspname = 'lint' and v.relkind = 'v' order by 1`

const rules = (connection: Connection) =>
  tried(
    "rules",
    Effect.map(
      Effect.flatMap(connection.query(RULES, []), ({ rows }) => Effect.orDie(decodeRules(rows))),
      (found): Inspection => ({
        checks: found.map(
          ({ findings, rule }) => new IsolationCheck({ kind: "rule", name: rule, tried: 1, findings: findings.length })
        ),
        findings: found.flatMap(({ findings, rule }) =>
          findings.map(({ detail, object }) => new IsolationFinding({ check: rule, object, detail }))
        ),
        notes: []
      })
    )
  )

const decodeTrials = Schema.decodeUnknownEffect(
  Schema.Array(
    Schema.Struct({
      context: Schema.String,
      relation: Schema.String,
      verb: Schema.String,
      came: Schema.String,
      fine: Schema.Boolean
    })
  )
)

const trials = (connection: Connection) =>
  tried(
    "trials",
    Effect.map(
      Effect.flatMap(connection.query("select * from audit.proof()", []), ({ rows }) =>
        Effect.orDie(decodeTrials(rows))
      ),
      (found): Inspection => ({
        checks: Object.entries(Array.groupBy(found, ({ context }) => context)).map(
          ([name, all]) =>
            new IsolationCheck({
              kind: "trial",
              name,
              tried: all.length,
              findings: all.filter(({ fine }) => !fine).length
            })
        ),
        findings: found.flatMap(({ came, context, fine, relation, verb }) =>
          fine ? [] : [new IsolationFinding({ check: context, object: relation, detail: `${verb}: ${came}` })]
        ),
        notes: ["Tried with tenants that existed for this report alone; everything was taken back."]
      })
    )
  )

const login = Effect.fnUntraced(function* (connection: Connection): Effect.fn.Return<Inspection, SqlError> {
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

const ENDS = ["commit", "rollback", "error"] as const

const decodeLeft = Schema.decodeUnknownEffect(Schema.Struct({ clean: Schema.Boolean, state: Schema.String }))

const LEFT = `
  select current_user = session_user and concat(tenant, person, rank) = '' as clean,
    format('role %s, tenant %L, user %L, rank %L', current_user, tenant, person, rank) as state
  from (values (
    coalesce(current_setting('app.tenant_id', true), ''), coalesce(current_setting('app.user_id', true), ''),
    coalesce(current_setting('app.role', true), '')
  )) as kept (tenant, person, rank)`

/**
 * What a connection keeps of a room for the next borrower: nothing, however the room ended. Not inside a transaction. Not interrupted: it
 * begins transactions, and an interruption between two of their statements would leave the connection in the room.
 */
export const reused = Effect.fnUntraced(function* (
  connection: Connection,
  { tokenEpoch, tenantId, userId }: Visitor
): Effect.fn.Return<Inspection, SqlError> {
  const findings: globalThis.Array<IsolationFinding> = []
  for (const end of ENDS) {
    yield* connection.query("begin", [], false)
    const entered = yield* Effect.exit(
      connection.query("select role from app.enter($1::uuid, $2::uuid, $3::integer, 'user')", [
        tenantId,
        userId,
        tokenEpoch
      ])
    )
    if (end === "error") yield* Effect.exit(connection.query("select 1 / 0", []))
    yield* connection.query(end === "commit" ? "commit" : "rollback", [], false)
    const { rows } = yield* connection.query(LEFT, [])
    const { clean, state } = yield* Effect.orDie(decodeLeft(rows[0]))
    if (!clean) findings.push(new IsolationFinding({ check: REUSED, object: `after ${end}`, detail: state }))
    if (Exit.isFailure(entered))
      findings.push(
        new IsolationFinding({ check: REUSED, object: `before ${end}`, detail: "the room was not entered" })
      )
  }
  return {
    checks: [new IsolationCheck({ kind: "trial", name: REUSED, tried: ENDS.length, findings: findings.length })],
    findings,
    notes: []
  }
}, Effect.uninterruptible)

const REUSED = "a connection used again"

/** A check that PostgreSQL refuses (class 42: no right, no such object) is a finding; one that cannot run now is not. */
const tried = (name: string, check: Effect.Effect<Inspection, SqlError>): Effect.Effect<Inspection, SqlError> =>
  Effect.catch(check, (error) =>
    sqlState(error)?.startsWith("42") === true
      ? Effect.succeed({
          checks: [new IsolationCheck({ kind: "rule", name, tried: 0, findings: 1 })],
          findings: [
            new IsolationFinding({
              check: name,
              object: name,
              detail: `not possible: ${failedStatement(error).detail}`
            })
          ],
          notes: []
        })
      : Effect.fail(error)
  )

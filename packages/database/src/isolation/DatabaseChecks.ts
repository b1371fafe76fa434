import { IsolationCheck, IsolationFinding } from "@llm-saas/domain/Isolation"
import { Array, Effect, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { readCatalogueFile } from "../catalogue/CatalogueFile.ts"
import { differences, inWords, readLive } from "../catalogue/Drift.ts"
import type { Connection } from "../connections/Session.ts"
import { readSqlFiles } from "../SqlFiles.ts"
import { type Inspection, together, tried } from "./Inspection.ts"
import { login } from "./LoginChecks.ts"

/**
 * Checks the whole catalogue, the rules of `sql/lint`, `audit.proof()`, and the login. Needs no transaction and keeps nothing; inside a
 * transaction it sees that transaction's changes.
 */
export const inspect = Effect.fnUntraced(function* (connection: Connection): Effect.fn.Return<Inspection, SqlError> {
  return together([
    yield* catalogue(connection),
    yield* rules(connection),
    yield* trials(connection),
    yield* login(connection)
  ])
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

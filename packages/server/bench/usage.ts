/**
 * A month of usage, generated, folded, reported and checked, in a PostgreSQL of its own.
 *
 *   node packages/server/bench/usage.ts              100,000 answers of 50 users
 *   node packages/server/bench/usage.ts --answers 1000000 --users 200
 */
import { connect, rows } from "@llm-saas/database/connections/Script"
import { Pool } from "@llm-saas/database/connections/Pool"
import { GenerationStore } from "@llm-saas/database/GenerationStore"
import { checkLedger } from "@llm-saas/database/ledger/LedgerCheck"
import { rebuildUsage } from "@llm-saas/database/ledger/UsageRebuild"
import { prepareLogin } from "@llm-saas/database/logins/LoginRole"
import { DEFAULT_PREFIX, roleNames, Roles } from "@llm-saas/database/logins/Roles"
import { migrate } from "@llm-saas/database/migrations/Migrations"
import { Tenancy } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import { TenantId } from "@llm-saas/domain/Tenant"
import type { Dimension } from "@llm-saas/domain/UsageReport"
import { UserId } from "@llm-saas/domain/User"
import * as EmbeddedPostgres from "@llm-saas/embedded-postgres/EmbeddedPostgres"
import { UsageReports } from "@llm-saas/engine/usage/UsageReports"
import { fillMonth } from "@llm-saas/testing/UsageMonth"
import { Effect, Layer, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import { parseArgs } from "node:util"
import { median, table } from "./Table.ts"

const { values: options } = parseArgs({
  options: {
    answers: { type: "string", default: "100000" },
    users: { type: "string", default: "50" },
    keys: { type: "string", default: "2" },
    rounds: { type: "string", default: "5" }
  }
})
const [answers, users, keys, rounds] = [options.answers, options.users, options.keys, options.rounds].map(Number) as [
  number,
  number,
  number,
  number
]

const MONTH = { begins: "2026-11-01", days: 30, from: "2026-11-01", to: "2026-11-30" }
const BATCH = 500

const timed = <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const began = performance.now()
    const value = yield* work
    return { value, ms: performance.now() - began }
  })

const said = (text: string, ms: number) => Effect.sync(() => console.log(`${text}: ${(ms / 1000).toFixed(1)} s`))

/** A tenant with an admin and users. */
const people = Effect.fnUntraced(function* (admin: Redacted.Redacted) {
  const connection = yield* connect(admin)
  const tenant = TenantId.make(randomUUID())
  const someone = UserId.make(randomUUID())
  yield* rows(connection, "select from auth.create_tenant($1::uuid, 'Month', 'open', null)", [tenant])
  for (let n = 0; n < users; n++)
    yield* rows(connection, "select from auth.register($1::uuid, $2::uuid, $3::text, '$argon2id$x', null)", [
      tenant,
      n === 0 ? someone : randomUUID(),
      `user${n}@example.com`
    ])
  yield* rows(connection, "update app.tenants set markup = 1.2 where id = $1::uuid", [tenant])
  return { tenantId: tenant, userId: someone, tokenEpoch: 0, needs: "user" } as const
}, Effect.scoped)

const folded = Effect.gen(function* () {
  const store = yield* GenerationStore
  for (let count = 0; ;) {
    const more = yield* store.foldUsage(BATCH)
    count += more
    if (more === 0) return count
  }
})

const REPORTS: ReadonlyArray<readonly ["own" | "tenant", ReadonlyArray<Dimension>]> = [
  ["tenant", []],
  ["tenant", ["day"]],
  ["tenant", ["model"]],
  ["tenant", ["user"]],
  ["tenant", ["day", "model"]],
  ["tenant", ["day", "user", "key", "model", "door"]],
  ["own", ["day"]],
  ["own", ["key", "model"]]
]

const page = (scope: "own" | "tenant", by: ReadonlyArray<Dimension>) =>
  UsageReports.use((reports) =>
    reports.page({ scope, by, from: MONTH.from, to: MONTH.to, limit: 100, cursor: undefined })
  )

const report = Effect.gen(function* () {
  const lines: Array<ReadonlyArray<string>> = []
  for (const [scope, by] of REPORTS) {
    const times: Array<number> = []
    let count = 0
    for (let round = 0; round < rounds; round++) {
      const { ms, value } = yield* timed(page(scope, by))
      times.push(ms)
      count = value.data.length
    }
    lines.push([scope, by.join(",") || "–", String(count), median(times).toFixed(1)])
  }
  table("GET /usage, a page of 100 groups", ["scope", "group_by", "groups", "ms (median)"], lines)
})

const shown = Effect.gen(function* () {
  const { data } = yield* page("tenant", ["model"])
  table(
    "The month by model",
    ["model", "requests", "errors", "input", "cache_read", "output", "cost_usd", "p50 ms", "p95 ms"],
    data.map((row) => [
      row.model ?? "",
      String(row.requests),
      String(row.errors),
      String(row.units["input"] ?? 0),
      String(row.units["cache_read"] ?? 0),
      String(row.units["output"] ?? 0),
      row.cost_usd,
      String(row.latency_p50_ms),
      String(row.latency_p95_ms)
    ])
  )
})

const exported = Effect.gen(function* () {
  const reports = yield* UsageReports
  let [count, after]: [number, Parameters<typeof reports.entries>[0]["after"]] = [0, null]
  for (;;) {
    const { data, next }: Effect.Success<ReturnType<typeof reports.entries>> = yield* reports.entries({
      scope: "tenant",
      from: MONTH.from,
      to: MONTH.to,
      after,
      limit: 1000
    })
    count += data.length
    after = next
    if (next === null) return count
  }
})

const sizes = Effect.fnUntraced(function* (admin: Redacted.Redacted) {
  const connection = yield* connect(admin)
  const found = yield* rows(
    connection,
    `select c.relname as name, pg_size_pretty(pg_table_size(c.oid)) as rows, pg_size_pretty(pg_indexes_size(c.oid)) as indexes,
       (xpath('/row/c/text()', query_to_xml(format('select count(*) as c from app.%I', c.relname), false, true, '')))[1]::text as count
     from pg_class c where c.relnamespace = 'app'::regnamespace and c.relname in ('generations', 'ledger', 'usage_queue', 'usage_days') order by 1`
  )
  table(
    "Tables",
    ["table", "rows", "size", "indexes"],
    found.map((row) => {
      const { count, indexes, name, rows: size } = row as Record<string, unknown>
      return [String(name), String(count), String(size), String(indexes)]
    })
  )
}, Effect.scoped)

const checked = Effect.fnUntraced(function* (admin: Redacted.Redacted) {
  const { ms, value } = yield* timed(checkLedger(admin))
  for (const { differences, first, name } of value) {
    console.log(`${name}: ${differences} differences`)
    for (const line of first) console.log(`  ${line}`)
  }
  yield* said("checked", ms)
})

const main = Effect.gen(function* () {
  const server = yield* EmbeddedPostgres.make()
  yield* migrate(server.url)
  const api = yield* prepareLogin(server.url, "api", Redacted.make(randomUUID()))
  const actor = yield* people(server.url)
  const { ms } = yield* timed(fillMonth(server.url, { ...MONTH, tenant: actor.tenantId, answers, users, keys }))
  yield* said(`${answers} answers of ${users} users written`, ms)
  const services = Layer.mergeAll(UsageReports.layer, GenerationStore.layer).pipe(
    Layer.provideMerge(Tenancy.layer),
    Layer.provideMerge(Pool.layer({ url: api, size: 4, acquireTimeout: "5 seconds", waiting: 100 }))
  )
  yield* Effect.gen(function* () {
    const fold = yield* timed(folded)
    yield* said(`${fold.value} folded, ${Math.round(fold.value / (fold.ms / 1000))} a second`, fold.ms)
    yield* report
    yield* shown
    const { ms, value } = yield* timed(exported)
    yield* said(`\n${value} exported`, ms)
  }).pipe(Effect.provideService(Actor, actor), Effect.provide(services))
  yield* checked(server.url)
  const built = yield* timed(rebuildUsage(server.url))
  yield* said(`${built.value} sums built again`, built.ms)
  yield* checked(server.url)
  yield* sizes(server.url)
}).pipe(Effect.scoped, Effect.provideService(Roles, roleNames(DEFAULT_PREFIX)))

await Effect.runPromise(main)

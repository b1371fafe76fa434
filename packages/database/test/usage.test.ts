import { assert, describe, it } from "@effect/vitest"
import { DEFAULT_PREFIX, roleNames, Roles } from "@llm-saas/database/logins/Roles"
import { checkLedger } from "@llm-saas/database/ledger/LedgerCheck"
import { rebuildUsage } from "@llm-saas/database/ledger/UsageRebuild"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Fiber } from "effect"
import * as fc from "fast-check"
import { randomUUID } from "node:crypto"
import { enter, type Entry } from "./LedgerRows.ts"
import { inRoom, office, type Person, untilBlocked } from "./Questions.ts"
import { open, type Session, stateOf } from "./Session.ts"

const fold = (session: Session, limit = 100, tenant: string | null = null) =>
  Effect.map(session.rows("select work.fold_usage($1, $2) as count", [limit, tenant]), ([row]) =>
    Number(row?.["count"])
  )

const foldAll = Effect.fnUntraced(function* (session: Session, limit = 100) {
  let folded = 0
  while (true) {
    const count = yield* fold(session, limit)
    folded += count
    if (count === 0) return folded
  }
})

/** What does not agree in the books, in words. */
const differences = Effect.gen(function* () {
  const { adminUrl } = yield* TestDatabase
  return (yield* checkLedger(adminUrl)).flatMap(({ first }) => first)
}).pipe(Effect.provideService(Roles, roleNames(DEFAULT_PREFIX)))

const rebuild = Effect.flatMap(TestDatabase, ({ adminUrl }) => rebuildUsage(adminUrl)).pipe(
  Effect.provideService(Roles, roleNames(DEFAULT_PREFIX))
)

const days = (superuser: Session, { tenant }: Person) =>
  superuser.rows(
    `select day::text, user_id, key_id, model, door, requests::int, errors::int, unpriced::int, counts, tenant_amount, provider_amount
     from app.usage_days where tenant_id = $1 and grain = 'both' order by day, user_id, key_id, model, door`,
    [tenant]
  )

const NOBODY = "00000000-0000-0000-0000-000000000000"
const KEY = "11111111-1111-4111-8111-111111111111"

describe("the sums by day", () => {
  it.effect("have requests, errors, tokens by unit, amounts and durations, by user, key, model and door", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      yield* enter(superuser, alice, [
        { units: { input: 10, output: 5 }, amount: "0.000015", latency_ms: 1000, first_token_ms: 100 },
        { units: { input: 1, cache_read: 7.5 }, amount: "0.1", latency_ms: 1000, first_token_ms: null },
        { status: "failed", amount: "0", latency_ms: 3 },
        { key: KEY, door: "chat.completions", status: "cancelled", units: { output: 2 } },
        { kind: "correction", amount: "-0.1", owed: "-0.05" },
        { at: "2026-11-01T23:59:59.999Z", status: "interrupted" },
        { at: "2026-11-02T00:00:00Z" }
      ])
      assert.strictEqual(yield* foldAll(api), 7)
      const common = { user_id: alice.user, key_id: NOBODY, model: "model", door: "messages" }
      const nothing = {
        errors: 0,
        unpriced: 0,
        counts: {},
        tenant_amount: "0",
        provider_amount: "0"
      }
      assert.deepStrictEqual(yield* days(superuser, alice), [
        {
          ...common,
          ...nothing,
          day: "2026-11-01",
          door: "correction",
          requests: 0,
          tenant_amount: "-0.1",
          provider_amount: "0.05"
        },
        {
          ...common,
          day: "2026-11-01",
          requests: 4,
          errors: 2,
          unpriced: 0,
          counts: { input: 11, output: 5, cache_read: 7.5, "latency/79": 2, "first_token/53": 1 },
          tenant_amount: "0.100015",
          provider_amount: "-0.0000235"
        },
        {
          ...common,
          ...nothing,
          day: "2026-11-01",
          key_id: KEY,
          door: "chat.completions",
          requests: 1,
          counts: { output: 2 },
          provider_amount: "-0.000002"
        },
        { ...common, ...nothing, day: "2026-11-02", requests: 1, counts: { "latency/79": 1, "first_token/53": 1 } }
      ])
      assert.deepStrictEqual(yield* differences, [])
    }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer, { local: true }))
  )

  it.effect(
    "are the user's own in the room, and the tenant's for its admins; what the provider is owed is nobody's",
    () =>
      Effect.gen(function* () {
        const { admin, alice, api, bob, superuser } = yield* office
        yield* enter(superuser, alice, [{ amount: "0.5", units: { input: 1 } }])
        yield* enter(superuser, bob, [{ amount: "0.25" }])
        const seen = (who: Person) =>
          Effect.map(
            inRoom(
              api,
              who,
              "select user_id, tenant_amount from app.usage_days where grain = 'both' order by tenant_amount"
            ),
            (rows) => rows.map(({ user_id }) => user_id)
          )
        const queued = (who: Person) =>
          Effect.map(
            inRoom(
              api,
              who,
              "select u.user_id, u.counts from app.usage_queue q cross join lateral app.usage_of(q.tenant_id, q.ledger_id) u where grain = 'both' order by u.tenant_amount"
            ),
            (rows) => rows.map(({ user_id }) => user_id)
          )
        assert.deepStrictEqual(yield* queued(alice), [alice.user])
        assert.deepStrictEqual(yield* queued(admin), [bob.user, alice.user])
        yield* foldAll(api)
        assert.deepStrictEqual(yield* seen(alice), [alice.user])
        assert.deepStrictEqual(yield* seen(bob), [bob.user])
        assert.deepStrictEqual(yield* seen(admin), [bob.user, alice.user])
        assert.deepStrictEqual(yield* queued(admin), [])
        for (const statement of [
          "select provider_amount from app.usage_days",
          "select items from app.ledger",
          "select margin_amount from app.ledger",
          "delete from app.usage_days",
          "update app.usage_days set requests = 0",
          "insert into app.usage_queue select tenant_id, id from app.ledger"
        ])
          assert.strictEqual(yield* stateOf(inRoom(api, admin, statement)), "42501", statement)
      }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer, { local: true }))
  )

  it.effect("are folded by two processes at once, and none is lost or doubled", () =>
    Effect.gen(function* () {
      const { alice, another, api, bob, superuser } = yield* office
      const other = yield* another
      for (const who of [alice, bob])
        yield* enter(
          superuser,
          who,
          Array.from({ length: 300 }, (_, n): Entry => ({
            model: `model-${n % 3}`,
            amount: "0.01",
            units: { input: n, output: 1 }
          }))
        )
      const [first, second] = yield* Effect.all([foldAll(api, 7), foldAll(other, 11)], { concurrency: 2 })
      // A process that found only rows taken by the other stopped: what is left is folded now.
      const rest = yield* foldAll(api)
      assert.strictEqual(first + second + rest, 600)
      assert.deepStrictEqual(yield* differences, [])
      const [total] = yield* superuser.rows(
        "select sum(requests)::int as requests, sum(tenant_amount) as owed from app.usage_days where tenant_id = $1 and grain = 'model'",
        [alice.tenant]
      )
      assert.deepStrictEqual(total, { requests: 600, owed: "6.00" })
    }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer, { local: true }))
  )

  it.effect("lose nothing with a process that is killed between taking rows and adding them", () =>
    Effect.gen(function* () {
      const { alice, another, api, superuser } = yield* office
      yield* enter(superuser, alice, [{ amount: "1" }])
      yield* foldAll(api)
      yield* enter(superuser, alice, [{ amount: "2" }, { amount: "3" }])
      const holder = yield* another
      const killed = yield* another
      const third = yield* another
      // The first has added to the sum and not committed: the second has taken the other row, and waits for the sum.
      yield* holder.rows("begin")
      assert.strictEqual(yield* fold(holder, 1, alice.tenant), 1)
      const [pid] = yield* killed.rows("select pg_backend_pid() as pid")
      const waiting = yield* Effect.forkChild(stateOf(fold(killed, 1, alice.tenant)))
      yield* untilBlocked(superuser)
      assert.strictEqual(yield* fold(third, 10, alice.tenant), 0)
      assert.deepStrictEqual(yield* differences, [])
      yield* superuser.rows("select pg_terminate_backend($1)", [pid?.["pid"]])
      assert.notStrictEqual(yield* Fiber.join(waiting), "fine")
      yield* holder.rows("rollback")
      assert.strictEqual(yield* fold(third, 10, alice.tenant), 2)
      assert.deepStrictEqual(yield* differences, [])
      const [sum] = yield* days(superuser, alice)
      assert.strictEqual(sum?.["tenant_amount"], "6")
    }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer, { local: true }))
  )

  it.effect(
    "with the queue are the ledger's plain sum at any moment, whatever is written, folded, undone and built again",
    () =>
      Effect.gen(function* () {
        const { alice, another, bob, superuser } = yield* office
        const folders = [yield* another, yield* another]
        const writer = yield* open((yield* TestDatabase).adminUrl)
        const run = (steps: ReadonlyArray<Step>, folds: ReadonlyArray<ReadonlyArray<Fold>>) =>
          Effect.all(
            [
              Effect.forEach(steps, ({ entries, who }) => enter(writer, who === 0 ? alice : bob, entries)),
              ...folders.map((session, n) => Effect.forEach(folds[n] ?? [], (step) => folded(session, step))),
              Effect.forEach(Array.from({ length: 4 }), () =>
                Effect.map(differences, (found) => assert.deepStrictEqual(found, []))
              ),
              rebuild
            ],
            { concurrency: "unbounded", discard: true }
          )
        for (const [steps, folds] of fc.sample(RUN, 15)) yield* run(steps, folds)
        yield* foldAll(folders[0] ?? writer)
        assert.deepStrictEqual(yield* differences, [])
        const [queue] = yield* superuser.rows("select count(*)::int as count from app.usage_queue")
        assert.strictEqual(queue?.["count"], 0)
      }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer, { local: true }))
  )

  it.effect("that are wrong are told, and are right again when they are built again", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      const [id] = yield* enter(superuser, alice, [{ amount: "1", units: { input: 3 } }])
      yield* foldAll(api)
      yield* enter(superuser, alice, [{ amount: "2" }])
      yield* superuser.rows(
        "update app.usage_days set requests = 9, tenant_amount = 0.5 where tenant_id = $1 and grain = 'user'",
        [alice.tenant]
      )
      const where = `tenant ${alice.tenant}, 2026-11-01, by user: user ${alice.user}, key ${NOBODY}, model , `
      assert.deepStrictEqual(yield* differences, [
        `${where}: amount of the tenant is 2.5, and 3 in the ledger`,
        `${where}: answers is 10, and 2 in the ledger`
      ])
      yield* rebuild
      assert.deepStrictEqual(yield* differences, [])
      yield* superuser.rows("update app.generations set cost_usd = 1.5 where id = $1", [id])
      assert.deepStrictEqual(yield* differences, [`tenant ${alice.tenant}: answer ${id} cost 1.5, and 1 in the ledger`])
      yield* superuser.rows("update app.generations set cost_usd = null where id = $1", [id])
      const unknown = randomUUID()
      yield* superuser.rows(
        "insert into app.ledger (tenant_id, id, kind, generation_id, provider, model, tenant_amount, provider_amount, margin_amount) values ($1, $2, 'usage', $2, 'p', 'm', 1, -1, 0)",
        [alice.tenant, unknown]
      )
      assert.includeMembers(
        [...(yield* differences)],
        [
          `tenant ${alice.tenant}: entry ${unknown} is of no answer`,
          `tenant ${alice.tenant}, entry ${unknown}: the provider is owed 1, and the items cost 0`
        ]
      )
    }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer, { local: true }))
  )
})

interface Step {
  readonly who: number
  readonly entries: ReadonlyArray<Entry>
}

const ENTRY: fc.Arbitrary<Entry> = fc.record({
  kind: fc.constantFrom("usage", "usage", "correction"),
  key: fc.constantFrom(null, KEY),
  model: fc.constantFrom("a", "b"),
  status: fc.constantFrom("completed", "failed"),
  at: fc.constantFrom("2026-11-01T23:59:59.9Z", "2026-11-02T00:00:00Z"),
  latency_ms: fc.integer({ min: 0, max: 10_000 }),
  first_token_ms: fc.option(fc.integer({ min: 0, max: 10_000 }), { nil: null }),
  units: fc.dictionary(fc.constantFrom("input", "output", "searches"), fc.integer({ min: 0, max: 1000 })),
  amount: fc.integer({ min: -1000, max: 1000 }).map((millionths) => (millionths / 1e6).toFixed(6))
})

const STEP: fc.Arbitrary<Step> = fc.record({ who: fc.nat(1), entries: fc.array(ENTRY, { maxLength: 5 }) })

interface Fold {
  readonly limit: number
  readonly kept: boolean
}

const FOLD: fc.Arbitrary<Fold> = fc.record({ limit: fc.integer({ min: 1, max: 5 }), kept: fc.boolean() })

const RUN = fc.tuple(
  fc.array(STEP, { maxLength: 6 }),
  fc.array(fc.array(FOLD, { maxLength: 6 }), { minLength: 2, maxLength: 2 })
)

const folded = (session: Session, { kept, limit }: Fold) =>
  session
    .rows("begin")
    .pipe(Effect.andThen(fold(session, limit)), Effect.andThen(session.rows(kept ? "commit" : "rollback")))

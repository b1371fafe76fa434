import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Fiber } from "effect"
import { randomUUID } from "node:crypto"
import { admit, amounts, limit, settle } from "./Admissions.ts"
import { abandon, office, sweep, untilBlocked } from "./Questions.ts"
import { open, stateOf } from "./Session.ts"

/** Another connection of the administrator: one in a transaction sees what waits only once. */
const watcher = Effect.flatMap(TestDatabase, ({ adminUrl }) => open(adminUrl))

layer(TestDatabase.layer)("the first admissions of a subject", (it) => {
  it.effect("wait for each other, and never in a circle", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      const key = randomUUID()
      yield* limit(superuser, alice.tenant, `key:${key}`, { requests_per_minute: 10 })
      yield* limit(superuser, alice.tenant, `user:${alice.user}`, { requests_per_minute: 10 })
      yield* superuser.rows("insert into app.rates (tenant_id, subject) values ($1, $2)", [
        alice.tenant,
        `user:${alice.user}`
      ])
      // Another admission has made the key's row, and will lock the user's.
      yield* superuser.rows("begin")
      yield* superuser.rows("insert into app.rates (tenant_id, subject) values ($1, $2)", [alice.tenant, `key:${key}`])
      const admission = yield* Effect.forkChild(admit(api, alice, { key }))
      yield* untilBlocked(yield* watcher)
      const state = yield* stateOf(
        superuser.rows("select from app.rates where tenant_id = $1 order by subject for update nowait", [alice.tenant])
      )
      yield* superuser.rows("commit")
      assert.strictEqual(state, "fine")
      assert.strictEqual((yield* Fiber.join(admission)).outcome, "asked")
    }).pipe(Effect.scoped)
  )

  it.effect("wait for no sweep that waits for them", () =>
    Effect.gen(function* () {
      const { alice, another, api, superuser } = yield* office
      yield* limit(superuser, alice.tenant, "tenant", { tokens_per_minute: 1000 })
      yield* limit(superuser, alice.tenant, `user:${alice.user}`, { tokens_per_minute: 1000 })
      yield* settle(api, yield* admit(api, alice, { estimate: 10 }), 5)
      yield* superuser.rows("update app.counter_changes set at = at - interval '1 minute' where tenant_id = $1", [
        alice.tenant
      ])
      // As after a crash, which empties unlogged tables.
      yield* superuser.rows("delete from app.rates where tenant_id = $1 and subject <> 'tenant'", [alice.tenant])
      yield* superuser.rows("begin")
      yield* superuser.rows("insert into app.rates (tenant_id, subject) values ($1, $2)", [
        alice.tenant,
        `user:${alice.user}`
      ])
      const swept = yield* Effect.forkChild(sweep(yield* another))
      yield* untilBlocked(yield* watcher)
      const state = yield* stateOf(
        superuser.rows("select from app.rates where tenant_id = $1 order by subject for update nowait", [alice.tenant])
      )
      yield* superuser.rows("commit")
      assert.strictEqual(state, "fine")
      yield* Fiber.join(swept)
    }).pipe(Effect.scoped)
  )
})

layer(TestDatabase.layer)("absurd numbers", (it) => {
  it.effect("of one tenant do not stop the sweep of all", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      yield* limit(superuser, alice.tenant, "tenant", { tokens_per_minute: 1 })
      const absurd = yield* admit(api, alice, { estimate: Number.MAX_SAFE_INTEGER * 128 })
      assert.strictEqual(absurd.outcome, "asked")
      yield* settle(api, absurd, 1)
      yield* superuser.rows("update app.counter_changes set at = at - interval '1 minute' where tenant_id = $1", [
        alice.tenant
      ])
      assert.strictEqual(yield* sweep(api), 0)
      assert.deepStrictEqual(
        yield* superuser.rows("select from app.counter_changes where tenant_id = $1", [alice.tenant]),
        []
      )
      assert.strictEqual((yield* admit(api, alice, { estimate: 1 })).outcome, "asked")
    }).pipe(Effect.scoped)
  )

  it.effect("of 18 digits, with a markup, are kept to the last one", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      yield* superuser.rows("update app.tenants set markup = 1.000001 where id = $1", [alice.tenant])
      // The worst case with its markup is 0.000000000000000003000003: three digits more than a budget has.
      const worst = "0.000000000000000003"
      yield* limit(superuser, alice.tenant, "tenant", { budget: "0.000000000000000009", budget_period: "total" })
      const outcomes = []
      for (let n = 0; n < 3; n++) outcomes.push((yield* admit(api, alice, { worst })).outcome)
      assert.deepStrictEqual(outcomes, ["asked", "asked", "reserved"])
      assert.deepStrictEqual(yield* amounts(superuser, alice.tenant), [
        { ledger: "0", spent: "0", reserved: "0.000000000000000006000006" }
      ])
    }).pipe(Effect.scoped)
  )
})

layer(TestDatabase.layer)("budgets", (it) => {
  it.effect("begin anew with each period; what was admitted before counts where it was admitted", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      yield* limit(superuser, alice.tenant, "tenant", { budget: "1", budget_period: "day" })
      const before = yield* admit(api, alice, { worst: "0.9" })
      assert.strictEqual((yield* admit(api, alice, { worst: "0.2" })).outcome, "reserved")
      // Midnight: what is of today becomes yesterday's.
      yield* superuser.rows(
        "update app.budget_periods set starts_at = starts_at - interval '1 day' where tenant_id = $1",
        [alice.tenant]
      )
      yield* superuser.rows(
        `update app.generations set admission = jsonb_set(admission, '{taken,0,starts_at}',
           to_jsonb((admission #>> '{taken,0,starts_at}')::timestamptz - interval '1 day')) where id = $1`,
        [before.generation]
      )
      const after = yield* admit(api, alice, { worst: "1" })
      assert.strictEqual(after.outcome, "asked")
      yield* settle(api, before, 80)
      yield* settle(api, after, 30)
      assert.strictEqual((yield* admit(api, alice, { worst: "0.7" })).outcome, "asked")
      assert.deepStrictEqual(
        yield* superuser.rows(
          `select (starts_at = date_trunc('day', now(), 'UTC')) as today, trim_scale(spent)::text as spent, trim_scale(reserved)::text as reserved
           from app.budget_periods where tenant_id = $1 order by 1`,
          [alice.tenant]
        ),
        [
          { today: false, spent: "0.8", reserved: "0" },
          { today: true, spent: "0.3", reserved: "0.7" }
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("are charged for a lost answer what the model was sent, and no more than was reserved", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      yield* limit(superuser, alice.tenant, "tenant", { budget: "1", budget_period: "total" })
      const price = { price_id: null, price: "0.01" }
      const prices = { input: { ...price, tokens: 50 }, output: { ...price, tokens: 3 } }
      const lost = yield* admit(api, alice, { worst: "0.53", prices })
      yield* api.rows("select * from work.append($1, array[$2::uuid], array[$3::uuid], array[1], array[$4])", [
        lost.lease,
        alice.tenant,
        lost.generation,
        JSON.stringify(["a".repeat(400)])
      ])
      yield* abandon(superuser, { ...lost, tenant: alice.tenant } as never)
      yield* sweep(api)
      assert.deepStrictEqual(yield* amounts(superuser, alice.tenant), [
        { ledger: "0.53", spent: "0.53", reserved: "0.00" }
      ])
    }).pipe(Effect.scoped)
  )

  it.effect("may be changed while answers run: below what is spent, away and back", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      const set = (budget: string) => limit(superuser, alice.tenant, "tenant", { budget, budget_period: "total" })
      yield* set("1")
      const one = yield* admit(api, alice, { worst: "0.5" })
      const two = yield* admit(api, alice, { worst: "0.5" })
      yield* set("0.4")
      assert.strictEqual((yield* admit(api, alice, { worst: "0.1" })).outcome, "reserved")
      yield* settle(api, one, 45)
      const below = yield* admit(api, alice, { worst: "0.1" })
      assert.deepInclude(below.refusal, { resource: "budget", amount: "0.4", left: "0" })
      assert.strictEqual(below.outcome, "refused")
      yield* superuser.rows("delete from app.limits where tenant_id = $1", [alice.tenant])
      const free = yield* admit(api, alice, { worst: "5" })
      assert.strictEqual(free.outcome, "asked")
      yield* settle(api, two, 5)
      yield* settle(api, free, 500)
      yield* set("1")
      // What was asked while there was no budget is not counted.
      assert.strictEqual((yield* admit(api, alice, { worst: "0.5" })).outcome, "asked")
      assert.deepStrictEqual(
        (yield* amounts(superuser, alice.tenant)).map(({ reserved, spent }) => [Number(spent), Number(reserved)]),
        [[0.5, 0.5]]
      )
    }).pipe(Effect.scoped)
  )
})

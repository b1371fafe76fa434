import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import * as fc from "fast-check"
import { randomUUID } from "node:crypto"
import { admit, admitTogether, type Admitted, amounts, limit, settle } from "./Admissions.ts"
import { abandon, office, sweep } from "./Questions.ts"

layer(TestDatabase.layer)("limits", (it) => {
  it.effect("let through what there is room for, and say whose limit it is and when to come back", () =>
    Effect.gen(function* () {
      const { alice, api, bob, superuser } = yield* office
      yield* limit(superuser, alice.tenant, `user:${alice.user}`, { requests_per_minute: 3 })
      const outcomes = yield* Effect.forEach([1, 2, 3, 4], () => admit(api, alice))
      assert.deepStrictEqual(
        outcomes.map(({ outcome }) => outcome),
        ["asked", "asked", "asked", "refused"]
      )
      assert.deepStrictEqual(outcomes[3]?.refusal, { scope: "user", resource: "requests", limit: 3, retry_after: 20 })
      assert.deepInclude(outcomes[0]?.row?.["standing"], { requests: { limit: 3, remaining: 2, reset_ms: 20000 } })
      // Another user has a limit of their own.
      assert.strictEqual((yield* admit(api, bob)).outcome, "asked")
      // After twenty seconds there is room for one more.
      yield* superuser.rows(
        "update app.rates set requests_at = requests_at - interval '20 seconds' where tenant_id = $1",
        [alice.tenant]
      )
      const later = yield* Effect.forEach([1, 2], () => admit(api, alice))
      assert.deepStrictEqual(
        later.map(({ outcome }) => outcome),
        ["asked", "refused"]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("are all checked before any is taken", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      yield* limit(superuser, alice.tenant, "tenant", { requests_per_minute: 100, budget: "1", budget_period: "day" })
      yield* limit(superuser, alice.tenant, "model:model", { requests_per_minute: 1 })
      assert.strictEqual((yield* admit(api, alice, { worst: "0.1" })).outcome, "asked")
      const before = yield* superuser.rows(
        "select subject, requests_at from app.rates where tenant_id = $1 order by 1",
        [alice.tenant]
      )
      const refused = yield* admit(api, alice, { worst: "0.1" })
      assert.deepInclude(refused.refusal, { scope: "model", resource: "requests", limit: 1 })
      assert.deepStrictEqual(
        yield* superuser.rows("select subject, requests_at from app.rates where tenant_id = $1 order by 1", [
          alice.tenant
        ]),
        before
      )
      assert.deepStrictEqual(yield* amounts(superuser, alice.tenant), [{ ledger: "0", spent: "0", reserved: "0.1" }])
      assert.strictEqual((yield* admit(api, alice, { worst: "0.1", model: "another" })).outcome, "asked")
    }).pipe(Effect.scoped)
  )

  it.effect("of tokens take the estimate, and are corrected by what was used", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      yield* limit(superuser, alice.tenant, "tenant", { tokens_per_minute: 1000 })
      const first = yield* admit(api, alice, { estimate: 900 })
      assert.deepInclude((yield* admit(api, alice, { estimate: 200 })).refusal, { scope: "tenant", resource: "tokens" })
      yield* settle(api, first, 100)
      const second = yield* admit(api, alice, { estimate: 800 })
      assert.strictEqual(second.outcome, "asked")
      // It used more than was estimated: that is owed.
      yield* settle(api, second, 1900)
      const third = yield* admit(api, alice, { estimate: 1 })
      assert.deepInclude(third.refusal, { scope: "tenant", resource: "tokens", limit: 1000 })
      // 2,000 tokens in about a second: a minute later there would be room again.
      const wait = (third.refusal as { readonly retry_after: number }).retry_after
      assert.isAtLeast(wait, 58)
      assert.isAtMost(wait, 61)
      // A single question of more than a minute's tokens is let through when nothing is used.
      yield* superuser.rows("delete from app.rates where tenant_id = $1", [alice.tenant])
      assert.strictEqual((yield* admit(api, alice, { estimate: 5000 })).outcome, "asked")
    }).pipe(Effect.scoped)
  )

  it.effect("of concurrent answers count leases: an ended answer and a lost process make room", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      const key = randomUUID()
      yield* limit(superuser, alice.tenant, `key:${key}`, { concurrent: 2 })
      const one = yield* admit(api, alice, { key })
      const two = yield* admit(api, alice, { key })
      assert.deepInclude((yield* admit(api, alice, { key })).refusal, {
        scope: "key",
        resource: "concurrent",
        limit: 2
      })
      assert.strictEqual((yield* admit(api, alice)).outcome, "asked")
      yield* settle(api, one, 1)
      assert.strictEqual((yield* admit(api, alice, { key })).outcome, "asked")
      assert.strictEqual((yield* admit(api, alice, { key })).outcome, "refused")
      yield* superuser.rows("update app.generations set lease_until = now() - interval '1 second' where id = $1", [
        two.generation
      ])
      assert.strictEqual((yield* admit(api, alice, { key })).outcome, "asked")
    }).pipe(Effect.scoped)
  )

  it.effect("are exact for many at once on many connections, and never refuse while there is room", () =>
    Effect.gen(function* () {
      const { alice, another, superuser } = yield* office
      yield* limit(superuser, alice.tenant, "tenant", { requests_per_minute: 30 })
      yield* limit(superuser, alice.tenant, "user", { requests_per_minute: 50, tokens_per_minute: 1_000_000 })
      const sessions = yield* Effect.all(Array.from({ length: 8 }, () => another))
      const from = Date.now()
      const all = yield* Effect.forEach(
        sessions,
        (session) => Effect.forEach([1, 2, 3, 4, 5, 6, 7, 8], () => admit(session, alice)),
        { concurrency: "unbounded" }
      )
      // The minute goes on meanwhile: one more every two seconds.
      const more = Math.ceil((Date.now() - from) / 2000)
      const admitted = all.flat().filter(({ outcome }) => outcome === "asked").length
      assert.isAtLeast(admitted, 30)
      assert.isAtMost(admitted, 30 + more)
    }).pipe(Effect.scoped)
  )

  it.effect("wait for no other admission on a connection that others share", () =>
    Effect.gen(function* () {
      const { alice, another, api, superuser } = yield* office
      yield* limit(superuser, alice.tenant, "tenant", { requests_per_minute: 30 })
      assert.strictEqual((yield* admit(api, alice, { may_wait: false })).outcome, "busy")
      assert.strictEqual((yield* admit(api, alice)).outcome, "asked")
      const other = yield* another
      yield* superuser.rows("begin")
      yield* superuser.rows("select from app.rates where tenant_id = $1 for update", [alice.tenant])
      const busy = yield* admit(other, alice, { may_wait: false })
      yield* superuser.rows("rollback")
      assert.strictEqual(busy.outcome, "busy")
      assert.deepStrictEqual(
        yield* superuser.rows("select count(*)::int as count from app.generations where id = $1", [busy.generation]),
        [{ count: 0 }]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("make nobody wait for longer after the clock stepped back", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      yield* limit(superuser, alice.tenant, "tenant", { requests_per_minute: 60, tokens_per_minute: 60 })
      yield* admit(api, alice)
      yield* superuser.rows(
        "update app.rates set requests_at = now() + interval '1 day', tokens_at = now() + interval '1 day' where tenant_id = $1",
        [alice.tenant]
      )
      const { refusal } = yield* admit(api, alice)
      assert.isAtMost((refusal as { readonly retry_after: number }).retry_after, 600)
    }).pipe(Effect.scoped)
  )
})

layer(TestDatabase.layer)("budgets", (it) => {
  it.effect("reserve the worst case, settle what it was, and tell whose is gone until when", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      yield* limit(superuser, alice.tenant, "tenant", { budget: "1", budget_period: "month", alert_at: [50, 90] })
      const first = yield* admit(api, alice, { worst: "0.6" })
      const second = yield* admit(api, alice, { worst: "0.6" })
      assert.strictEqual(second.outcome, "reserved")
      yield* settle(api, first, 55)
      const third = yield* admit(api, alice, { worst: "0.45" })
      assert.strictEqual(third.outcome, "asked")
      yield* settle(api, third, 45)
      const fourth = yield* admit(api, alice, { worst: "0.01" })
      const [month] = yield* superuser.rows(
        "select (date_trunc('month', now(), 'UTC') + interval '1 month')::timestamptz as until"
      )
      const { until, ...refusal } = fourth.refusal as { readonly until: string }
      assert.deepStrictEqual(refusal, {
        scope: "tenant",
        resource: "budget",
        amount: "1",
        period: "month",
        left: "0.00"
      })
      assert.strictEqual(Date.parse(until), Number(month?.["until"]))
      assert.deepStrictEqual(yield* amounts(superuser, alice.tenant), [
        { ledger: "1.00", spent: "1.00", reserved: "0.00" }
      ])
      assert.deepStrictEqual(
        yield* superuser.rows(
          "select detail ->> 'percent' as percent from app.audit_events where tenant_id = $1 and action = 'budget.alert' order by at",
          [alice.tenant]
        ),
        [{ percent: "50" }, { percent: "90" }]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("count what the tenant owes, with its markup; a model without a price is refused", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      yield* superuser.rows("update app.tenants set markup = 2 where id = $1", [alice.tenant])
      yield* limit(superuser, alice.tenant, `user:${alice.user}`, { budget: "1", budget_period: "total" })
      assert.strictEqual((yield* admit(api, alice)).outcome, "unpriced")
      assert.strictEqual((yield* admit(api, alice, { worst: "0.51" })).outcome, "refused")
      const one = yield* admit(api, alice, { worst: "0.5" })
      yield* settle(api, one, 10)
      assert.deepStrictEqual(
        yield* superuser.rows(
          `select l.tenant_amount::text, l.provider_amount::text, l.margin_amount::text, g.cost_usd::text
           from app.ledger l join app.generations g on g.id = l.id where l.id = $1`,
          [one.generation]
        ),
        [{ tenant_amount: "0.20", provider_amount: "-0.10", margin_amount: "-0.10", cost_usd: "0.20" }]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("get back what a lost process reserved, less what it delivered", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      yield* limit(superuser, alice.tenant, "tenant", { budget: "1", budget_period: "day", tokens_per_minute: 100_000 })
      const lost = yield* admit(api, alice, { worst: "0.9", estimate: 1000 })
      yield* api.rows(
        "select * from work.append($1, array[$2::uuid], array[$3::uuid], array[1], array['[\"12345678\"]'])",
        [lost.lease, alice.tenant, lost.generation]
      )
      yield* abandon(superuser, { ...lost, tenant: alice.tenant } as never)
      assert.strictEqual(yield* sweep(api), 1)
      // One token in, by our estimate of the question, and two out.
      assert.deepStrictEqual(yield* amounts(superuser, alice.tenant), [
        { ledger: "0.03", spent: "0.03", reserved: "0.0" }
      ])
      assert.strictEqual((yield* admit(api, alice, { worst: "0.9" })).outcome, "asked")
    }).pipe(Effect.scoped)
  )

  it.effect("agree with the ledger whatever happens in which order", () =>
    Effect.gen(function* () {
      const { alice, another, api, bob, superuser } = yield* office
      const other = yield* another
      const key = randomUUID()
      const step = fc.oneof(
        fc.record({
          do: fc.constant("ask" as const),
          who: fc.boolean(),
          keyed: fc.boolean(),
          worst: fc.integer({ min: 0, max: 40 })
        }),
        fc.record({
          do: fc.constant("together" as const),
          keyed: fc.boolean(),
          worst: fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 6 })
        }),
        fc.record({ do: fc.constant("end" as const), which: fc.nat(), tokens: fc.integer({ min: 0, max: 50 }) }),
        fc.record({ do: fc.constant("lose" as const), which: fc.nat() }),
        fc.record({ do: fc.constant("sweep" as const) })
      )
      yield* limit(superuser, alice.tenant, "tenant", { budget: "2", budget_period: "month" })
      yield* limit(superuser, alice.tenant, "user", { budget: "1", budget_period: "month", tokens_per_minute: 10_000 })
      yield* limit(superuser, alice.tenant, `key:${key}`, { budget: "0.70", budget_period: "day" })
      const running: Array<Admitted> = []
      const take = (which: number) => running.splice(which % Math.max(running.length, 1), 1)[0]
      const run = (steps: ReadonlyArray<typeof step extends fc.Arbitrary<infer A> ? A : never>) =>
        Effect.gen(function* () {
          for (const [n, one] of steps.entries()) {
            const session = n % 2 === 0 ? api : other
            if (one.do === "ask") {
              const terms = { worst: String(one.worst / 100), ...(one.keyed ? { key } : {}) }
              const admitted = yield* admit(session, one.who ? alice : bob, terms)
              if (admitted.outcome === "asked") running.push(admitted)
              else assert.include(["refused", "reserved"], admitted.outcome)
            } else if (one.do === "together") {
              const terms = one.worst.map((worst) => ({ worst: String(worst / 100) }))
              for (const admitted of yield* admitTogether(session, alice, terms, one.keyed ? key : null))
                if (admitted.outcome === "asked") running.push(admitted)
                else assert.include(["refused", "reserved"], admitted.outcome)
            } else if (one.do === "sweep") yield* sweep(session)
            else {
              const found = take(one.which)
              if (found === undefined) continue
              if (one.do === "end") yield* settle(session, found, one.tokens)
              else yield* abandon(superuser, { ...found } as never)
            }
          }
          yield* Effect.forEach(running.splice(0), (each) => settle(api, each, 1))
          yield* sweep(api)
          const rows = yield* superuser.rows(
            `select b.subject, b.reserved + coalesce(-c.released, 0) as reserved, (b.spent + coalesce(c.spent, 0) - coalesce(l.amount, 0)) as difference
             from app.budget_periods b
             left join lateral (
               select sum(c.released) as released, sum(c.spent) as spent from app.counter_changes c
               where c.tenant_id = b.tenant_id and c.subject = b.subject and c.period = b.period
             ) c on true
             left join lateral (
               select sum(l.tenant_amount) as amount from app.ledger l where l.tenant_id = b.tenant_id and (
                 b.subject = 'tenant' or b.subject = 'user:' || l.user_id or b.subject = 'key:' || l.key_id
               )
             ) l on true
             where b.tenant_id = $1`,
            [alice.tenant]
          )
          for (const row of rows) {
            assert.strictEqual(Number(row["reserved"]), 0, `${String(row["subject"])} reserved`)
            assert.strictEqual(Number(row["difference"]), 0, `${String(row["subject"])} spent`)
          }
        })
      yield* Effect.forEach(fc.sample(fc.array(step, { minLength: 5, maxLength: 25 }), 30), run)
    }).pipe(Effect.scoped)
  )
})

import { assert, layer } from "@effect/vitest"
import { Actor } from "@llm-saas/domain/Actor"
import { Unauthenticated } from "@llm-saas/domain/Refusal"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Exit, Layer, Schema } from "effect"
import * as fc from "fast-check"
import { randomUUID } from "node:crypto"
import { Pool } from "../src/connections/Pool.ts"
import { Tenancy } from "../src/Tenancy.ts"
import { admit, admitTogether, amounts, limit, settle } from "./Admissions.ts"
import { member } from "./Interleaved.ts"
import { askedQuestion, office } from "./Questions.ts"
import { open } from "./Session.ts"

const Asking = Tenancy.layer.pipe(
  Layer.provideMerge(
    Layer.unwrap(
      Effect.map(TestDatabase, ({ apiUrl }) =>
        Pool.layer({ url: apiUrl, size: 8, acquireTimeout: "30 seconds", waiting: 5000 })
      )
    )
  ),
  Layer.provideMerge(TestDatabase.layer)
)

const Row = Schema.Struct({ outcome: Schema.String, generation_id: Schema.NullOr(Schema.String) })

/** Asks so many questions of one caller at once, each with its own text. */
const questionsAtOnce = Effect.fnUntraced(function* (actor: Actor["Service"], texts: ReadonlyArray<string>) {
  const tenancy = yield* Tenancy
  const questions = texts.map((content) => ({ ...askedQuestion(randomUUID()), content }))
  const exits = yield* Effect.forEach(
    questions,
    (question) =>
      Effect.exit(Effect.flatMap(tenancy.ask(question), (row) => Effect.orDie(Schema.decodeUnknownEffect(Row)(row)))),
    { concurrency: "unbounded" }
  ).pipe(Effect.provideService(Actor, actor))
  return { questions, exits }
})

layer(Asking, { timeout: "60 seconds", excludeTestServices: true })("questions asked at once", (it) => {
  it.effect(
    "are stored in a few transactions, each under its own ids and text, and each caller's in their own room",
    () =>
      Effect.gen(function* () {
        const { adminUrl } = yield* TestDatabase
        const superuser = yield* open(adminUrl)
        const actors = [yield* member, yield* member]
        const texts = Array.from({ length: 40 }, (_, n) => `Question ${n}?`)
        const asked = yield* Effect.forEach(actors, (actor) => questionsAtOnce(actor, texts), { concurrency: 2 })
        for (const [n, { exits, questions }] of asked.entries()) {
          assert.deepStrictEqual(
            exits,
            questions.map(({ id }) => Exit.succeed({ outcome: "asked", generation_id: id }))
          )
          const rows = yield* superuser.rows(
            `select g.id, m.content, m.user_id as asker, g.user_id as spender, m.xmin::text as transaction
           from app.generations g join app.messages m on m.tenant_id = g.tenant_id and m.id = g.message_id
           where g.tenant_id = $1 order by m.content`,
            [actors[n]?.tenantId]
          )
          assert.deepStrictEqual(
            rows.map(({ asker, content, id, spender }) => ({ asker, content, id, spender })),
            questions
              .map(({ content, id }) => ({ asker: actors[n]?.userId, content, id, spender: actors[n]?.userId }))
              .toSorted((a, b) => (a.content < b.content ? -1 : 1))
          )
          // The first one alone, then 16 and 16 and the rest; or all begin together.
          assert.isAtMost(new Set(rows.map(({ transaction }) => transaction)).size, 5)
        }
      }).pipe(Effect.scoped)
  )

  it.effect("do not fail by the fault of one of them", () =>
    Effect.gen(function* () {
      const tenancy = yield* Tenancy
      const actor = yield* member
      const used = askedQuestion(randomUUID())
      const ask = (question: typeof used) => Effect.exit(Effect.provideService(tenancy.ask(question), Actor, actor))
      assert.isTrue(Exit.isSuccess(yield* ask(used)))
      const others = Array.from({ length: 6 }, () => askedQuestion(randomUUID()))
      const exits = yield* Effect.forEach([others[0] ?? used, used, ...others.slice(1)], ask, {
        concurrency: "unbounded"
      })
      // An id that is there already: our own bug, a defect.
      assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false, true, true, true, true, true])
    }).pipe(Effect.scoped)
  )

  it.effect("by a user who may not enter are refused, all of them, and leave nothing", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestDatabase
      const superuser = yield* open(adminUrl)
      const actor = yield* member
      const { exits } = yield* questionsAtOnce({ ...actor, tokenEpoch: 7 }, ["a", "b", "c", "d"])
      for (const exit of exits) assert.deepStrictEqual(exit, Exit.fail(new Unauthenticated({})))
      assert.deepStrictEqual(
        yield* superuser.rows("select from app.messages where tenant_id = $1", [actor.tenantId]),
        []
      )
    }).pipe(Effect.scoped)
  )

  it.effect("by the plan's word have no model that it does not have", () =>
    Effect.gen(function* () {
      const { alice, api, superuser } = yield* office
      yield* superuser.rows("update app.tenants set models = array['another'] where id = $1", [alice.tenant])
      const all = yield* admitTogether(api, alice, [{}, {}])
      assert.deepStrictEqual(
        all.map(({ outcome }) => outcome),
        ["not_allowed", "not_allowed"]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("are admitted by limits and budgets as they are one after the other", () =>
    Effect.forEach(fc.sample(limitsAndQuestions, 25), sameAsInARow)
  )
})

const limitsAndQuestions = fc.record({
  requests: fc.option(fc.integer({ min: 0, max: 8 })),
  tokens: fc.option(fc.integer({ min: 0, max: 2000 })),
  concurrent: fc.option(fc.integer({ min: 0, max: 6 })),
  budget: fc.option(fc.integer({ min: 0, max: 100 })),
  own: fc.option(fc.integer({ min: 0, max: 60 })),
  questions: fc.array(
    fc.record({
      estimate: fc.integer({ min: 1, max: 600 }),
      worst: fc.option(fc.integer({ min: 0, max: 40 })),
      used: fc.integer({ min: 0, max: 50 })
    }),
    { minLength: 1, maxLength: 8 }
  )
})

type Limited = typeof limitsAndQuestions extends fc.Arbitrary<infer A> ? A : never

const sameAsInARow = ({ budget, concurrent, own, questions, requests, tokens }: Limited) =>
  Effect.gen(function* () {
    const { alice, api, superuser } = yield* office
    const other = yield* office
    const terms = questions.map(({ estimate, worst }) => ({
      estimate,
      ...(worst === null ? {} : { worst: String(worst / 100) })
    }))
    for (const { tenant, user } of [alice, other.alice]) {
      yield* limit(superuser, tenant, "tenant", {
        requests_per_minute: requests,
        concurrent,
        ...(budget === null ? {} : { budget: String(budget / 100), budget_period: "month" })
      })
      yield* limit(superuser, tenant, `user:${user}`, {
        tokens_per_minute: tokens,
        ...(own === null ? {} : { budget: String(own / 100), budget_period: "total" })
      })
    }
    const together = yield* admitTogether(api, alice, terms)
    const each = yield* Effect.forEach(terms, (one) => admit(other.api, other.alice, one))
    // The minute goes on between two statements.
    const timeless = ({ outcome, refusal }: { readonly outcome: unknown; readonly refusal: unknown }) => [
      outcome,
      JSON.stringify(refusal).replace(/"(?:retry_after|until)": ?[^,}]+/gu, "")
    ]
    assert.deepStrictEqual(together.map(timeless), each.map(timeless))
    assert.deepStrictEqual(yield* amounts(superuser, alice.tenant), yield* amounts(superuser, other.alice.tenant))
    for (const [n, admitted] of together.entries())
      if (admitted.outcome === "asked") yield* settle(api, admitted, questions[n]?.used ?? 0)
    const [after] = yield* amounts(superuser, alice.tenant)
    assert.strictEqual(Number(after?.["reserved"]), 0)
    // Once by each budget.
    const budgets = [budget, own].filter((amount) => amount !== null).length
    assert.strictEqual(Number(after?.["spent"]).toFixed(2), (Number(after?.["ledger"]) * budgets).toFixed(2))
  }).pipe(Effect.scoped)

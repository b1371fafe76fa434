import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { signUp } from "../People.ts"
import { Running } from "../Running.ts"
import { accountOf, costOf, counted, differences, first, limit, makeKey, PRICED } from "./Account.ts"
import { Other } from "./TwoProcesses.ts"

const OPTIONS = { timeout: "120 seconds", excludeTestServices: true } as const

layer(Other.with(PRICED), OPTIONS)("200 questions at once at two processes", (it) => {
  for (const whose of ["key", "tenant", "user"] as const)
    it.effect(
      `against a budget of the ${whose} for 50 answers: 50 are answered, and the ledger has what they spent`,
      () =>
        Effect.gen(function* () {
          const one = yield* Running
          const other = yield* Other
          const stranger = yield* signUp(one.send)
          const content = "How much is it?"
          const cost = yield* costOf(one.send, stranger.token, content)
          const { id, tenant, token } = yield* signUp(one.send)
          const key = yield* makeKey(one.send, token)
          const subject = whose === "key" ? `key:${key.id}` : whose === "user" ? `user:${id}` : "tenant"
          yield* limit(tenant, subject, { budget: `50 * ${cost}`, budget_period: "'month'" })
          const answers = yield* Effect.forEach(
            Array.from({ length: 200 }, (_, n) => (n % 2 === 0 ? one : other)),
            ({ send }) => send("POST", "/messages", { token: key.key, json: { content } }),
            { concurrency: "unbounded" }
          )
          const outcome = { outcomes: counted(answers), ...(yield* accountOf(tenant)) }
          const { budget } = yield* first(`select trim_scale(50 * ${cost})::text as budget`)
          assert.deepStrictEqual(outcome, {
            outcomes: { "201": 50, "429 budget_exhausted": 150 },
            entries: 50,
            running: 0,
            ledger: String(budget),
            budgets: [{ subject, spent: String(budget), reserved: "0" }]
          })
          assert.deepStrictEqual(yield* differences, [])
        })
    )
})

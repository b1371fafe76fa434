import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { signUp } from "../People.ts"
import { Running } from "../Running.ts"
import { sendTo } from "../sse/Reading.ts"
import { accountOf, differences, ended, first, limit, makeKey, PRICED } from "./Account.ts"

const used = (tenant: string) =>
  first(
    `select (units -> 'input')::int as input, (units -> 'output')::int as output
     from app.ledger where tenant_id = '${tenant}' order by at desc limit 1`
  )

layer(Running.with({ ...PRICED, MOCK_TOKENS: "1000" }), { timeout: "120 seconds", excludeTestServices: true })(
  "an answer of which the provider counts nothing",
  (it) => {
    it.effect("costs all that the model was sent, and not only its last turn", () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const { tenant, token } = yield* signUp(send)
        const long = "word ".repeat(2000)
        const stream = yield* sendTo(port, "POST", "/v1/chat/completions", {
          token,
          json: {
            model: "mock-1",
            stream: true,
            messages: [
              { role: "system", content: long },
              { role: "user", content: "Short?" }
            ]
          }
        })
        yield* stream.until((text) => text.includes('"content"'))
        stream.leave()
        yield* ended(tenant)
        assert.isAtLeast(Number((yield* used(tenant))["input"]), 2500)

        // Instructions of a conversation, and its earlier turns.
        const made = yield* send("POST", "/conversations", { token, json: { system: long } })
        const asked = { content: 'Why? [[mock {"tokens": 5, "fault": "no-usage"}]]', conversation_id: made.body["id"] }
        assert.strictEqual((yield* send("POST", "/messages", { token, json: asked })).status, 201)
        const one = Number((yield* used(tenant))["input"])
        assert.strictEqual((yield* send("POST", "/messages", { token, json: asked })).status, 201)
        const two = Number((yield* used(tenant))["input"])
        assert.isAtLeast(one, 2500)
        assert.isAbove(two, one)
      }).pipe(Effect.scoped)
    )

    it.effect("is reserved with the instructions of its conversation", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const { tenant, token } = yield* signUp(send)
        const made = yield* send("POST", "/conversations", { token, json: { system: "word ".repeat(20_000) } })
        // Enough for all earlier turns that there may be, and not for 25,000 tokens of instructions.
        yield* limit(tenant, "tenant", { budget: "0.04", budget_period: "'day'" })
        const content = 'Why? [[mock {"tokens": 5}]]'
        assert.strictEqual((yield* send("POST", "/messages", { token, json: { content } })).status, 201)
        const refused = yield* send("POST", "/messages", {
          token,
          json: { content, conversation_id: made.body["id"] }
        })
        assert.deepStrictEqual([refused.status, refused.body["code"]], [429, "budget_exhausted"])
      })
    )

    it.effect("costs no more than was reserved for it", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const { tenant, token } = yield* signUp(send)
        const content = `How long is a token? [[mock {"say": ["${"a".repeat(400)}"], "fault": "no-usage"}]]`
        yield* limit(tenant, "tenant", { budget: "1", budget_period: "'day'" })
        assert.strictEqual((yield* send("POST", "/messages", { token, json: { content } })).status, 201)
        assert.strictEqual(Number((yield* used(tenant))["output"]), 1)
        const account = yield* accountOf(tenant)
        assert.deepStrictEqual(account.budgets, [{ subject: "tenant", spent: account.ledger, reserved: "0" }])
        assert.deepStrictEqual(yield* differences, [])
      })
    )
  }
)

layer(Running.with(PRICED), { timeout: "120 seconds", excludeTestServices: true })("limits of one tenant", (it) => {
  it.effect("hold for nobody else, and say nothing of anybody else", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const loud = yield* signUp(send)
      const quiet = yield* signUp(send)
      const key = yield* makeKey(send, loud.token)
      yield* limit(loud.tenant, "tenant", { requests_per_minute: "1", budget: "0.123456789", budget_period: "'month'" })
      yield* limit(loud.tenant, "model:mock-1", { concurrent: "3" })
      const ask = (token: string) => send("POST", "/messages", { token, json: { content: "Whose?" } })
      assert.strictEqual((yield* ask(key.key)).status, 201)
      const refused = yield* ask(loud.token)
      assert.strictEqual(refused.status, 429)
      // Not of the price, the markup, other users or keys either.
      for (const secret of ["markup", "provider", "margin", "price", key.id, loud.id, loud.tenant])
        assert.notInclude(JSON.stringify(refused.body), secret)
      for (let n = 0; n < 5; n++) assert.strictEqual((yield* ask(quiet.token)).status, 201)
      const limits = yield* send("GET", "/limits", { token: quiet.token })
      assert.deepStrictEqual(limits.body["data"], [])
      assert.strictEqual(
        (yield* send("PATCH", `/keys/${key.id}`, { token: quiet.token, json: { budget: null } })).status,
        404
      )
    })
  )

  it.effect("of absurd requests are reserved and refused as any other, and take nothing", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { tenant, token } = yield* signUp(send)
      yield* limit(tenant, "tenant", { budget: "0.000001", budget_period: "'day'", tokens_per_minute: "1" })
      const turn = { model: "mock-1", messages: [{ role: "user", content: "Hello" }] }
      const bodies = [-5, 1.5, 1e308, Number.MAX_SAFE_INTEGER, 0].flatMap((max_tokens) => [
        ["/v1/chat/completions", { ...turn, max_tokens, n: 128 }] as const,
        ["/v1/messages", { ...turn, max_tokens }] as const
      ])
      for (const [path, json] of bodies) {
        const answer = yield* send("POST", path, { token, json })
        assert.include([400, 429], answer.status, JSON.stringify({ path, json, body: answer.body }))
      }
      assert.deepStrictEqual(yield* accountOf(tenant), {
        entries: 0,
        running: 0,
        ledger: "0",
        budgets: []
      })
    })
  )
})

import { assert, layer } from "@effect/vitest"
import { createClient, LlmSaasError, type StreamEvent } from "@llm-saas/client"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { signUp } from "../People.ts"
import { Running } from "../Running.ts"
import { breaking } from "./Breaking.ts"

/** An answer of two seconds. */
const SLOW = `[[mock {"tokens": 100, "delay": 20}]]`
const QUICK = `[[mock {"tokens": 8, "delay": 0}]]`

const at = (port: number, token?: string) =>
  createClient({ url: `http://127.0.0.1:${port}/`, ...(token === undefined ? {} : { token }) })

/** The error of a promise. */
const failure = (work: () => Promise<unknown>) =>
  Effect.promise(() =>
    work().then(
      (value) => assert.fail(`it did not fail: ${JSON.stringify(value)}`),
      (error: unknown) => error
    )
  )

const collect = async (answer: AsyncIterable<StreamEvent>) => {
  const events: Array<StreamEvent> = []
  for await (const event of answer) events.push(event)
  return events
}

const seqsOf = (events: ReadonlyArray<StreamEvent>) =>
  events.flatMap((event) => (event.type === "delta" ? [event.seq] : []))

const range = (to: number) => Array.from({ length: to }, (_, index) => index + 1)

layer(Running.with({ MOCK_TTFT_MS: "0" }), { timeout: "120 seconds" })("the client without Effect", (it) => {
  it.effect("does all the service does", () =>
    Effect.gen(function* () {
      const { port } = yield* Running
      yield* Effect.promise(async () => {
        const client = at(port)
        const tenant = await client.tenants.create({ name: "Acme Corp" })
        const email = `${randomUUID()}@acme.test`
        const user = await client.register({ email, password: "password123", tenant_id: tenant.id })
        assert.deepInclude(user, { email, role: "admin", tenant_id: tenant.id })
        const token = await client.login({ email, password: "password123" })
        assert.strictEqual(client.token, token.access_token)
        const changed = await client.changePassword({
          current_password: "password123",
          new_password: "correct horse battery staple"
        })
        assert.strictEqual(client.token, changed.access_token)
        assert.deepStrictEqual(await client.me(), { ...user, tenant })
        assert.strictEqual((await client.tenants.change(tenant.id, { registration: "closed" })).registration, "closed")

        const named = await client.tenants.change(tenant.id, { name: "Acme Ltd" })
        assert.deepStrictEqual(named, { ...tenant, name: "Acme Ltd", registration: "closed" })
        assert.deepStrictEqual((await client.me()).tenant, named)

        const bob = await client.admin.createUser({ email: `${randomUUID()}@acme.test`, password: "password123" })
        assert.strictEqual((await client.admin.changeUser(bob.id, { role: "admin" })).role, "admin")
        assert.deepStrictEqual(await client.admin.user(bob.id), (await client.tenants.users(tenant.id)).data[0])
        const page = await client.tenants.users(tenant.id, { limit: 1 })
        assert.deepStrictEqual([page.data.length, page.data[0]?.id], [1, bob.id])
        const rest = await client.tenants.users(tenant.id, { cursor: page.next_cursor ?? "" })
        assert.deepStrictEqual([rest.data[0]?.id, rest.next_cursor], [user.id, null])
        assert.isUndefined(await client.admin.deleteUser(bob.id))

        const invited = await client.invitations.create(tenant.id, { email: `${randomUUID()}@acme.test` })
        assert.deepStrictEqual((await client.invitations.list(tenant.id)).data, [invited])
        assert.strictEqual((await client.invitations.resend(tenant.id, invited.id)).status, "pending")
        assert.isUndefined(await client.invitations.revoke(tenant.id, invited.id))
        const stranger = await at(port)
          .invitations.look("ot_x")
          .catch((error: unknown) => error)
        assert.deepInclude(stranger, { code: "invitation_refused", status: 403 })

        const account = await client.serviceAccounts.create({ name: "nightly", role: "user" })
        assert.deepStrictEqual((await client.serviceAccounts.list()).data, [account])
        assert.deepStrictEqual(await client.serviceAccounts.get(account.id), account)
        const { key, ...made } = await client.keys.create({ name: "bot", owner: account.id, scopes: ["chat"] })
        const bot = createClient({ url: `http://127.0.0.1:${port}/`, key: key ?? "" })
        assert.strictEqual((await bot.messages.ask({ content: `What? ${QUICK}` })).user_id, account.id)
        assert.strictEqual((await bot.keys.current()).usage.today.requests, 1)
        assert.strictEqual((await client.keys.get(made.id)).name, "bot")
        assert.deepStrictEqual(
          (await client.keys.list({ scope: "tenant" })).data.map(({ id }) => id),
          [made.id]
        )
        assert.strictEqual((await client.keys.change(made.id, { name: "robot", disabled: true })).status, "disabled")
        await client.keys.change(made.id, { disabled: false })
        const rotated = await client.keys.rotate(made.id, { grace_seconds: 60 })
        assert.deepStrictEqual([rotated.id, rotated.name, rotated.key === key], [made.id, "robot", false])
        const header = { idempotencyKey: randomUUID() }
        const mine = await client.keys.create({ name: "mine", scopes: ["chat"] }, header)
        const again = await client.keys.create({ name: "mine", scopes: ["chat"] }, header)
        assert.deepStrictEqual(again, { ...mine, key: null })
        assert.isUndefined(await client.keys.remove(made.id))
        const change = { limits: { concurrent: 3 }, budget: { amount: "0.50", period: "day" } } as const
        const limited = await client.serviceAccounts.change(account.id, change)
        assert.deepStrictEqual([limited.limits.concurrent, limited.budget?.amount], [3, "0.50"])
        assert.deepStrictEqual(await client.limits(), { data: [] })
        const left = await client.limitsOf({ user: account.id })
        assert.deepStrictEqual(
          left.data.map(({ concurrent, scope }) => [scope, concurrent?.limit]),
          [["user", 3]]
        )
        assert.deepStrictEqual(await client.limitsOf({ key: mine.id }), { data: [] })
        assert.isUndefined(await client.serviceAccounts.remove(account.id))

        assert.deepStrictEqual(
          (await client.models()).map(({ id }) => id),
          ["mock-1"]
        )
        const conversation = await client.conversations.create()
        const message = await client.messages.ask({ content: `What? ${QUICK}`, conversation_id: conversation.id })
        assert.deepInclude(message, { status: "completed", tokens_out: 8, conversation_id: conversation.id })
        assert.deepStrictEqual(await client.messages.get(message.id), message)
        const opinion = await client.messages.feedback(message.id, { rating: -1, comment: "Too short." })
        assert.deepInclude(opinion, { message_id: message.id, rating: -1, comment: "Too short." })
        assert.isTrue((await client.tenants.isolation(tenant.id)).ok)
        assert.deepStrictEqual((await client.messages.list({ scope: "tenant", limit: 10 })).data, [message])
        assert.deepStrictEqual((await client.conversations.messages(conversation.id)).data, [message])
        const models = await client.conversations.change(conversation.id, { model: "mock-1", system: "Be brief." })
        assert.deepInclude(models, { model: "mock-1", system: "Be brief.", title: models.title })
        const tools = [{ name: "get_weather", parameters: { type: "object", properties: {} } }]
        const asking = { conversation_id: conversation.id, tools, max_tokens: 20 }
        const weather = await collect(client.messages.stream({ ...asking, content: "What is the weather?" }))
        assert.deepStrictEqual(
          weather.flatMap((event) => (event.type === "tool_call" ? [[event.index, event.id, event.arguments]] : [])),
          [
            [0, "call_mock_1", ""],
            [0, undefined, "{"],
            [0, undefined, "}"]
          ]
        )
        const tool_results = [{ id: "call_mock_1", content: "Rain" }]
        const answered = await client.messages.ask({ ...asking, tool_results })
        assert.match(answered.response ?? "", /^get_weather says: Rain\./u)
        const renamed = await client.conversations.rename(conversation.id, "Rooms")
        assert.deepStrictEqual((await client.conversations.list()).data, [renamed])
        assert.deepStrictEqual(await client.conversations.get(conversation.id), renamed)

        const events = await collect(client.messages.stream({ content: `And now? ${QUICK}` }))
        assert.deepStrictEqual(
          events.map(({ type }) => type),
          ["start", ...new Array<"delta">(8).fill("delta"), "usage", "end"]
        )
        const id = events[0]?.type === "start" ? events[0].generation_id : assert.fail("no start")
        const generation = await client.generations.get(id)
        assert.deepInclude(generation, { status: "completed", seq: 8 })
        assert.deepStrictEqual(await client.generations.cancel(id), generation)
        assert.strictEqual(await client.generations.watch(id).text(), generation.text)
        assert.deepStrictEqual(seqsOf(await collect(client.generations.watch(id, { after: 5 }))), [6, 7, 8])

        assert.isUndefined(await client.messages.remove(message.id))
        assert.isUndefined(await client.conversations.remove(conversation.id))
      })
    })
  )

  it.effect("fails with what went wrong: a code for programs, the status, and the id that is in the log", () =>
    Effect.gen(function* () {
      const { port, process, send } = yield* Running
      const client = at(port, (yield* signUp(send)).token)
      const unknown = yield* failure(() => client.messages.get(randomUUID()))
      assert.instanceOf(unknown, LlmSaasError)
      assert.deepInclude(unknown, { code: "message_not_found", status: 404, name: "LlmSaasError" })
      yield* process.says(new RegExp(`404 GET .*request_id=${String(Reflect.get(Object(unknown), "requestId"))}`, "u"))
      for (const [work, expected] of [
        [() => at(port).me(), { code: "unauthenticated", status: 401 }],
        [() => at(port, "nonsense").messages.stream({ content: "x" }).text(), { code: "unauthenticated", status: 401 }],
        [() => client.messages.ask({ content: " " }), { code: "invalid_request", status: 400 }],
        [() => client.login({ email: "a@b.test", password: "wrong" }), { code: "invalid_credentials", status: 401 }],
        [() => client.messages.ask({ content: `[[mock {"fault": "before"}]]` }), { code: "model_failed", status: 502 }],
        [
          () => client.messages.stream({ content: `[[mock {"fault": "rate-limit"}]]` }).text(),
          { code: "model_unavailable", status: 503, retryAfter: 7 }
        ]
      ] as const)
        assert.deepInclude(yield* failure(work), expected)
      const cut = client.messages.stream({ content: `[[mock {"tokens": 8, "fault": "middle"}]]` })
      const events: Array<StreamEvent> = []
      const middle = yield* failure(async () => {
        for await (const event of cut) events.push(event)
      })
      assert.deepInclude(middle, { code: "model_failed", status: 502 })
      assert.deepInclude(Object(Reflect.get(Object(middle), "problem")), { reason: "model_cut" })
      assert.deepStrictEqual(seqsOf(events), range(4))
    })
  )

  it.effect(
    "reads every token once over connections that break as often as you like, and the model is asked once",
    () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const { token } = yield* signUp(send)
        // In the headers, before the first event, and in the middle of events.
        const way = yield* breaking(port, (n) => (n < 12 ? [0, 300, 1100, 1300, 1777, 2500][n % 6] : undefined))
        const told: Array<string> = []
        const onConnection = (connection: "lost" | "open") => void told.push(connection)
        const events = yield* Effect.promise(() =>
          collect(at(way.port, token).messages.stream({ content: SLOW }, { onConnection }))
        )
        assert.isAtLeast(way.broken(), 8)
        assert.deepStrictEqual(
          told,
          told.map((_, index) => (index % 2 === 0 ? "lost" : "open"))
        )
        assert.deepStrictEqual([told.length > 2, told.at(-1)], [true, "open"])
        assert.deepStrictEqual(seqsOf(events), range(100))
        assert.deepStrictEqual(
          events.filter(({ type }) => type !== "delta").map(({ type }) => type),
          ["start", "usage", "end"]
        )
        const { data } = yield* Effect.promise(() => at(port, token).messages.list())
        assert.strictEqual(data.length, 1)
        assert.strictEqual(
          data[0]?.response,
          events.map((event) => (event.type === "delta" ? event.text : "")).join("")
        )
      }).pipe(Effect.scoped)
  )

  it.effect("asks once, however often its connection breaks while it waits", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const { token } = yield* signUp(send)
      const way = yield* breaking(port, (n) => [0, 100, undefined][n])
      const message = yield* Effect.promise(() => at(way.port, token).messages.ask({ content: `Once? ${SLOW}` }))
      assert.deepInclude(message, { status: "completed", tokens_out: 100 })
      assert.strictEqual(way.broken(), 2)
      const { data } = yield* Effect.promise(() => at(port, token).messages.list())
      assert.deepStrictEqual(data, [message])
    }).pipe(Effect.scoped)
  )
})

layer(Running.with({ MOCK_TTFT_MS: "0", STREAM_GRACE_SECONDS: "0" }), { timeout: "120 seconds" })(
  "a client without Effect",
  (it) => {
    it.effect("leaves when it is told to, or when its reader has enough, and the answer is stopped", () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const client = at(port, (yield* signUp(send)).token)
        const long = `[[mock {"tokens": 1000, "delay": 20}]]`
        yield* Effect.promise(async () => {
          for await (const event of client.messages.stream({ content: long }))
            if (event.type === "delta" && event.seq === 5) break
          const leaving = new AbortController()
          const reason = new Error("enough")
          const reading = client.messages.stream({ content: long }, { signal: leaving.signal }).text()
          const waiting = client.messages.ask({ content: long }, { signal: leaving.signal })
          while ((await client.messages.list()).data.length < 3);
          leaving.abort(reason)
          const [read, asked] = await Promise.allSettled([reading, waiting])
          for (const result of [read, asked]) assert.deepInclude(result, { status: "rejected", reason })
        })
        const stopped = Effect.promise(() => client.messages.list()).pipe(
          Effect.map(({ data }) => data.map(({ status }) => status)),
          Effect.repeat({ until: (all) => all.every((status) => status !== "streaming") })
        )
        assert.deepStrictEqual(yield* stopped, ["cancelled", "cancelled", "cancelled"])
      })
    )
  }
)

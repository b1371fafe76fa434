import { assert, it, layer } from "@effect/vitest"
import { Http } from "@llm-saas/client/Http"
import { ask, watch } from "@llm-saas/client/Answers"
import { Rpc } from "@llm-saas/client/Rpc"
import type { StreamEvent } from "@llm-saas/api/StreamEvent"
import { Effect, Layer, Redacted, Ref, Stream } from "effect"
import { signUp } from "../People.ts"
import { spawned } from "../Process.ts"
import { Running } from "../Running.ts"
import { breaking } from "./Breaking.ts"

const SLOW = `[[mock {"tokens": 100, "delay": 20}]]`
const QUICK = `[[mock {"tokens": 8, "delay": 0}]]`

const LAYERS = { http: Rpc.layerHttp, websocket: Rpc.layerWebSocket }
const TRANSPORTS = ["http", "websocket"] as const

const seqsOf = (events: ReadonlyArray<StreamEvent>) =>
  events.flatMap((event) => (event.type === "delta" ? [Number(event.seq)] : []))
const textOf = (events: ReadonlyArray<StreamEvent>) =>
  events.map((event) => (event.type === "delta" ? event.text : "")).join("")
const range = (to: number) => Array.from({ length: to }, (_, index) => index + 1)

layer(Running.with({ MOCK_TTFT_MS: "0" }), { timeout: "120 seconds", excludeTestServices: true })(
  "the client with Effect",
  (it) => {
    for (const transport of TRANSPORTS)
      it.effect(`by ${transport} reads every token once over connections that break, and the model is asked once`, () =>
        Effect.gen(function* () {
          const { port, send } = yield* Running
          const { token } = yield* signUp(send)
          const way = yield* breaking(port, (n) => (n < 6 ? [0, 300, 1500, 2500, 3500, 1777][n] : undefined))
          const options = { url: `http://127.0.0.1:${way.port}/`, token: Redacted.make(token) }
          const events = yield* Stream.runCollect(ask({ content: SLOW })).pipe(
            Effect.provide(LAYERS[transport](options))
          )
          assert.isAtLeast(way.broken(), 4)
          assert.deepStrictEqual(seqsOf(events), range(100))
          assert.deepStrictEqual(
            events.filter(({ type }) => type !== "delta").map(({ type }) => type),
            ["start", "usage", "end"]
          )
          const direct = LAYERS[transport]({ url: `http://127.0.0.1:${port}`, token: Redacted.make(token) })
          yield* Effect.gen(function* () {
            const rpc = yield* Rpc
            const { data } = yield* rpc["messages.list"]({})
            assert.strictEqual(data.length, 1)
            assert.strictEqual(data[0]?.response, textOf(events))
            const id = data[0]?.generation_id ?? assert.fail("no generation")
            assert.deepStrictEqual(seqsOf(yield* Stream.runCollect(watch(id, 97))), [98, 99, 100])
          }).pipe(Effect.provide(direct))
        }).pipe(Effect.scoped)
      )

    it.effect("has its token from an effect: none before a login, and then the user's", () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const person = yield* signUp(send)
        const token = yield* Ref.make<Redacted.Redacted<string> | undefined>(undefined)
        const options = { url: `http://127.0.0.1:${port}`, token: Ref.get(token) }
        yield* Effect.gen(function* () {
          const [rpc, http] = [yield* Rpc, yield* Http]
          assert.strictEqual((yield* Effect.flip(rpc["accounts.me"]()))._tag, "Unauthenticated")
          assert.strictEqual((yield* Effect.flip(http.accounts.me()))._tag, "Unauthenticated")
          yield* Ref.set(token, Redacted.make(person.token))
          const me = yield* rpc["accounts.me"]()
          assert.strictEqual(me.id, person.id)
          assert.deepStrictEqual(yield* http.accounts.me(), me)
        }).pipe(Effect.provide(Layer.merge(Rpc.layerWebSocket(options), Http.layer(options))))
      }).pipe(Effect.scoped)
    )

    it.effect("works with an API key, by every transport, and manages keys", () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const person = yield* signUp(send)
        const url = `http://127.0.0.1:${port}`
        const made = yield* Effect.gen(function* () {
          const rpc = yield* Rpc
          const account = yield* rpc["serviceAccounts.create"]({ name: "nightly" })
          return yield* rpc["keys.create"]({ name: "bot", owner: account.id, scopes: ["chat", "messages:read"] })
        }).pipe(Effect.provide(Rpc.layerHttp({ url, token: Redacted.make(person.token) })))
        const key = Redacted.make(made.key ?? "")
        for (const layer of [Rpc.layerHttp({ url, key }), Rpc.layerWebSocket({ url, key })]) {
          yield* Effect.gen(function* () {
            const rpc = yield* Rpc
            const message = yield* rpc["messages.ask"]({ content: `What? ${QUICK}` })
            assert.strictEqual(message.user_id, made.owner.id)
            assert.strictEqual((yield* rpc["keys.current"]()).id, made.id)
            const refused = yield* Effect.flip(rpc["conversations.create"]({}))
            assert.deepInclude(refused, { _tag: "InsufficientScope", scopes: ["messages:write"] })
          }).pipe(Effect.provide(layer))
        }
        yield* Effect.gen(function* () {
          const http = yield* Http
          assert.strictEqual((yield* http.keys.current()).usage.today.requests, 2)
          assert.strictEqual((yield* Effect.flip(http.keys.list({ query: {} })))._tag, "InsufficientScope")
        }).pipe(Effect.provide(Http.layer({ url, key })))
      }).pipe(Effect.scoped)
    )

    it.effect("is the HTTP contract too", () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const { token } = yield* signUp(send)
        yield* Effect.gen(function* () {
          const http = yield* Http
          const message = yield* http.messages.ask({ headers: {}, payload: { content: `What? ${QUICK}` } })
          assert.strictEqual(message.tokens_out, 8)
          assert.deepStrictEqual(yield* http.messages.get({ params: { id: message.id } }), message)
          const events = yield* Stream.runCollect(
            Stream.unwrap(http.messages.stream({ headers: {}, query: {}, payload: { content: `What? ${QUICK}` } }))
          )
          assert.strictEqual(events.at(-1)?.data, "[DONE]")
          const failure = yield* Effect.flip(
            http.messages.ask({ headers: {}, payload: { content: `[[mock {"fault": "before"}]]` } })
          )
          assert.strictEqual(failure._tag, "ModelFailed")
        }).pipe(Effect.provide(Http.layer({ url: `http://127.0.0.1:${port}`, token: Redacted.make(token) })))
      }).pipe(Effect.scoped)
    )
  }
)

const WITHOUT_WEBSOCKET = (mode: string) => `
import { Rpc } from "@llm-saas/client/Rpc"
import { Cause, Effect } from "effect"
const webSocket = ${mode}
const exit = await Effect.runPromiseExit(
  Effect.provide(Effect.asVoid(Rpc), Rpc.layerWebSocket({ url: "http://127.0.0.1:9", ...(webSocket && { webSocket }) }))
)
console.log(exit._tag === "Success" ? "made" : Cause.pretty(exit.cause))
process.exit(0)`

it.live("a platform without WebSocket is told at once, and takes one that it is given", () =>
  Effect.gen(function* () {
    const run = (mode: string) =>
      Effect.gen(function* () {
        const args = ["--no-experimental-websocket", "--input-type=module", "--eval", WITHOUT_WEBSOCKET(mode)]
        const child = yield* spawned(process.execPath, args, {}, import.meta.dirname)
        yield* child.ended
        return child.output().stdout
      })
    assert.match(yield* run("undefined"), /There is no WebSocket here .*version 22/u)
    assert.strictEqual(yield* run("() => { throw new Error('not opened') }"), "made\n")
  }).pipe(Effect.scoped)
)

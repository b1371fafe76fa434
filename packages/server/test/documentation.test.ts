import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { connect, createServer, type Socket } from "node:net"
import { curl } from "./Curl.ts"
import { signUp } from "./People.ts"
import { Running } from "./Running.ts"
import { EventSource } from "./sse/EventSource.ts"

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8")

/** The commands of a chapter, in order. */
const commands = (text: string, chapter: string) =>
  (text.split(`\n## ${chapter}\n`)[1]?.split("\n## ")[0] ?? "").split("\n").filter((line) => line.startsWith("curl "))

/** Types the command with what was copied before, and reads the whole answer. */
const type = Effect.fnUntraced(function* (line: string, copied: { readonly id: string; readonly token: string }) {
  const { port } = yield* Running
  const { body, headers, method, path } = curl(
    line.replaceAll("PASTE-ID-HERE", copied.id).replaceAll("YOUR_TOKEN", copied.token)
  )
  return yield* Effect.promise(async () => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body })
    })
    return { status: answer.status, text: await answer.text(), type: answer.headers.get("content-type") }
  })
})

const eventsOf = (text: string) => new EventSource().feed(new TextEncoder().encode(text)).events

layer(Running.with({ MOCK_TOKENS: "40", MOCK_TTFT_MS: "10", MOCK_DELAY_MS: "10" }), { timeout: "120 seconds" })(
  "what the documentation shows",
  (it) => {
    it.effect("is the quick start, which works to its end, word for word", () =>
      Effect.gen(function* () {
        const copied = { id: "", token: "" }
        const seen: Array<string> = []
        for (const line of commands(read("README.md"), "Quick start")) {
          const { status, text, type: contentType } = yield* type(line, copied)
          assert.isBelow(status, 300, `${line}: ${text}`)
          seen.push(new URL(/http:[^\s"]+/u.exec(line)?.[0] ?? "").pathname)
          if (contentType?.startsWith("text/event-stream") === true) {
            const events = eventsOf(text)
            assert.strictEqual(events.length, 41)
            assert.strictEqual(events.at(-1)?.data, "[DONE]")
          } else {
            const body: unknown = JSON.parse(text)
            if (line.includes("/create-tenant")) copied.id = String(Reflect.get(Object(body), "id"))
            if (line.includes("/login")) copied.token = String(Reflect.get(Object(body), "access_token"))
            if (line.includes("/messages ") && !line.includes("-X"))
              assert.strictEqual(Reflect.get(Object(body), "data").length, 2)
          }
        }
        assert.includeMembers(seen, ["/create-tenant", "/register", "/login", "/me", "/messages/stream", "/messages"])
      })
    )

    it.effect("is a stream that curl cuts, and goes on with", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const { token } = yield* signUp(send)
        const [first = "", again = ""] = commands(read("docs/streaming.md"), "Resuming")
        const whole = eventsOf((yield* type(first, { id: "", token })).text)
        const cut = whole[16]
        const rest = eventsOf((yield* type(again, { id: cut?.lastEventId ?? "", token })).text)
        assert.deepStrictEqual(rest, whole.slice(17))
      })
    )

    it.effect("is a first key and a service account, word for word", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const { token } = yield* signUp(send)
        const text = read("docs/keys.md")
        const copied = { key: "", id: "", account: "" }
        const statuses: Array<number> = []
        for (const line of [...commands(text, "A first key"), ...commands(text, "Service accounts")]) {
          const filled = line
            .replaceAll("YOUR_KEY_ID", copied.id)
            .replaceAll("YOUR_KEY", copied.key)
            .replaceAll("YOUR_ACCOUNT_ID", copied.account)
          const answer = yield* type(filled, { id: "", token })
          statuses.push(answer.status)
          const body = answer.text === "" ? {} : Object(JSON.parse(answer.text))
          if (line.includes("/keys ") && copied.key === "") Object.assign(copied, { key: body.key, id: body.id })
          if (line.includes("/service-accounts ")) copied.account = body.id
        }
        assert.deepStrictEqual(statuses, [201, 201, 200, 200, 200, 200, 204, 201, 201])
      })
    )

    it.effect("is a first request as SDKs send them, word for word", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const { token } = yield* signUp(send)
        const made = yield* send("POST", "/keys", { token, json: { name: "a key", scopes: ["chat"] } })
        const answers: Array<string> = []
        for (const line of commands(read("docs/gateway.md"), "A first request")) {
          const { status, text } = yield* type(line.replaceAll("YOUR_KEY", String(made.body["key"])), { id: "", token })
          assert.strictEqual(status, 200, `${line}: ${text}`)
          answers.push(text)
        }
        const [models = "", whole = "", streamed = "", message = "", count = ""] = answers
        assert.include(models, '"id":"mock-1"')
        assert.include(whole, '"object":"chat.completion"')
        assert.isTrue(streamed.endsWith("data: [DONE]\n\n"))
        assert.include(message, '"type":"message"')
        assert.include(count, '"input_tokens":')
      })
    )

    it.effect("is a call by curl", () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const { token } = yield* signUp(send)
        const [call = ""] = commands(read("docs/client.md"), "Without this client")
        const { status, text } = yield* type(call, { id: "", token })
        assert.strictEqual(status, 200)
        const lines = text.trimEnd().split("\n")
        assert.include(lines[0], '{"_tag":"Chunk","requestId":1,"values":[{"type":"start",')
        assert.strictEqual(lines.at(-1), '{"_tag":"Exit","requestId":1,"exit":{"_tag":"Success","value":null}}')
      })
    )

    it.effect("is a browser's client that loses its connection as often as you like, and no token", () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const { token } = yield* signUp(send)
        const [, source = ""] = /```js\n(\/\*\* The tokens[\s\S]*?)```/u.exec(read("docs/streaming.md")) ?? []
        const module: { readonly ask: Ask } = yield* Effect.promise(
          () => import(`data:text/javascript,${encodeURIComponent(`export ${source.slice(source.indexOf("async"))}`)}`)
        )
        const proxy = yield* cutting(port)
        const tokens = yield* Effect.promise(async () => {
          const found: Array<string> = []
          for await (const each of module.ask("What is a room?", { token, url: proxy.url })) found.push(each)
          return found
        })
        assert.isAtLeast(proxy.cuts(), 3)
        const { body } = yield* send("GET", "/messages", { token })
        const { data } = body
        assert.deepStrictEqual(
          Array.isArray(data) ? data.map(({ response }: { readonly response: string }) => response) : [],
          [tokens.join("")]
        )
        assert.strictEqual(tokens.length, 40)

        const asking = (content: string, bearer: string) =>
          Effect.promise(async () => {
            try {
              for await (const each of module.ask(content, { token: bearer, url: proxy.url })) void each
              return undefined
            } catch (error) {
              return Reflect.get(Object(error), "problem")?.code
            }
          })
        assert.strictEqual(yield* asking("What?", "nobody"), "unauthenticated")
        assert.strictEqual(yield* asking('[[mock {"fault": "middle", "tokens": 80}]]', token), "model_failed")
      }).pipe(Effect.scoped)
    )
  }
)

type Ask = (content: string, options: { readonly token: string; readonly url: string }) => AsyncIterable<string>

/** A proxy to the server: every connection is cut after 1,100 bytes of an answer, in the middle of an event. */
const cutting = (port: number) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly port: number; cuts: number; readonly close: Effect.Effect<void> }>((resume) => {
        const sockets = new Set<Socket>()
        const state = { port: 0, cuts: 0, close: Effect.void }
        const server = createServer((near) => {
          const far = connect(port, "127.0.0.1")
          let bytes = 0
          for (const socket of [near, far]) {
            sockets.add(socket)
            socket.on("error", () => {})
            socket.on("close", () => (near.destroy(), far.destroy()))
          }
          near.pipe(far)
          far.on("data", (chunk: Buffer) => {
            near.write(chunk.subarray(0, Math.max(0, 1100 - bytes)))
            bytes += chunk.length
            if (bytes < 1100) return
            state.cuts++
            near.end()
          })
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          state.port = typeof address === "object" && address !== null ? address.port : 0
          state.close = Effect.callback<void>((done) => {
            server.close(() => done(Effect.void))
            for (const socket of sockets) socket.destroy()
          })
          resume(Effect.succeed(state))
        })
      }),
      ({ close }) => close
    ),
    (state) => ({ url: `http://127.0.0.1:${state.port}`, cuts: () => state.cuts })
  )

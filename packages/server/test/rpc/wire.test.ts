import { NodeWS } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { type Person, signUp } from "../People.ts"
import { Running, running } from "../Running.ts"
import { type Reading, sendTo } from "../sse/Reading.ts"

type Line = Readonly<Record<string, unknown>>

const call = (id: unknown, tag: string, payload: unknown = null, headers: ReadonlyArray<unknown> = []) => ({
  _tag: "Request",
  id,
  tag,
  payload,
  headers
})

const linesOf = (text: string): Array<Line> =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))

/** The failure of a call's exit. */
const failureOf = (line: Line | undefined): Line => {
  const exit = line?.["exit"] as { readonly cause?: ReadonlyArray<{ readonly error: Line }> } | undefined
  return exit?.cause?.[0]?.error ?? {}
}

const valueOf = (line: Line | undefined): unknown => Reflect.get(Object(line?.["exit"]), "value")

/** Sends lines by POST; the answer's lines. */
const post = Effect.fnUntraced(function* (
  port: number,
  lines: ReadonlyArray<unknown> | string,
  { headers = {}, token }: { readonly headers?: Record<string, string>; readonly token?: string } = {}
) {
  const answer = yield* Effect.promise(() =>
    fetch(`http://127.0.0.1:${port}/rpc`, {
      method: "POST",
      headers: {
        "content-type": "application/x-ndjson",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers
      },
      body: typeof lines === "string" ? lines : lines.map((line) => `${JSON.stringify(line)}\n`).join("")
    })
  )
  const text = yield* Effect.promise(() => answer.text())
  return {
    status: answer.status,
    type: answer.headers.get("content-type"),
    id: answer.headers.get("x-request-id"),
    text
  }
})

/** A WebSocket whose frames the test writes. */
const open = (port: number, options: ConstructorParameters<typeof NodeWS.WebSocket>[2] = {}, path = "/rpc") =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<NodeWS.WebSocket, number>((resume) => {
        const socket = new NodeWS.WebSocket(`ws://127.0.0.1:${port}${path}`, options)
        socket.once("open", () => resume(Effect.succeed(socket)))
        socket.once("unexpected-response", (_, response) => resume(Effect.fail(response.statusCode ?? 0)))
        socket.on("error", () => {})
      }),
      (socket) => Effect.sync(() => socket.terminate())
    ),
    (socket) => {
      const lines: Array<Line> = []
      const watchers = new Set<() => void>()
      const look = () => {
        for (const watcher of watchers) watcher()
      }
      let closed: number | undefined
      socket.on("message", (data) => (lines.push(...linesOf(String(data))), look()))
      socket.on("close", (code) => ((closed = code), look()))
      const when = <A>(ready: () => A | undefined) =>
        Effect.callback<A>((resume) => {
          const watcher = () => {
            const found = ready()
            if (found === undefined) return
            watchers.delete(watcher)
            resume(Effect.succeed(found))
          }
          watchers.add(watcher)
          watcher()
        })
      return {
        socket,
        lines,
        say: (...messages: ReadonlyArray<unknown>) =>
          socket.send(messages.map((message) => `${JSON.stringify(message)}\n`).join("")),
        /** The exit of a call. */
        exit: (id: unknown) => when(() => lines.find((line) => line["_tag"] === "Exit" && line["requestId"] === id)),
        when,
        closed: when(() => closed)
      }
    }
  )

const bearer = ({ token }: Person) => [["authorization", `Bearer ${token}`]]

layer(Running.with({ MOCK_TOKENS: "8", MOCK_TTFT_MS: "0", MOCK_DELAY_MS: "0", LOGIN_FAILURES: "3" }), {
  timeout: "60 seconds"
})("the wire of calls", (it) => {
  it.effect("is lines of JSON; anything else is refused before a call runs", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const { token } = yield* signUp(send)
      const me = call(1, "accounts.me")
      const wrong: ReadonlyArray<readonly [lines: ReadonlyArray<unknown> | string, status: number, code: string]> = [
        ["", 400, "invalid_request"],
        ["{", 400, "invalid_request"],
        [`${JSON.stringify(me)}\n{`, 400, "invalid_request"],
        [[me, me], 400, "invalid_request"],
        [[{ _tag: "Ping" }], 400, "invalid_request"],
        [[{ ...me, id: null }], 400, "invalid_request"],
        [[{ ...me, id: { a: 1 } }], 400, "invalid_request"],
        [[{ ...me, headers: [["a", 1]] }], 400, "invalid_request"],
        [[{ ...me, _tag: "Nonsense" }], 400, "invalid_request"],
        [[me, { _tag: "Interrupt", requestId: 1 }], 400, "invalid_request"],
        [Array.from({ length: 33 }, (_, id) => call(id, "accounts.me")), 400, "invalid_request"],
        [`${"[".repeat(100)}${"]".repeat(100)}`, 400, "invalid_request"],
        [[call(1, "messages.ask", { content: "x".repeat(1_100_000) })], 413, "payload_too_large"]
      ]
      for (const [lines, status, code] of wrong) {
        const answer = yield* post(port, lines, { token })
        assert.strictEqual(answer.status, status, JSON.stringify(lines).slice(0, 200))
        assert.strictEqual(answer.type, "application/problem+json")
        assert.deepInclude(JSON.parse(answer.text), { code, request_id: answer.id })
      }
      const form = yield* post(port, [me], { token, headers: { "content-type": "text/plain" } })
      assert.strictEqual(form.status, 415)
      assert.deepStrictEqual((yield* send("GET", "/messages", { token })).body["data"], [])
    })
  )

  it.effect("carries many calls, each answered by itself", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const person = yield* signUp(send)
      const other = yield* signUp(send)
      const answer = yield* post(
        port,
        [
          call(1, "accounts.me"),
          call("two", "accounts.me", null, bearer(other)),
          call(3, "messages.ask", { content: " " }),
          call(4, "messages.get", { id: "x" }),
          call(5, "no.such", {}),
          call(6, "__proto__", {}),
          call(7, "tenants.create", { name: 7 })
        ],
        { token: person.token }
      )
      assert.deepStrictEqual([answer.status, answer.type], [200, "application/x-ndjson"])
      const exits = new Map(linesOf(answer.text).map((line) => [line["requestId"], line]))
      assert.strictEqual(exits.size, 7)
      assert.strictEqual(Reflect.get(Object(valueOf(exits.get(1))), "id"), person.id)
      assert.strictEqual(Reflect.get(Object(valueOf(exits.get("two"))), "id"), other.id)
      for (const [id, path] of [
        [3, ["payload", "content"]],
        [4, ["payload", "id"]],
        [5, ["tag"]],
        [6, ["tag"]],
        [7, ["payload", "name"]]
      ] as const) {
        const failure = failureOf(exits.get(id))
        assert.deepInclude(failure, { code: "invalid_request", status: 400 })
        assert.deepInclude(Object(failure["errors"])[0], { path })
        assert.match(String(failure["request_id"]), /^[0-9a-f-]{36}$/u)
      }
    })
  )

  it.effect(
    "does not let a call replace what its connection is: guesses count for the address they come from",
    () =>
      Effect.gen(function* () {
        const proxied = yield* running({ LOGIN_FAILURES: "3", TRUSTED_PROXIES: '["127.0.0.1"]' })
        const guess = (n: number) =>
          post(proxied.port, [
            call(1, "accounts.login", { username: "alice@acme.test", password: `guess${n}` }, [
              ["x-forwarded-for", `198.51.100.${n}`],
              ["X-Forwarded-For", `198.51.100.${n}`],
              ["cookie", "x"]
            ])
          ])
        const codes: Array<unknown> = []
        for (let n = 0; n < 5; n++) codes.push(failureOf(linesOf((yield* guess(n)).text)[0])["code"])
        assert.deepStrictEqual(codes, [
          ...new Array<string>(3).fill("invalid_credentials"),
          ...new Array<string>(2).fill("too_many_requests")
        ])
        // And for HTTP and WebSocket together.
        const form = { username: "alice@acme.test", password: "guess" }
        assert.strictEqual((yield* proxied.send("POST", "/login", { form })).status, 429)
      }).pipe(Effect.scoped),
    // Starts a process of its own.
    60_000
  )

  it.effect("logs one line per call, under the id it asks for, with its user", () =>
    Effect.gen(function* () {
      const { port, process, send } = yield* Running
      const person = yield* signUp(send)
      const [first, second] = ["call-of-mine", "another-of-mine"]
      const answer = yield* post(
        port,
        [
          call(1, "accounts.me", null, [["x-request-id", first]]),
          call(2, "conversations.get", { id: person.id }, [["x-request-id", second]]),
          call(3, "accounts.me", null, [["x-request-id", "not sane\n"]])
        ],
        { token: person.token }
      )
      assert.strictEqual(failureOf(linesOf(answer.text).find(({ requestId }) => requestId === 2))["request_id"], second)
      yield* process.says(
        new RegExp(`200 RPC +/rpc accounts\\.me .*request_id=${first} tenant=${person.tenant} user=${person.id}`, "u")
      )
      yield* process.says(new RegExp(`404 RPC +/rpc conversations\\.get .*request_id=${second}`, "u"))
      assert.notInclude(process.output().stdout, "not sane")
      assert.notInclude(process.output().stdout, person.token)
    })
  )

  it.effect("has its caller's trace, from the call or from the request that carries it", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const { token } = yield* signUp(send)
      const trace = "0af7651916cd43dd8448eb211c80319c"
      const ask = { ...call(1, "messages.ask", { content: "Where?" }), traceId: trace, spanId: "b7ad6b7169203331" }
      const generationOf = (text: string) => String(Reflect.get(Object(valueOf(linesOf(text)[0])), "generation_id"))
      const own = yield* post(port, [ask], { token })
      const carried = yield* post(port, [call(1, "messages.ask", { content: "Where?" })], {
        token,
        headers: { traceparent: `00-${trace}-b7ad6b7169203331-01` }
      })
      const broken = yield* post(port, [{ ...ask, traceId: "x\r\ny" }], { token })
      const { adminUrl } = yield* TestDatabase
      const { rows } = yield* Databases.execute(adminUrl, "select id, trace_id from app.generations")
      const traces = new Map(rows.map(({ id, trace_id }) => [id, trace_id]))
      assert.strictEqual(traces.get(generationOf(own.text)), trace)
      assert.strictEqual(traces.get(generationOf(carried.text)), trace)
      assert.match(String(traces.get(generationOf(broken.text))), /^[0-9a-f]{32}$/u)
    })
  )

  it.effect("is POST at /rpc, and nothing else", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const got = yield* send("GET", "/rpc")
      assert.deepStrictEqual([got.status, got.headers.get("allow")], [405, "POST, OPTIONS"])
      for (const path of ["/rpc/x", "//rpc", "/RPC"]) assert.strictEqual((yield* send("POST", path)).status, 404)
      const preflight = yield* sendTo(port, "OPTIONS", "/rpc", {
        headers: { origin: "https://app.acme.test", "access-control-request-method": "POST" }
      })
      assert.strictEqual(preflight.headers["access-control-allow-methods"], "POST, OPTIONS")
    })
  )

  it.effect("sends keep-alives while a call waits", () =>
    Effect.gen(function* () {
      const { port, send } = yield* Running
      const { token } = yield* signUp(send)
      const reading: Reading = yield* sendTo(port, "POST", "/rpc", {
        token,
        json: call(1, "messages.stream", { content: `[[mock {"fault": "hang"}]]` })
      })
      assert.strictEqual(reading.headers["x-accel-buffering"], "no")
      const text = yield* reading.until((text) => text.includes("start"))
      assert.strictEqual(linesOf(text).length, 1)
      reading.leave()
    }).pipe(Effect.scoped)
  )
})

layer(Running.with({ MOCK_TOKENS: "8", MOCK_TTFT_MS: "0", MOCK_DELAY_MS: "0" }), { timeout: "60 seconds" })(
  "a WebSocket",
  (it) => {
    it.effect("is opened at /rpc, by pages of allowed origins and by clients that are no page", () =>
      Effect.gen(function* () {
        const { port, process, send } = yield* Running
        const person = yield* signUp(send)
        for (const origin of [undefined, "https://app.acme.test", `http://127.0.0.1:${port}`]) {
          const { exit, say } = yield* open(port, origin === undefined ? {} : { origin })
          say(call(1, "accounts.me", null, bearer(person)))
          assert.strictEqual(Reflect.get(Object(valueOf(yield* exit(1))), "id"), person.id)
        }
        for (const origin of ["https://evil.test", "null", "http://127.0.0.1"])
          assert.strictEqual(yield* Effect.flip(open(port, { origin })), 400, origin)
        assert.strictEqual(yield* Effect.flip(open(port, {}, "/me")), 401)
        for (const path of ["/rpc?x=1", "/rpc/"]) assert.isAtLeast(yield* Effect.flip(open(port, {}, path)), 400)
        const wrong = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "12" }
        const key = "dGhlIHNhbXBsZSBub25jZQ=="
        for (const headers of [wrong, { ...wrong, "sec-websocket-key": key }]) {
          const answer = yield* sendTo(port, "GET", "/rpc", { headers })
          assert.strictEqual(answer.status, 400)
          assert.deepInclude(JSON.parse((yield* answer.end).text), { code: "invalid_request" })
        }
        yield* process.says(/400 GET {4}\/rpc/)
      }).pipe(Effect.scoped)
    )

    it.effect("has the token of its request, unless a call brings its own", () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const [person, other] = [yield* signUp(send), yield* signUp(send)]
        const { exit, say } = yield* open(port, { headers: { authorization: `Bearer ${person.token}` } })
        say(call(1, "accounts.me"), call(2, "accounts.me", null, bearer(other)))
        say(call(3, "accounts.me", null, [["authorization", "Bearer nonsense"]]))
        assert.strictEqual(Reflect.get(Object(valueOf(yield* exit(1))), "id"), person.id)
        assert.strictEqual(Reflect.get(Object(valueOf(yield* exit(2))), "id"), other.id)
        assert.strictEqual(failureOf(yield* exit(3))["code"], "unauthenticated")
      }).pipe(Effect.scoped)
    )

    it.effect("is closed when what it says is no message, or is too long, or takes an id that is taken", () =>
      Effect.gen(function* () {
        const { port } = yield* Running
        for (const [text, code] of [
          ["nonsense", 1008],
          ['{"_tag":"Request"}', 1008],
          [`${"[".repeat(100)}${"]".repeat(100)}`, 1008],
          ["x".repeat(1_100_000), 1009]
        ] as const) {
          const { closed, socket } = yield* open(port)
          socket.send(text)
          assert.strictEqual(yield* closed, code, text.slice(0, 40))
        }
        const { closed, say } = yield* open(port)
        const waits = call(1, "accounts.login", { username: "a@b.test", password: "password" })
        say(waits, waits)
        assert.strictEqual(yield* closed, 1008)
      }).pipe(Effect.scoped)
    )

    it.effect("answers pings, and more calls at once than it takes with 429", () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const person = yield* signUp(send)
        const { exit, lines, say, when } = yield* open(port, { headers: { authorization: `Bearer ${person.token}` } })
        say({ _tag: "Ping" })
        yield* when(() => lines.find(({ _tag }) => _tag === "Pong"))
        say(call("slow", "messages.stream", { content: `[[mock {"tokens": 1000, "delay": 1000}]]` }))
        const first = yield* when(() => lines.find(({ requestId }) => requestId === "slow"))
        const id: unknown = Reflect.get(Object(Reflect.get(Object(first["values"]), 0)), "generation_id")
        say(...Array.from({ length: 70 }, (_, n) => call(n, "generations.watch", { id })))
        for (const n of [63, 64, 65, 66, 67, 68, 69])
          assert.deepInclude(failureOf(yield* exit(n)), { code: "too_many_requests", status: 429, retry_after: 1 })
        assert.strictEqual(lines.filter(({ _tag }) => _tag === "Exit").length, 7)
        for (const n of ["slow", ...Array.from({ length: 63 }, (_, n) => n)]) {
          say({ _tag: "Interrupt", requestId: n })
          yield* exit(n)
        }
        say(call("after", "accounts.me"))
        assert.strictEqual(Reflect.get(Object(valueOf(yield* exit("after"))), "id"), person.id)
      }).pipe(Effect.scoped)
    )

    it.effect(
      "is closed when a frame has too many messages, and to a client without a token that keeps on calling",
      () =>
        Effect.gen(function* () {
          const { port, send } = yield* Running
          const person = yield* signUp(send)
          const full = yield* open(port)
          full.say(...Array.from({ length: 129 }, () => ({ _tag: "Ping" })))
          assert.strictEqual(yield* full.closed, 1008)
          const empty = yield* open(port)
          empty.socket.send("\n".repeat(1_000_000))
          assert.strictEqual(yield* empty.closed, 1008)
          const headers = yield* open(port)
          headers.say(
            call(
              1,
              "accounts.me",
              null,
              Array.from({ length: 33 }, () => ["a", "b"])
            )
          )
          assert.strictEqual(yield* headers.closed, 1008)

          const stranger = yield* open(port)
          stranger.say(...Array.from({ length: 100 }, (_, id) => call(id, "accounts.me")))
          assert.strictEqual(yield* stranger.closed, 1008)
          const answered = stranger.lines.filter(({ _tag }) => _tag === "Exit")
          for (const line of answered) assert.deepInclude(failureOf(line), { code: "unauthenticated", status: 401 })
          assert.isBelow(answered.length, 60)

          // One expired token does not end the connection.
          const known = yield* open(port)
          for (let id = 0; id < 20; id++) {
            known.say(call(id, "accounts.me", null, id % 5 === 4 ? bearer(person) : []))
            yield* known.exit(id)
          }
          known.socket.ping("here")
          yield* Effect.callback<void>((resume) => void known.socket.once("pong", () => resume(Effect.void)))
        }).pipe(Effect.scoped)
    )

    it.effect("sends a stream's next piece when the reader has the one before, and nothing is lost meanwhile", () =>
      Effect.gen(function* () {
        const { port, send } = yield* Running
        const person = yield* signUp(send)
        const { exit, lines, say, when } = yield* open(port, { headers: { authorization: `Bearer ${person.token}` } })
        const content = `[[mock {"tokens": 2000, "delay": 0}]]`
        say(call(1, "messages.stream", { content }), call(2, "messages.ask", { content: "Still there?" }))
        yield* exit(2)
        // The answer has to have ended: what is left comes in pieces of some hundred tokens then.
        yield* Effect.repeat(send("GET", "/messages", { token: person.token }), {
          until: ({ body }) => (body["data"] as ReadonlyArray<Line>).every(({ status }) => status === "completed")
        })
        const chunks = () => lines.filter(({ _tag }) => _tag === "Chunk")
        assert.strictEqual(chunks().length, 1)
        while (!lines.some(({ _tag, requestId }) => _tag === "Exit" && requestId === 1)) {
          const before = chunks().length
          say({ _tag: "Ack", requestId: 1 })
          yield* when(() => (chunks().length > before || lines.at(-1)?.["_tag"] === "Exit" ? true : undefined))
        }
        const events = chunks().flatMap(({ values }) => values as ReadonlyArray<Line>)
        assert.deepStrictEqual(
          events.filter(({ type }) => type === "delta").map(({ seq }) => seq),
          Array.from({ length: 2000 }, (_, index) => index + 1)
        )
        assert.isAtMost(chunks().length, 40)
        for (const { values } of chunks()) assert.isAtMost((values as ReadonlyArray<Line>).length, 256)
      }).pipe(Effect.scoped)
    )

    it.effect(
      "ends with the server: calls under way are finished, new ones refused, and the server does not wait for it",
      () =>
        Effect.gen(function* () {
          const { send } = yield* Running
          const stopping = yield* running({ MOCK_TTFT_MS: "0", SHUTDOWN_SECONDS: "10" })
          const person = yield* signUp(send)
          const options = { headers: { authorization: `Bearer ${person.token}` } }
          const [busy, idle] = [yield* open(stopping.port, options), yield* open(stopping.port, options)]
          idle.say(call(1, "accounts.me"))
          yield* idle.exit(1)
          busy.say(call(1, "messages.ask", { content: `[[mock {"tokens": 60, "delay": 20}]]` }))
          busy.say(call(2, "accounts.me"))
          yield* busy.exit(2)
          stopping.process.child.kill("SIGTERM")
          assert.strictEqual(yield* idle.closed, 1001)
          busy.say(call(3, "accounts.me"))
          assert.deepInclude(failureOf(yield* busy.exit(3)), { code: "unavailable", status: 503, retry_after: 1 })
          assert.deepInclude(Object(valueOf(yield* busy.exit(1))), { status: "completed", tokens_out: 60 })
          assert.strictEqual(yield* busy.closed, 1001)
          assert.deepStrictEqual(yield* stopping.process.ended, { code: 0, signal: null })
          assert.match(stopping.process.output().stdout, /101 GET {4}\/rpc/u)
        }).pipe(Effect.scoped),
      // Starts a process of its own.
      60_000
    )
  }
)

import { assert, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { exchange, open, portOf, problemOf, send, sendJson, serving, stage } from "./Serving.ts"
import { redact } from "../../src/logging/Redaction.ts"

/** The lines, read as JSON. */
const entries = (lines: ReadonlyArray<string>): ReadonlyArray<Record<string, unknown>> =>
  lines.map((line) => JSON.parse(line))

it.live("a probe that finds everything well is no line of the log, unless all is logged", () =>
  Effect.gen(function* () {
    const on = yield* stage
    yield* Effect.gen(function* () {
      const port = yield* portOf
      yield* send(port, "GET", "/health", ["x-request-id: probe"])
      yield* send(port, "POST", "/health", ["x-request-id: wrong"])
      yield* send(port, "GET", "/open", ["x-request-id: request"])
    }).pipe(Effect.provide(serving(on)))
    assert.deepStrictEqual(
      entries(on.lines).map((entry) => entry["request_id"]),
      ["wrong", "request"]
    )
    const all = yield* stage
    yield* Effect.flatMap(portOf, (port) => send(port, "GET", "/health")).pipe(
      Effect.provide(serving(all, {}, { level: "Debug" }))
    )
    assert.strictEqual(all.lines.length, 1)
  })
)

it.live("one line a request: who, which route, how it went, and nothing of what was sent", () =>
  Effect.gen(function* () {
    const on = yield* stage
    yield* Effect.gen(function* () {
      const port = yield* portOf
      yield* send(port, "GET", "/me", ["authorization: Bearer good", "x-request-id: one"])
      yield* send(port, "GET", "/things/01890000-0000-7000-8000-000000000001?note=my+secret+prompt", [
        "x-request-id: two"
      ])
      yield* sendJson(port, "/name", '{"name":"hunter2"}', ["x-request-id: three"])
      yield* send(port, "GET", "/a/path/with/hunter2", ["x-request-id: four"])
    }).pipe(Effect.provide(serving(on)))
    const text = on.lines.join("")
    for (const secret of ["good", "hunter2", "prompt", "000000000001?"]) assert.notInclude(text, secret)
    assert.deepStrictEqual(
      entries(on.lines).map(({ client, duration_ms, time, ...rest }) => [
        typeof duration_ms,
        String(time).length,
        client,
        rest
      ]),
      [
        [
          "number",
          24,
          "127.0.0.1",
          {
            level: "info",
            message: "request",
            request_id: "one",
            tenant: "01890000-0000-7000-8000-000000000001",
            user: "01890000-0000-7000-8000-000000000002",
            method: "GET",
            route: "/me",
            status: 200
          }
        ],
        [
          "number",
          24,
          "127.0.0.1",
          { level: "info", message: "request", request_id: "two", method: "GET", route: "/things/:id", status: 200 }
        ],
        [
          "number",
          24,
          "127.0.0.1",
          { level: "info", message: "request", request_id: "three", method: "POST", route: "/name", status: 200 }
        ],
        [
          "number",
          24,
          "127.0.0.1",
          { level: "info", message: "request", request_id: "four", method: "GET", route: "-", status: 404 }
        ]
      ]
    )
  })
)

it.live("what is refused before any handler is logged with its route, and with the id its answer has", () =>
  Effect.gen(function* () {
    const on = yield* stage
    const answers = yield* Effect.gen(function* () {
      const port = yield* portOf
      return [
        yield* send(port, "DELETE", "/me"),
        yield* send(port, "GET", "/things/01890000-0000-7000-8000-000000000001?limit=1&limit=2"),
        yield* send(port, "HEAD", "/costly"),
        yield* exchange(port, "nonsense\r\n\r\n")
      ]
    }).pipe(Effect.provide(serving(on)))
    assert.deepStrictEqual(
      entries(on.lines).map(({ request_id, route, status }) => [status, route, request_id]),
      answers.map(({ headers, status }, n) => [
        status,
        ["/me", "/things/:id", "/costly", "-"][n],
        headers["x-request-id"]
      ])
    )
  })
)

it.live("a defect is logged once, with the request's id and without secrets, and the client learns nothing of it", () =>
  Effect.gen(function* () {
    const on = yield* stage
    const answer = yield* Effect.flatMap(portOf, (port) => send(port, "GET", "/boom", ["x-request-id: the-one"])).pipe(
      Effect.provide(serving(on))
    )
    assert.strictEqual(answer.status, 500)
    assert.deepStrictEqual(Object.keys(yield* problemOf(answer)).toSorted(), [
      "code",
      "detail",
      "request_id",
      "status",
      "title",
      "type"
    ])
    for (const inner of ["select", "postgres", "hunter2", "Error", ".ts"]) assert.notInclude(answer.body, inner)
    const [defect, request, ...more] = entries(on.lines)
    assert.deepStrictEqual(
      [defect?.["level"], defect?.["request_id"], request?.["status"], more.length],
      ["error", "the-one", 500, 0]
    )
    assert.include(defect?.["cause"], "postgres://***@db/x")
    assert.notInclude(on.lines.join(""), "hunter2")
  })
)

it.live("a client that leaves is logged as such, with its route", () =>
  Effect.gen(function* () {
    const on = yield* stage
    yield* Effect.gen(function* () {
      const socket = yield* open(yield* portOf)
      socket.write("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
      yield* Deferred.await(on.entered)
      socket.destroy()
      yield* Deferred.await(on.written)
    }).pipe(Effect.provide(serving(on)))
    assert.deepStrictEqual(
      entries(on.lines).map(({ route, status }) => [route, status]),
      [["/slow", 499]]
    )
  })
)

it.live("LOG_LEVEL leaves out what is below it", () =>
  Effect.gen(function* () {
    const on = yield* stage
    yield* Effect.gen(function* () {
      const port = yield* portOf
      yield* send(port, "GET", "/open")
      yield* send(port, "GET", "/boom")
    }).pipe(Effect.provide(serving(on, {}, { level: "Error" })))
    assert.deepStrictEqual(
      entries(on.lines).map(({ level }) => level),
      ["error", "error"]
    )
  })
)

it.live("development has readable lines", () =>
  Effect.gen(function* () {
    const on = yield* stage
    yield* Effect.flatMap(portOf, (port) =>
      send(port, "GET", "/me", ["authorization: Bearer good", "x-request-id: abc"])
    ).pipe(Effect.provide(serving(on, {}, { format: "readable" })))
    assert.match(
      on.lines.join(""),
      /^\d\d:\d\d:\d\d\.\d{3} 200 GET {4}\/me \d+\.\d ms request_id=abc tenant=01890000-\S+ user=01890000-\S+\n$/
    )
  })
)

it("redaction takes out what is secret and leaves what is not", () => {
  const cases = [
    ["postgres://llm_api:p4ss@host/db", "postgres://***@host/db"],
    ["Bearer abc.DEF-123_~+/=", "Bearer ***"],
    ["token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln here", "token *** here"],
    ["$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", "***"],
    ["sk-proj-0123456789abcdef", "***"],
    ['{"password":"a b","x":1}', '{"password":***,"x":1}'],
    ["api_key=abc&x=1", "api_key=***&x=1"],
    ["Key (tenant_id, email)=(1, alice@acme.com) already exists.", "Key (tenant_id, email)=(***) already exists."],
    ['invalid input syntax for type uuid: "hunter2"', "invalid input syntax for type uuid: ***"],
    ['Expected string, got "hunter2"', "Expected string, got ***"],
    ["relation app.users does not exist", "relation app.users does not exist"]
  ] as const
  for (const [text, safe] of cases) assert.strictEqual(redact(text), safe)
  assert.isBelow(redact("x".repeat(100_000)).length, 10_000)
})

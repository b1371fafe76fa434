import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { gzipSync } from "node:zlib"
import { exchange, portOf, problemOf, send, sendJson, serving, stage } from "./Serving.ts"

const Bad = Layer.unwrap(Effect.map(stage, (on) => serving(on, { maxBodyBytes: 250_000 })))

/** Requests, with the status and code of their refusal. */
const CASES: ReadonlyArray<
  readonly [what: string, status: number, code: string, ask: (port: number) => ReturnType<typeof send>]
> = [
  ["an unknown path", 404, "not_found", (port) => send(port, "GET", "/nope")],
  ["a doubled slash", 404, "not_found", (port) => send(port, "GET", "//open")],
  ["a trailing slash", 404, "not_found", (port) => send(port, "GET", "/open/")],
  ["another case", 404, "not_found", (port) => send(port, "GET", "/OPEN")],
  ["path parameters", 404, "not_found", (port) => send(port, "GET", "/open;a=1")],
  ["another scheme", 404, "not_found", (port) => send(port, "GET", "ftp://localhost/open")],
  ["a method of other paths", 405, "method_not_allowed", (port) => send(port, "DELETE", "/open")],
  ["a method that no path has", 405, "method_not_allowed", (port) => send(port, "PROPFIND", "/open")],
  ["a method that does not exist", 405, "method_not_allowed", (port) => send(port, "FROBNICATE", "/open")],
  ["a method that does not exist on an unknown path", 404, "not_found", (port) => send(port, "FROBNICATE", "/nope")],
  ["CONNECT", 405, "method_not_allowed", (port) => send(port, "CONNECT", "localhost:80")],
  [
    "an unsupported content type",
    415,
    "unsupported_media_type",
    (port) => send(port, "POST", "/name", ["content-type: text/plain"], "hello")
  ],
  [
    "a compressed body",
    415,
    "unsupported_media_type",
    (port) => sendJson(port, "/name", gzipSync('{"name": "a"}'), ["content-encoding: gzip"])
  ],
  ["no JSON", 400, "malformed_json", (port) => sendJson(port, "/name", '{"name": ')],
  ["no body", 400, "invalid_request", (port) => sendJson(port, "/name", "")],
  ["JSON of another shape", 400, "invalid_request", (port) => sendJson(port, "/name", '{"name": 7}')],
  [
    "JSON 100,000 levels deep",
    400,
    "invalid_request",
    (port) => sendJson(port, "/name", `{"name":${"[".repeat(100_000)}${"]".repeat(100_000)}}`)
  ],
  ["JSON that opens and never closes", 400, "invalid_request", (port) => sendJson(port, "/name", "[".repeat(100_000))],
  ["NUL in a string", 400, "invalid_request", (port) => sendJson(port, "/name", '{"name": "a\\u0000b"}')],
  ["a lone surrogate", 400, "invalid_request", (port) => sendJson(port, "/name", '{"name": "\\ud800"}')],
  [
    "a body that is not UTF-8",
    400,
    "invalid_utf8",
    (port) => sendJson(port, "/name", Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x7d]))
  ],
  [
    "a form that is not UTF-8",
    400,
    "invalid_utf8",
    (port) =>
      send(port, "POST", "/login", ["content-type: application/x-www-form-urlencoded"], "username=%ff&password=x")
  ],
  [
    "NUL in a form",
    400,
    "invalid_request",
    (port) =>
      send(port, "POST", "/login", ["content-type: application/x-www-form-urlencoded"], "username=%00&password=x")
  ],
  [
    "a form field twice",
    400,
    "invalid_request",
    (port) =>
      send(
        port,
        "POST",
        "/login",
        ["content-type: application/x-www-form-urlencoded"],
        "username=a&username=b&password=x"
      )
  ],
  ["a path that is not UTF-8", 400, "invalid_utf8", (port) => send(port, "GET", "/things/%ff")],
  ["a query that is not UTF-8", 400, "invalid_utf8", (port) => send(port, "GET", "/open?a=%c3%28")],
  ["a broken escape", 400, "invalid_request", (port) => send(port, "GET", "/open?a=%zz")],
  ["bytes beyond ASCII in the path", 400, "malformed_request", (port) => send(port, "GET", "/caf\u00e9")],
  ["NUL in the path", 400, "invalid_request", (port) => send(port, "GET", "/things/%00")],
  ["NUL in the query", 400, "invalid_request", (port) => send(port, "GET", "/open?note=%00")],
  [
    "a query key twice",
    400,
    "invalid_request",
    (port) => send(port, "GET", "/things/01890000-0000-7000-8000-000000000001?limit=1&limit=2")
  ],
  [
    "a query key twice, spelled differently",
    400,
    "invalid_request",
    (port) => send(port, "GET", "/open?limit=1&l%69mit=2")
  ],
  ["an unknown query key", 400, "unknown_parameter", (port) => send(port, "GET", "/open?utm_source=1")],
  ["a query key of another endpoint", 400, "unknown_parameter", (port) => send(port, "GET", "/open?limit=1")],
  [
    "an unknown query key, of a POST",
    400,
    "unknown_parameter",
    (port) => send(port, "POST", "/name?x", ["content-type: application/json"], '{"name": "a"}')
  ],
  [
    "a hexadecimal number",
    400,
    "invalid_request",
    (port) => send(port, "GET", "/things/01890000-0000-7000-8000-000000000001?limit=0x10")
  ],
  ["an id that is none", 404, "not_found", (port) => send(port, "GET", "/things/7")],
  [
    "a body that is announced too large",
    413,
    "payload_too_large",
    (port) =>
      exchange(
        port,
        "POST /name HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 250001\r\n\r\n"
      )
  ],
  [
    "a body that becomes too large",
    413,
    "payload_too_large",
    (port) =>
      exchange(
        port,
        `POST /name HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${`2710\r\n${"x".repeat(10_000)}\r\n`.repeat(30)}`
      )
  ],
  [
    "2 MB, all sent before anything is read",
    413,
    "payload_too_large",
    (port) => sendJson(port, "/name", "x".repeat(2_000_000))
  ],
  ["no host", 400, "invalid_request", (port) => exchange(port, "GET /open HTTP/1.1\r\nconnection: close\r\n\r\n")],
  [
    "no host, of a constant answer",
    400,
    "invalid_request",
    (port) => exchange(port, "GET /health HTTP/1.1\r\nconnection: close\r\n\r\n")
  ],
  [
    "two hosts",
    400,
    "invalid_request",
    (port) => exchange(port, "GET /open HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n")
  ],
  [
    "an expectation that the server does not meet",
    417,
    "expectation_failed",
    (port) => send(port, "POST", "/name", ["expect: a-miracle"], "{}")
  ],
  ["what is no HTTP", 400, "malformed_request", (port) => exchange(port, "\u0016\u0003\u0001 hello\r\n\r\n")],
  [
    "a header with a control character",
    400,
    "malformed_request",
    (port) => send(port, "GET", "/open", ["x-a: \u0001"])
  ],
  [
    "two lengths",
    400,
    "malformed_request",
    (port) => send(port, "POST", "/name", ["content-length: 3", "content-length: 4"])
  ],
  [
    "a length and chunks",
    400,
    "malformed_request",
    (port) => send(port, "POST", "/name", ["transfer-encoding: chunked"], "0\r\n\r\n")
  ],
  [
    "headers without end",
    431,
    "headers_too_large",
    (port) => send(port, "GET", "/open", [`x-a: ${"a".repeat(40_000)}`])
  ]
]

it.layer(Bad)("invalid requests", (it) => {
  for (const [what, status, code, ask] of CASES) {
    it.effect(`${what}: ${status} ${code}`, () =>
      Effect.gen(function* () {
        const answer = yield* ask(yield* portOf)
        assert.deepStrictEqual([answer.status, (yield* problemOf(answer)).code], [status, code])
      })
    )
  }

  it.effect("a 405 says what is allowed", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      assert.strictEqual((yield* send(port, "DELETE", "/open")).headers["allow"], "GET, HEAD, OPTIONS")
      assert.strictEqual((yield* send(port, "FROBNICATE", "/name")).headers["allow"], "POST, OPTIONS")
      assert.strictEqual((yield* send(port, "HEAD", "/costly")).headers["allow"], "GET, OPTIONS")
    })
  )

  it.effect("an error says where and why, and never what was sent", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      const secret = "hunter2-and-a-lot-more"
      const login = yield* sendJson(port, "/login", JSON.stringify({ username: { secret }, password: [secret] }))
      assert.notInclude(login.body, "hunter2")
      assert.deepStrictEqual(
        (yield* problemOf(login)).errors?.map(({ path }) => path),
        [["payload", "username"]]
      )
      const twice = yield* send(port, "GET", `/open?token=${secret}&token=${secret}`)
      assert.notInclude(twice.body, "hunter2")
      assert.deepStrictEqual((yield* problemOf(twice)).errors?.[0]?.path, ["query", "token"])
      const deep = yield* problemOf(yield* send(port, "GET", "/things/01890000-0000-7000-8000-000000000001?limit=0x10"))
      assert.deepStrictEqual(deep.errors, [
        { path: ["query", "limit"], message: "Expected a whole number from 1 to 100" }
      ])
      const shape = yield* problemOf(yield* sendJson(port, "/login", "7"))
      assert.deepStrictEqual(shape.errors, [{ path: ["payload"], message: "Expected an object" }])
    })
  )

  it.effect("after a refusal the connection is of further use, unless the body was too large", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      const both = yield* exchange(
        port,
        "GET /nope HTTP/1.1\r\nhost: a\r\n\r\nGET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
      )
      assert.include(both.body, '{"status":"ok"}')
      const large = yield* sendJson(port, "/name", "x".repeat(300_000))
      assert.strictEqual(large.headers["connection"], "close")
    })
  )

  it.effect("what is unusual but fine is served", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      const served = yield* Effect.all([
        send(port, "GET", "http://elsewhere.example/open"),
        send(port, "GET", "/docs?unknown=1&utm=2"),
        send(port, "GET", "/%6fpen"),
        send(port, "GET", "/open", ["upgrade: h2c", "connection: upgrade, http2-settings"]),
        exchange(port, "GET /open HTTP/1.0\r\n\r\n"),
        sendJson(port, "/name", '\ufeff{"name": "caf\u00e9 \\\\u0000", "name2": "\\u0000"}')
      ])
      assert.deepStrictEqual(
        served.map(({ status }) => status),
        served.map(() => 200)
      )
      const stray = yield* send(
        port,
        "POST",
        "/login",
        ["content-type: application/x-www-form-urlencoded"],
        "username=a&password=100%"
      )
      assert.strictEqual(stray.status, 429)
    })
  )

  it.effect("100-continue is asked for, and given unless the body is too large", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      const head =
        "POST /name HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\nexpect: 100-continue\r\nconnection: close\r\n"
      const fine = yield* exchange(port, `${head}content-length: 12\r\n\r\n{"name":"a"}`)
      assert.strictEqual(fine.status, 100)
      assert.include(fine.body, "HTTP/1.1 200 OK")
      const large = yield* exchange(port, `${head}content-length: 900000\r\n\r\n`)
      assert.strictEqual(large.status, 413)
    })
  )
})

import { assert, it } from "@effect/vitest"
import { type ProblemCode, PROBLEMS } from "@llm-saas/domain/Problem"
import { Effect, Layer } from "effect"
import { gzipSync } from "node:zlib"
import { open, parse, portOf, problemOf, type RawAnswer, read, send, serving, stage } from "../http/Serving.ts"

const Doors = Layer.unwrap(Effect.map(stage, (on) => serving(on, { maxBodyBytes: 20_000, maxV1BodyBytes: 50_000 })))

/** The error that an answer of a door is, whole; it fails where it is none. */
const errorOf = (door: "openai" | "anthropic", { body, headers, status }: RawAnswer) => {
  const problem: unknown = JSON.parse(body)
  const where = `${status} ${body}`
  assert.strictEqual(headers["content-type"], "application/json", where)
  assert.notInclude(body, "/problems/")
  const member = (value: unknown, name: string): unknown => Reflect.get(Object(value), name)
  const error = member(problem, "error")
  assert.isString(member(error, "message"), where)
  assert.isNotEmpty(member(error, "message"), where)
  assert.isString(member(error, "type"), where)
  if (door === "openai") {
    assert.hasAllKeys(problem, ["error"], where)
    assert.hasAllKeys(error, ["message", "type", "param", "code"], where)
  } else {
    assert.hasAllKeys(problem, ["type", "error", "request_id"], where)
    assert.hasAllKeys(error, ["type", "message"], where)
    assert.strictEqual(member(problem, "type"), "error")
    assert.strictEqual(member(problem, "request_id"), headers["x-request-id"], where)
  }
  assert.strictEqual(headers["request-id"], door === "anthropic" ? headers["x-request-id"] : undefined, where)
  assert.isString(headers["x-request-id"])
  return {
    type: member(error, "type"),
    message: member(error, "message"),
    param: member(error, "param"),
    code: member(error, "code"),
    retry: headers["x-should-retry"]
  }
}

const PATHS = { openai: "/v1/chat/completions", anthropic: "/v1/messages" } as const
const DOORS = ["openai", "anthropic"] as const
const BEARER = "authorization: Bearer good"
const GOOD = [BEARER, "content-type: application/json"]

const failing = (port: number, path: string, code: ProblemCode, more: object = {}) =>
  send(port, "POST", path, [...GOOD, `fail: ${JSON.stringify({ code, status: PROBLEMS[code].status, ...more })}`], "{}")

/** What a refusal of the edge is asked with: the method, the path behind the door's, and lines of the head. */
const REFUSALS: ReadonlyArray<
  readonly [what: string, status: number, ask: (port: number, path: string) => ReturnType<typeof send>]
> = [
  ["an unknown path", 404, (port, path) => send(port, "POST", `${path}/nope`, GOOD, "{}")],
  ["a slash too many", 404, (port, path) => send(port, "POST", `${path}/`, GOOD, "{}")],
  ["path parameters", 404, (port, path) => send(port, "POST", `${path};a=1`, GOOD, "{}")],
  ["another method", 405, (port, path) => send(port, "DELETE", path, GOOD)],
  ["a GET of what is posted", 405, (port, path) => send(port, "GET", path, GOOD)],
  ["a method that does not exist", 405, (port, path) => send(port, "FROBNICATE", path, GOOD)],
  [
    "a method that does not exist, on an unknown path",
    404,
    (port, path) => send(port, "FROBNICATE", `${path}/x`, GOOD)
  ],
  ["a broken escape", 400, (port, path) => send(port, "POST", `${path}?a=%zz`, GOOD, "{}")],
  ["a repeated parameter", 400, (port, path) => send(port, "POST", `${path}?a=1&a=2`, GOOD, "{}")],
  ["no credential", 401, (port, path) => send(port, "POST", path, ["content-type: application/json"], "{}")],
  ["a wrong credential", 401, (port, path) => send(port, "POST", path, ["authorization: Bearer bad"], "{}")],
  ["a body that says it is too large", 413, (port, path) => send(port, "POST", path, GOOD, "x".repeat(50_001))],
  ["no JSON", 400, (port, path) => send(port, "POST", path, GOOD, '{"name":')],
  ["no body", 400, (port, path) => send(port, "POST", path, GOOD)],
  ["JSON that is no object", 400, (port, path) => send(port, "POST", path, GOOD, "[{}]")],
  [
    "JSON 100 levels deep",
    400,
    (port, path) => send(port, "POST", path, GOOD, `{"a":${"[".repeat(100)}${"]".repeat(100)}}`)
  ],
  ["JSON that opens and never closes", 400, (port, path) => send(port, "POST", path, GOOD, "[".repeat(40_000))],
  ["a body that is not UTF-8", 400, (port, path) => send(port, "POST", path, GOOD, Uint8Array.of(0x22, 0xff, 0x22))],
  [
    "a form",
    415,
    (port, path) => send(port, "POST", path, [BEARER, "content-type: application/x-www-form-urlencoded"], "a=1")
  ],
  [
    "a compressed body",
    415,
    (port, path) => send(port, "POST", path, [...GOOD, "content-encoding: gzip"], gzipSync("{}"))
  ],
  ["an expectation", 417, (port, path) => send(port, "POST", path, [...GOOD, "expect: a-miracle"], "{}")],
  ["two hosts", 400, (port, path) => send(port, "POST", path, [...GOOD, "host: b"], "{}")],
  [
    "headers that are too large",
    431,
    (port, path) => send(port, "POST", path, [...GOOD, `x-a: ${"a".repeat(20_000)}`], "{}")
  ],
  ["a broken header", 400, (port, path) => send(port, "POST", path, [...GOOD, "b\u0000ad"], "{}")],
  ["a defect", 500, (port, path) => send(port, "POST", path, [...GOOD, "fail: defect"], "{}")]
]

it.layer(Doors)("errors below /v1", (it) => {
  it.effect("have the form of their door, whichever part of the server refuses", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      for (const door of DOORS) {
        for (const [what, status, ask] of REFUSALS) {
          const answer = yield* ask(port, PATHS[door])
          assert.strictEqual(answer.status, status, `${door}: ${what}: ${answer.body}`)
          const { message, retry } = errorOf(door, answer)
          assert.strictEqual(retry, status < 500 ? "false" : undefined, what)
          assert.notInclude(String(message), "hunter2")
          if (status === 405) assert.include(answer.headers["allow"], "POST")
          if (status === 401)
            assert.strictEqual(
              answer.headers["www-authenticate"],
              what === "no credential" ? "Bearer" : 'Bearer error="invalid_token"'
            )
        }
      }
    })
  )

  it.effect("have it for every problem there is, and say which a retry may change", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      const codes = Object.keys(PROBLEMS).filter((code): code is ProblemCode => code in PROBLEMS)
      for (const door of DOORS) {
        for (const code of codes) {
          const answer = yield* failing(port, PATHS[door], code, { retry_after: 7 })
          const { message, retry } = errorOf(door, answer)
          assert.strictEqual(message, "What is wrong.")
          const { status } = PROBLEMS[code]
          assert.include([status, 400], answer.status, code)
          // Nothing that we refuse is called a failure of ours.
          assert.strictEqual(answer.status >= 500, status >= 500, code)
          const passing =
            ["request_timeout", "too_many_requests", "still_running", "limit_reached", "budget_exhausted"].includes(
              code
            ) || status >= 500
          assert.strictEqual(retry, passing ? undefined : "false", code)
          assert.strictEqual(answer.headers["retry-after"], [409, 429, 503].includes(status) ? "7" : undefined, code)
        }
        for (const reason of ["model_unauthorized", "answer_too_long", "model_error", "model_rejected"]) {
          const answer = yield* failing(port, PATHS[door], "model_failed", { reason })
          assert.strictEqual(answer.status, 502)
          assert.strictEqual(errorOf(door, answer).retry, reason === "model_error" ? undefined : "false")
        }
        // Reserved for answers that run, it may be there again in a moment; gone, it is not.
        const gone = yield* failing(port, PATHS[door], "budget_exhausted")
        assert.deepStrictEqual([gone.status, errorOf(door, gone).retry], [429, "false"])
        assert.notProperty(gone.headers, "retry-after")
        for (const code of ["context_too_long", "content_filtered", "prompt_rejected", "prompt_too_long"] as const)
          assert.strictEqual((yield* failing(port, PATHS[door], code)).status, 400)
      }
    })
  )

  it.effect("name the member that is wrong", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      const errors = [{ path: ["payload", "messages", 0, "role"], message: "Expected text" }]
      const answer = yield* failing(port, PATHS.openai, "invalid_request", { errors })
      assert.strictEqual(errorOf("openai", answer).param, "messages.0.role")
      const none = yield* failing(port, PATHS.openai, "invalid_request")
      assert.isNull(errorOf("openai", none).param)
    })
  )

  it.effect("are Anthropic's at the models too, for a client that names its version, and ours at GET /v1/key", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      const version = ["anthropic-version: 2026-10-21"]
      errorOf("openai", yield* send(port, "POST", "/v1/models"))
      errorOf("anthropic", yield* send(port, "POST", "/v1/models", version))
      errorOf("anthropic", yield* send(port, "GET", "/v1/models/", version))
      errorOf("openai", yield* send(port, "POST", "/v1/chat/completions", version))
      errorOf("openai", yield* send(port, "GET", "/v1"))
      errorOf("openai", yield* send(port, "GET", "/v1/messagesx"))
      yield* problemOf(yield* send(port, "POST", "/v1/key"))
      yield* problemOf(yield* send(port, "GET", "/v1x"))
      // The router reads an escaped letter as the letter.
      errorOf("anthropic", yield* send(port, "DELETE", "/%76%31/messages"))
      errorOf("openai", yield* send(port, "DELETE", "/v1/chat/%63ompletions"))
    })
  )

  it.effect("come for a body that does not say its length, too, and end its connection", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      for (const door of DOORS) {
        const socket = yield* open(port)
        socket.write(`POST ${PATHS[door]} HTTP/1.1\r\nhost: a\r\n${BEARER}\r\ntransfer-encoding: chunked\r\n\r\n`)
        socket.write(`ffff\r\n${"x".repeat(0xffff)}\r\n`)
        const answer = parse(yield* read(socket))
        assert.strictEqual(answer.status, 413)
        errorOf(door, answer)
        assert.strictEqual(answer.headers["connection"], "close")
      }
    }).pipe(Effect.scoped)
  )

  it.effect("come before the body of a stranger is read", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      for (const door of DOORS) {
        for (const credential of ["", "authorization: Bearer bad\r\n"]) {
          const socket = yield* open(port)
          // Nothing of the body is sent.
          socket.write(`POST ${PATHS[door]} HTTP/1.1\r\nhost: a\r\n${credential}content-length: 40000\r\n\r\n`)
          const answer = parse(yield* read(socket, (text) => text.includes("}")))
          assert.strictEqual(answer.status, 401)
        }
      }
    }).pipe(Effect.scoped)
  )

  it.effect("do not come for parameters that we do not know", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      for (const door of DOORS) {
        const { headers, status } = yield* send(port, "POST", `${PATHS[door]}?beta=true&api-version=1`, GOOD, "{}")
        assert.strictEqual(status, 200)
        assert.strictEqual(headers["request-id"], door === "anthropic" ? headers["x-request-id"] : undefined)
      }
      assert.strictEqual(
        (yield* problemOf(yield* send(port, "POST", "/name?beta=true", GOOD, "{}"))).code,
        "unknown_parameter"
      )
    })
  )

  it.effect("do not come for a body that only other addresses find too large", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      const body = `{"name":"${"x".repeat(30_000)}"}`
      assert.strictEqual((yield* send(port, "POST", PATHS.openai, GOOD, body)).status, 200)
      assert.strictEqual((yield* problemOf(yield* send(port, "POST", "/name", GOOD, body))).code, "payload_too_large")
    })
  )
})

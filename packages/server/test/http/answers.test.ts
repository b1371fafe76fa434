import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { type RawAnswer, portOf, problemOf, send, sendJson, serving, stage } from "./Serving.ts"

const ORIGIN = "https://app.acme.test"
const SAME = [
  "x-content-type-options",
  "referrer-policy",
  "cross-origin-opener-policy",
  "cross-origin-resource-policy",
  "content-security-policy",
  "x-request-id"
]

const Shared = Layer.unwrap(Effect.map(stage, (on) => serving(on, { allowedOrigins: [ORIGIN] })))
const Closed = Layer.unwrap(Effect.map(stage, (on) => serving(on, { production: true })))

const bearer = (token: string) => [`authorization: Bearer ${token}`]

it.layer(Shared)("answers", (it) => {
  it.effect("every answer has the server's headers, errors and Node's own too", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      const answers = yield* Effect.all([
        send(port, "GET", "/health"),
        send(port, "HEAD", "/open"),
        send(port, "GET", "/nope"),
        send(port, "GET", "/boom"),
        send(port, "OPTIONS", "/open"),
        send(port, "GET", "/docs"),
        send(port, "POST", "/name", ["expect: a-miracle"])
      ])
      for (const { headers } of answers) assert.containsAllKeys(headers, SAME)
    })
  )

  it.effect("a sane request id is kept, any other is replaced, and the handler sees the same", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      const kept = yield* send(port, "GET", "/open", ["x-request-id: trace-01.A_b"])
      assert.strictEqual(kept.headers["x-request-id"], "trace-01.A_b")
      assert.strictEqual(kept.body, '{"request_id":"trace-01.A_b"}')
      for (const bad of ["a b", '"}', "x".repeat(129), "é"]) {
        const { headers } = yield* send(port, "GET", "/health", [`x-request-id: ${bad}`])
        assert.match(headers["x-request-id"] ?? "", /^[0-9a-f-]{36}$/)
      }
      const made = yield* Effect.all([send(port, "GET", "/open"), send(port, "GET", "/open")])
      assert.strictEqual(new Set(made.map(({ headers }) => headers["x-request-id"])).size, 2)
    })
  )

  it.effect("no answer but the documentation may be cached", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      for (const answer of [
        yield* send(port, "GET", "/me", bearer("good")),
        yield* send(port, "GET", "/me"),
        yield* sendJson(port, "/login", "{}")
      ]) {
        assert.strictEqual(answer.headers["cache-control"], "no-store")
      }
    })
  )

  it.effect("401 asks for a bearer token, and says that one was not good", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      const none = yield* send(port, "GET", "/me")
      assert.deepStrictEqual([none.status, none.headers["www-authenticate"]], [401, "Bearer"])
      assert.strictEqual((yield* problemOf(none)).code, "unauthenticated")
      const bad = yield* send(port, "GET", "/me", bearer("bad"))
      assert.deepStrictEqual([bad.status, bad.headers["www-authenticate"]], [401, 'Bearer error="invalid_token"'])
      assert.strictEqual((yield* send(port, "GET", "/me", bearer("good"))).status, 200)
    })
  )

  it.effect("a client without a token is told nothing of its body", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* sendJson(yield* portOf, "/mine", '{"name":')).status, 401)
      assert.strictEqual(
        (yield* problemOf(yield* sendJson(yield* portOf, "/mine", '{"name":', bearer("good")))).code,
        "malformed_json"
      )
    })
  )

  it.effect("429 says in the header too when to retry", () =>
    Effect.gen(function* () {
      const answer = yield* sendJson(yield* portOf, "/login", '{"username":"a","password":"b"}')
      assert.deepStrictEqual([answer.status, answer.headers["retry-after"]], [429, "7"])
      assert.strictEqual((yield* problemOf(answer)).code, "too_many_requests")
    })
  )

  it.effect("HEAD is GET without the body", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      for (const path of ["/health", "/open"]) {
        const [head, get] = yield* Effect.all([send(port, "HEAD", path), send(port, "GET", path)])
        assert.deepStrictEqual(
          [head.status, head.body, head.headers["content-length"]],
          [200, "", get.headers["content-length"]]
        )
      }
    })
  )

  it.effect("an allowed origin may ask and read", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      const asked = yield* send(port, "OPTIONS", "/name", [`origin: ${ORIGIN}`, "access-control-request-method: POST"])
      assert.strictEqual(asked.status, 204)
      assert.strictEqual(asked.headers["access-control-allow-origin"], ORIGIN)
      assert.strictEqual(asked.headers["access-control-allow-methods"], "POST, OPTIONS")
      assert.include(asked.headers["access-control-allow-headers"], "authorization")
      const answer = yield* send(port, "GET", "/nope", [`origin: ${ORIGIN}`])
      assert.strictEqual(answer.headers["access-control-allow-origin"], ORIGIN)
      assert.include(answer.headers["access-control-expose-headers"], "x-request-id")
      assert.include(answer.headers["access-control-expose-headers"], "retry-after")
      assert.notProperty(answer.headers, "access-control-allow-credentials")
    })
  )

  it.effect("an origin that is not exactly allowed is told nothing", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      for (const origin of [
        "null",
        "*",
        `${ORIGIN}.evil.test`,
        `${ORIGIN}:443`,
        "http://app.acme.test",
        ORIGIN.toUpperCase(),
        `${ORIGIN}/`
      ]) {
        const asked = yield* send(port, "OPTIONS", "/name", [
          `origin: ${origin}`,
          "access-control-request-method: POST"
        ])
        const answer = yield* send(port, "GET", "/health", [`origin: ${origin}`])
        for (const { headers } of [asked, answer]) {
          assert.strictEqual(headers["vary"], "Origin")
          assert.deepStrictEqual(
            Object.keys(headers).filter((name) => name.startsWith("access-control-")),
            []
          )
        }
      }
    })
  )

  it.effect("OPTIONS tells the methods, of the server too, and 404 where there is nothing", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      assert.strictEqual((yield* send(port, "OPTIONS", "/open")).headers["allow"], "GET, HEAD, OPTIONS")
      assert.strictEqual((yield* send(port, "OPTIONS", "*")).status, 204)
      assert.strictEqual((yield* send(port, "OPTIONS", "/nope")).status, 404)
    })
  )

  it.effect("/docs runs its own script only, and loads nothing from other servers", () =>
    Effect.gen(function* () {
      const port = yield* portOf
      const docs: RawAnswer = yield* send(port, "GET", "/docs")
      assert.strictEqual(docs.status, 200)
      assert.match(docs.headers["content-security-policy"] ?? "", /script-src 'sha256-[^']+'; .*connect-src 'self'/)
      assert.notMatch(docs.body, /<(?:script|link|img|iframe)[^>]+(?:src|href)=/)
      const spec = yield* send(port, "GET", "/openapi.json")
      assert.strictEqual(JSON.parse(spec.body).openapi.slice(0, 3), "3.1")
      const etag = spec.headers["etag"] ?? ""
      assert.notStrictEqual(etag, "")
      assert.strictEqual((yield* send(port, "GET", "/openapi.json", [`if-none-match: W/${etag}`])).status, 304)
      assert.strictEqual(
        (yield* send(port, "GET", "/openapi.json", ["accept-encoding: gzip, br"])).headers["content-encoding"],
        "gzip"
      )
    })
  )
})

it.layer(Closed)("in production, for no page", (it) => {
  it.effect("HSTS, and no CORS headers", () =>
    Effect.gen(function* () {
      const { headers } = yield* send(yield* portOf, "GET", "/health", [`origin: ${ORIGIN}`])
      assert.strictEqual(headers["strict-transport-security"], "max-age=31536000")
      assert.notProperty(headers, "vary")
      assert.notProperty(headers, "access-control-allow-origin")
    })
  )
})

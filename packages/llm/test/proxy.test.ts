import { assert, describe, it } from "@effect/vitest"
import { ofTexts } from "@llm-saas/domain/ModelRequest"
import { Llm } from "@llm-saas/engine/generations/Llm"
import { OpenAiLayer, type OpenAiOptions } from "@llm-saas/llm/OpenAi"
import { chunk, DONE } from "@llm-saas/testing/FakeUpstream"
import { Effect, Layer, Logger, Redacted, References, Result } from "effect"
import { createServer, type Server } from "node:http"
import { createServer as createSecureServer } from "node:https"
import { connect, type Socket } from "node:net"
import { getCACertificates, setDefaultCACertificates } from "node:tls"

// A certificate for provider.test, only for this test.
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBTTCB9KADAgECAgEBMAoGCCqGSM49BAMCMBgxFjAUBgNVBAMMDXByb3ZpZGVy
LnRlc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBgxFjAUBgNV
BAMMDXByb3ZpZGVyLnRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQarv+1
ZyK72Kjs5yUs2AUTJ+lh2FQUL9NJjgkEGPm3p1yLrXrr8lNTfr+co811vkjQDQaJ
hOl2lVFrEDxrUBRloy0wKzAYBgNVHREEETAPgg1wcm92aWRlci50ZXN0MA8GA1Ud
EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAMbD/Mosp/vXOks/9vg0/lJo
8jOfp5tk4IMr6VnE3+aaAiAuimvsVgYRFTaPJrNsPOwPwixoXnIzL5uwxEzsAgaP
KA==
-----END CERTIFICATE-----`
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgfFZWpSCFDWCWcflF
q7npPRNkbq3aQ07SS7QppFwihRGhRANCAAQarv+1ZyK72Kjs5yUs2AUTJ+lh2FQU
L9NJjgkEGPm3p1yLrXrr8lNTfr+co811vkjQDQaJhOl2lVFrEDxrUBRl
-----END PRIVATE KEY-----`

const LOGIN = "hunter2"
const OPTIONS = {
  apiKey: Redacted.make("sk-1"),
  azureApiVersion: undefined,
  model: "fake-1",
  maxTokens: 100,
  temperature: undefined,
  connectMs: 10_000,
  firstTokenMs: 60_000,
  silenceMs: 30_000,
  answerMs: 600_000,
  retries: 0
}

const listen = (server: Server) =>
  Effect.gen(function* () {
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    )
    const address = server.address()
    return typeof address === "object" && address !== null ? address.port : assert.fail("no port")
  })

const answer: Parameters<typeof createServer>[1] = (request, response) => {
  request.resume()
  request.on("end", () => {
    response.writeHead(200, { "content-type": "text/event-stream" })
    response.end(chunk({ delta: { content: "A room." }, finish_reason: "stop" }) + DONE)
  })
}

/** A forward proxy that requires a login, and a provider behind it, with and without TLS. `seen` has the requests. */
const make = Effect.gen(function* () {
  const seen: Array<string> = []
  const sockets = new Set<Socket>()
  const plain = yield* listen(createServer(answer))
  const secure = yield* listen(createSecureServer({ cert: CERTIFICATE, key: KEY }, answer))
  const isKnown = (authorization: string | undefined) =>
    authorization === `Basic ${Buffer.from(`me:${LOGIN}`).toString("base64")}`
  const proxy = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    if (!isKnown(request.headers["proxy-authorization"])) return void response.writeHead(407).end()
    answer(request, response)
  })
  proxy.on("connect", (request, socket: Socket) => {
    seen.push(`${request.method} ${request.url}`)
    if (!isKnown(request.headers["proxy-authorization"]))
      return void socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
    const there = connect(secure, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n")
      socket.pipe(there).pipe(socket)
    })
    for (const each of [socket, there]) {
      sockets.add(each)
      each.on("error", () => each.destroy())
    }
  })
  const port = yield* listen(proxy)
  yield* Effect.addFinalizer(() => Effect.sync(() => sockets.forEach((socket) => socket.destroy())))
  return { seen, plain, url: `http://me:${LOGIN}@127.0.0.1:${port}`, wrong: `http://me:wrong@127.0.0.1:${port}` }
})

/** Trusts the provider's certificate while a test runs. */
const trusted = Effect.acquireRelease(
  Effect.sync(() => {
    const before = getCACertificates("default")
    setDefaultCACertificates([...before, CERTIFICATE])
    return before
  }),
  (before) => Effect.sync(() => setDefaultCACertificates(before))
)

const ask = (options: Partial<OpenAiOptions>) =>
  Effect.gen(function* () {
    const llm = yield* Llm
    const said: Array<string> = []
    const result = yield* Effect.result(
      llm.generate(
        ofTexts(llm.defaultModel, [{ role: "user", content: "What is a room?" }]),
        (text) => said.push(String(text)),
        { partition: "a tenant", attempt: () => {}, moment: () => 0 }
      )
    )
    return Result.isSuccess(result) ? said.join("") : result.failure.reason
  }).pipe(Effect.provide(OpenAiLayer({ ...OPTIONS, baseUrl: undefined, ...options }), { local: true }))

const proxies = (url: string, none?: string) => ({ http: Redacted.make(url), https: Redacted.make(url), none })

describe("a forward proxy", () => {
  it.live("is asked to connect to a provider behind TLS, with its login, for every connection", () =>
    Effect.gen(function* () {
      yield* trusted
      const { seen, url } = yield* make
      const baseUrl = "https://provider.test/v1"
      assert.strictEqual(yield* ask({ baseUrl, proxies: proxies(url) }), "A room.")
      assert.deepStrictEqual(seen, ["CONNECT provider.test:443"])
    }).pipe(Effect.scoped)
  )

  it.live("passes on a question to a provider without TLS", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* make
      const baseUrl = "http://provider.test:1234/v1"
      assert.strictEqual(yield* ask({ baseUrl, proxies: proxies(url) }), "A room.")
      assert.deepStrictEqual(seen, ["POST http://provider.test:1234/v1/chat/completions"])
    }).pipe(Effect.scoped)
  )

  it.live("is not used for this machine, nor for hosts in NO_PROXY", () =>
    Effect.gen(function* () {
      const { plain, seen, url } = yield* make
      for (const host of ["127.0.0.1", "localhost"])
        assert.strictEqual(yield* ask({ baseUrl: `http://${host}:${plain}/v1`, proxies: proxies(url) }), "A room.")
      const baseUrl = `http://provider.test:${plain}/v1`
      assert.strictEqual(
        yield* ask({ baseUrl, proxies: proxies(url, ".other.test,provider.test") }),
        "model_unavailable"
      )
      assert.deepStrictEqual(seen, [])
    }).pipe(Effect.scoped)
  )

  it.live("that refuses, or is not available, makes the model unavailable, and its login is not in the log", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ cause, message }) => void lines.push(JSON.stringify([message, cause])))
    return Effect.gen(function* () {
      yield* trusted
      const { wrong } = yield* make
      for (const url of [wrong, `http://me:${LOGIN}@127.0.0.1:1`])
        for (const scheme of ["http", "https"])
          assert.strictEqual(
            yield* ask({ baseUrl: `${scheme}://provider.test/v1`, proxies: proxies(url) }),
            "model_unavailable",
            `${scheme} ${url}`
          )
      assert.isNotEmpty(lines)
      for (const secret of [LOGIN, "wrong", Buffer.from(`me:${LOGIN}`).toString("base64")])
        assert.notInclude(lines.join(""), secret)
    }).pipe(
      Effect.provide(Layer.merge(Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, "Trace"))),
      Effect.scoped
    )
  })
})

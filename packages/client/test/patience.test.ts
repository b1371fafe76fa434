import { afterEach, assert, beforeEach, describe, it, vi } from "@effect/vitest"
import { createClient, LlmSaasError } from "../src/plain/Client.ts"

/** Answers of a server that is not available, one per request. */
type Script = (request: { readonly url: string; readonly init: RequestInit; readonly n: number }) => Promise<Response>

const scripted = (script: Script) => {
  const asked: Array<{ readonly url: string; readonly headers: Record<string, string> }> = []
  const client = createClient({
    url: "https://api.test",
    token: "token",
    fetch: (url, init = {}) => {
      asked.push({ url: String(url), headers: Object.fromEntries(new Headers(init.headers)) })
      return script({ url: String(url), init, n: asked.length })
    }
  })
  return { client, asked }
}

const problem = (status: number, code: string, more: object = {}) =>
  new Response(JSON.stringify({ type: "x", title: "Title", status, code, request_id: "r", ...more }), { status })

/** A body that sends `text` and then nothing more. It ends when the request is aborted. */
const stalled = (text: string, signal: AbortSignal | null | undefined) =>
  new Response(
    new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode(text))
        signal?.addEventListener("abort", () => controller.error(new Error("aborted")))
      }
    })
  )

const event = (seq: number) => `id: g:${seq}\ndata: ${JSON.stringify({ type: "delta", seq, text: `${seq}` })}\n\n`

/** The result of a promise, with the fake clock run to the end. */
const settled = async (promise: Promise<unknown>) => {
  const result = promise.then(
    (value) => ({ value, error: undefined }),
    (error: unknown) => ({ value: undefined, error })
  )
  await vi.runAllTimersAsync()
  return result
}

describe("the plain client's patience", () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it("gives up after eight tries in half a minute", async () => {
    const { asked, client } = scripted(() => Promise.reject(new TypeError("fetch failed")))
    const began = Date.now()
    const { error } = await settled(client.me())
    assert.instanceOf(error, LlmSaasError)
    assert.deepInclude(error, { code: "connection_failed", status: 0 })
    assert.strictEqual(asked.length, 8)
    assert.strictEqual(Date.now() - began, 250 + 500 + 1000 + 2000 + 4000 + 8000 + 8000)
  })

  it("waits as long as the server asks for, and retries only temporary failures", async () => {
    const { asked, client } = scripted(({ n }) =>
      Promise.resolve(
        n === 1
          ? problem(503, "unavailable", { retry_after: 5 })
          : n === 2
            ? new Response("<html>Bad Gateway</html>", { status: 502 })
            : problem(404, "message_not_found")
      )
    )
    const began = Date.now()
    const { error } = await settled(client.messages.get("x"))
    assert.deepInclude(error, { code: "message_not_found", status: 404, requestId: "r" })
    assert.deepStrictEqual([asked.length, Date.now() - began], [3, 5500])
  })

  it("does not repeat a request that is not repeatable: a login is sent once", async () => {
    const { asked, client } = scripted(() => Promise.reject(new TypeError("fetch failed")))
    await settled(client.login({ email: "a@b.test", password: "password" }))
    assert.strictEqual(asked.length, 1)
  })

  it("closes a connection that is silent for 45 seconds, and continues after the last token", async () => {
    const { asked, client } = scripted(({ init, n }) =>
      Promise.resolve(n === 1 ? stalled(event(1) + event(2), init.signal) : new Response(`${event(3)}data: [DONE]\n\n`))
    )
    const began = Date.now()
    const { value } = await settled(client.messages.stream({ content: "x" }).text())
    assert.strictEqual(value, "123")
    assert.strictEqual(Date.now() - began, 45_000 + 250)
    assert.deepInclude(asked[0], { url: "https://api.test/messages/stream?format=json" })
    assert.match(asked[0]?.headers["idempotency-key"] ?? "", /^[0-9a-f-]{36}$/u)
    assert.deepInclude(asked[1], { url: "https://api.test/generations/g/stream?format=json&after=2" })
    assert.strictEqual(vi.getTimerCount(), 0)
  })

  it("ends at once where the caller already had everything, and takes no lost end for one", async () => {
    const nothing = () => new Response(null, { status: 204 })
    const all = scripted(() => Promise.resolve(nothing()))
    assert.deepStrictEqual((await settled(all.client.generations.watch("g", { after: 3 }).text())).value, "")
    assert.strictEqual(all.asked.length, 1)
    const lost = scripted(({ n }) => Promise.resolve(n === 1 ? new Response(event(1)) : nothing()))
    const { error } = await settled(lost.client.messages.stream({ content: "x" }).text())
    assert.deepInclude(error, { code: "connection_failed" })
  })

  it("has no time limit for its reader", async () => {
    const { asked, client } = scripted(() => Promise.resolve(new Response(`${event(1)}${event(2)}data: [DONE]\n\n`)))
    const seen = async () => {
      let text = ""
      for await (const token of client.messages.stream({ content: "x" }).tokens()) {
        text += token
        await new Promise((resolve) => setTimeout(resolve, 3_600_000))
      }
      return text
    }
    const { value } = await settled(seen())
    assert.deepStrictEqual([value, asked.length], ["12", 1])
  })

  it("repeats the question with the same key until the first event arrived", async () => {
    const { asked, client } = scripted(({ n }) =>
      n < 3 ? Promise.reject(new TypeError("fetch failed")) : Promise.resolve(new Response("data: [DONE]\n\n"))
    )
    await settled(client.messages.stream({ content: "x" }).text())
    assert.strictEqual(new Set(asked.map(({ headers }) => headers["idempotency-key"])).size, 1)
    assert.deepStrictEqual(
      new Set(asked.map(({ url }) => url)),
      new Set(["https://api.test/messages/stream?format=json"])
    )
    await settled(client.messages.stream({ content: "x" }, { idempotencyKey: "mine" }).text())
    assert.strictEqual(asked.at(-1)?.headers["idempotency-key"], "mine")
  })

  it("ends at once when its signal does, also while it waits", async () => {
    const { asked, client } = scripted(() => Promise.reject(new TypeError("fetch failed")))
    const leaving = new AbortController()
    setTimeout(() => leaving.abort(new Error("enough")), 1000)
    const { error } = await settled(client.me({ signal: leaving.signal }))
    assert.strictEqual(Reflect.get(Object(error), "message"), "enough")
    assert.strictEqual(asked.length, 3)
    const late = await settled(client.messages.stream({ content: "x" }, { signal: leaving.signal }).text())
    assert.strictEqual(Reflect.get(Object(late.error), "message"), "enough")
    assert.strictEqual(asked.length, 3)
  })

  it("has an error for answers that are not the server's", async () => {
    const { client } = scripted(() => Promise.resolve(new Response("<html>Sign in to the hotel</html>")))
    const { error } = await settled(client.me())
    assert.deepInclude(error, { code: "invalid_answer", status: 200 })
  })
})

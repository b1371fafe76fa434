import { Context, Deferred, Effect, Layer, Queue } from "effect"
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http"
import type { Socket } from "node:net"

/** One request that reached the provider. The test is the provider: it decides which bytes are sent, when, and how the response ends. */
export class UpstreamCall {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Completes when either side closes the connection. */
  readonly closed: Effect.Effect<void>
  readonly #response: ServerResponse

  constructor(
    request: {
      readonly method?: string | undefined
      readonly url?: string | undefined
      readonly headers: IncomingHttpHeaders
      readonly socket: Socket
    },
    body: string,
    response: ServerResponse
  ) {
    this.method = request.method ?? ""
    this.path = request.url ?? ""
    this.headers = request.headers
    this.body = body
    this.#response = response
    const closed = Deferred.makeUnsafe<void>()
    if (request.socket.destroyed) Deferred.doneUnsafe(closed, Effect.void)
    else request.socket.once("close", () => Deferred.doneUnsafe(closed, Effect.void))
    this.closed = Deferred.await(closed)
  }

  /** Sends the head of a response; by default 200 and an event stream. No other method sends it. */
  head(status = 200, headers: Readonly<Record<string, string>> = { "content-type": "text/event-stream" }): void {
    this.#response.writeHead(status, headers)
    this.#response.flushHeaders()
  }

  /** Sends part of the body, as a packet of its own unless packets are joined on the way. */
  write(bytes: string | Uint8Array): void {
    this.#response.write(bytes)
  }

  /** Sends one event per piece of text. */
  say(...pieces: ReadonlyArray<string>): void {
    for (const piece of pieces) this.write(chunk({ delta: { content: piece }, finish_reason: null }))
  }

  /** Ends the response; for HTTP it is whole. */
  end(bytes = ""): void {
    this.#response.end(bytes)
  }

  /** Sends the finish reason, the usage and `[DONE]`, and ends the response. */
  finish(reason = "stop", usage?: { readonly input: number; readonly output: number }): void {
    this.write(chunk({ delta: {}, finish_reason: reason }))
    if (usage !== undefined) {
      const { input, output } = usage
      this.write(
        event({ choices: [], usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output } })
      )
    }
    this.end(DONE)
  }

  /** Sends a whole response with an error status. */
  refuse(status: number, body = "", headers: Readonly<Record<string, string>> = {}): void {
    this.#response.writeHead(status, headers)
    this.#response.end(body)
  }

  /** Ends the connection with a FIN, wherever the response is. */
  cut(): void {
    this.#response.socket?.end()
  }

  /** Ends the connection with a RST. */
  reset(): void {
    this.#response.socket?.resetAndDestroy()
  }
}

/** An event with this data. */
export const event = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`

/** An event as OpenAI sends it, with one choice. */
export const chunk = (
  choice: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {}
): string =>
  event({
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1_700_000_000,
    model: "fake-1-2026-01-01",
    choices: [{ index: 0, logprobs: null, ...choice }],
    ...more
  })

export const DONE = "data: [DONE]\n\n"

/** An OpenAI-compatible provider on this machine, over real sockets, controlled by the test. */
export class FakeUpstream extends Context.Service<
  FakeUpstream,
  {
    /** What `OPENAI_BASE_URL` is set to. */
    readonly url: string
    /** The next request that arrives, complete; waits for it. */
    readonly next: Effect.Effect<UpstreamCall>
    /** Number of requests that have arrived. */
    readonly asked: () => number
    /** Number of connections that were opened. */
    readonly connections: () => number
  }
>()("@llm-saas/testing/FakeUpstream") {}

/** A separate provider; `handle` answers each request as it arrives, for tests that do not take them with `next`. */
export const make = (handle?: (call: UpstreamCall) => void) =>
  Effect.gen(function* () {
    const calls = yield* Queue.unbounded<UpstreamCall>()
    let asked = 0
    let connections = 0
    const server = createServer((request, response) => {
      const parts: Array<Uint8Array> = []
      response.on("error", () => {})
      request.on("error", () => {})
      request.on("data", (bytes: Uint8Array) => parts.push(bytes))
      request.on("end", () => {
        const call = new UpstreamCall(request, Buffer.concat(parts).toString(), response)
        asked++
        if (handle === undefined) Queue.offerUnsafe(calls, call)
        else handle(call)
      })
    })
    server.on("connection", (socket) => {
      connections++
      // Each call over it listens for its end.
      socket.setMaxListeners(0)
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const address = server.address()
    if (address === null || typeof address === "string") return yield* Effect.die("the fake provider has no port")
    return FakeUpstream.of({
      url: `http://127.0.0.1:${address.port}/v1`,
      next: Queue.take(calls),
      asked: () => asked,
      connections: () => connections
    })
  })

export const layer = Layer.effect(FakeUpstream, make())

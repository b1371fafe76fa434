import { EventStream, type ServerEvent } from "./EventStream.ts"
import { failureOf } from "./LlmSaasError.ts"
import { isPassing, lost, type RequestOptions, type Transport, waitFor } from "./Transport.ts"
import type { StreamEvent } from "./Types.ts"

/** Options of a streamed answer. */
export interface StreamOptions extends RequestOptions {
  /** Told when the connection is lost and tried again, and when the answer goes on. For those who watch a person wait. */
  readonly onConnection?: ((connection: "lost" | "open") => void) | undefined
}

/** Silence after which a connection counts as lost: the server sends a keep-alive every 15 s. */
const SILENCE_MS = 45_000

/**
 * A streamed answer. Iterate over it for its events, or take only its text. A lost connection is reopened, and the answer continues with
 * its next token: none is lost or repeated, and the model is not asked again. It ends when the answer is whole, and throws
 * `LlmSaasError` if it is not. Leaving the loop, or aborting the signal, closes the connection.
 */
export class Answer implements AsyncIterable<StreamEvent> {
  readonly #transport: Transport
  readonly #begin: Opening
  readonly #signal: AbortSignal | undefined
  readonly #onConnection: StreamOptions["onConnection"]

  constructor(transport: Transport, begin: Opening, { onConnection, signal }: StreamOptions) {
    this.#transport = transport
    this.#begin = begin
    this.#signal = signal
    this.#onConnection = onConnection
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamEvent, void, undefined> {
    let place = this.#begin.place
    let started = false
    let isLost = false
    for (let tries = 1; ; tries++) {
      try {
        for await (const { data, event, id } of this.#events(place)) {
          tries = 1
          if (isLost) this.#onConnection?.("open")
          isLost = false
          if (event === "error") throw failureOf(JSON.parse(data))
          if (id !== "") place = id
          if (data === "[DONE]") return
          const said: StreamEvent = JSON.parse(data)
          // Every connection begins with a `start`; the reader gets only the first.
          if (said.type === "start" && started) continue
          started = true
          yield said
        }
        throw lost("the stream was cut")
      } catch (error) {
        this.#signal?.throwIfAborted()
        if (!isLost && isPassing(error)) this.#onConnection?.("lost")
        isLost = true
        await waitFor(error, tries, this.#signal)
      }
    }
  }

  /** Only the tokens. */
  async *tokens(): AsyncGenerator<string, void, undefined> {
    for await (const event of this) if (event.type === "delta") yield event.text
  }

  /** Waits for the whole text. */
  async text(): Promise<string> {
    let text = ""
    for await (const token of this.tokens()) text += token
    return text
  }

  /** The events of one connection. */
  async *#events(place: string | undefined): AsyncGenerator<ServerEvent, void, undefined> {
    const connection = new AbortController()
    const leave = () => connection.abort(this.#signal?.reason)
    this.#signal?.throwIfAborted()
    this.#signal?.addEventListener("abort", leave, { once: true })
    /** The timer runs only while the server is awaited, not while the reader handles an event. */
    const inTime = <A>(coming: Promise<A>): Promise<A> => {
      const timer = setTimeout(() => connection.abort("nothing came"), SILENCE_MS)
      return coming.finally(() => clearTimeout(timer))
    }
    try {
      const response = await inTime(this.#open(place, connection.signal))
      // Nothing more, at the position that the caller gave. At one reached here, the end is missing: the stream was cut.
      if (response.status === 204 && place === this.#begin.place) yield { id: "", event: "message", data: "[DONE]" }
      const reader = response.body?.getReader()
      if (reader === undefined) return
      const decoder = new TextDecoder()
      const stream = new EventStream()
      for (;;) {
        const { done, value } = await inTime(reader.read())
        if (done) return
        yield* stream.push(decoder.decode(value, { stream: true }))
      }
    } catch (cause) {
      throw lost(cause)
    } finally {
      this.#signal?.removeEventListener("abort", leave)
      connection.abort()
    }
  }

  #open(place: string | undefined, signal: AbortSignal): Promise<Response> {
    const query = { format: "json" }
    if (place === undefined) {
      const { headers, json, method, path } = this.#begin
      return this.#transport.open(method, path, { query, headers, json, signal })
    }
    const [generation = "", after] = place.split(":")
    return this.#transport.open("GET", `/generations/${encodeURIComponent(generation)}/stream`, {
      query: { ...query, after },
      signal
    })
  }
}

/** The request that begins an answer. It may be repeated until the first event arrived. */
export interface Opening {
  readonly method: string
  readonly path: string
  readonly json?: unknown
  readonly headers: Readonly<Record<string, string>>
  /** The position to begin after instead, `<generation>:<seq>`. */
  readonly place?: string
}

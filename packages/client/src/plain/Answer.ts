import { EventStream, type ServerEvent } from "./EventStream.ts"
import { failureOf } from "./LlmSaasError.ts"
import { lost, type RequestOptions, type Transport, waitFor } from "./Transport.ts"
import type { StreamEvent } from "./Types.ts"

/** Milliseconds of silence after which a connection counts as lost: the server says every 15 s that it is there. */
const SILENCE = 45_000

/**
 * An answer as it comes. Iterate over it for its events, or take only its text. A connection that is lost is opened again, and the answer
 * goes on with its next token: none is lost or comes twice, and the model is not asked again. It ends when the answer is whole, and
 * throws `LlmSaasError` where it is not. Leaving the loop, or the signal, closes the connection.
 */
export class Answer implements AsyncIterable<StreamEvent> {
  readonly #transport: Transport
  readonly #begin: Opening
  readonly #signal: AbortSignal | undefined

  constructor(transport: Transport, begin: Opening, { signal }: RequestOptions) {
    this.#transport = transport
    this.#begin = begin
    this.#signal = signal
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamEvent, void, undefined> {
    let place = this.#begin.place
    let started = false
    for (let tries = 1; ; tries++) {
      try {
        for await (const { data, event, id } of this.#events(place)) {
          tries = 1
          if (event === "error") throw failureOf(JSON.parse(data))
          if (id !== "") place = id
          if (data === "[DONE]") return
          const said: StreamEvent = JSON.parse(data)
          // Every connection begins with one.
          if (said.type === "start" && started) continue
          started = true
          yield said
        }
        throw lost("the stream was cut")
      } catch (error) {
        this.#signal?.throwIfAborted()
        await waitFor(error, tries, this.#signal)
      }
    }
  }

  /** Its tokens, and nothing else. */
  async *tokens(): AsyncGenerator<string, void, undefined> {
    for await (const event of this) if (event.type === "delta") yield event.text
  }

  /** Waits for the whole of it. */
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
    /** Only what we wait for can be late: who iterates may take their time. */
    const inTime = <A>(coming: Promise<A>): Promise<A> => {
      const timer = setTimeout(() => connection.abort("nothing came"), SILENCE)
      return coming.finally(() => clearTimeout(timer))
    }
    try {
      const response = await inTime(this.#open(place, connection.signal))
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

/** The request an answer begins with. It may be sent again as long as nothing came of it. */
export interface Opening {
  readonly method: string
  readonly path: string
  readonly json?: unknown
  readonly headers: Readonly<Record<string, string>>
  /** Where to begin instead, `<generation>:<seq>`. */
  readonly place?: string
}

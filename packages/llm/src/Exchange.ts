import type { Completion } from "@llm-saas/engine/Llm"
import { type Clock, Deferred, Effect, Exit } from "effect"
import * as http from "node:http"
import * as https from "node:https"
import { ChatStream } from "./ChatStream.ts"
import { cut, Failed, internal, malformed, refusal, unavailable } from "./Failed.ts"

/** Connections that are kept for the next question. */
export interface Agents {
  readonly http: http.Agent
  readonly https: https.Agent
}

/** A connection nobody uses is closed after half a minute. One that the provider closed first costs a second try, see `#send`. */
export const makeAgents = (): Agents => ({
  http: new http.Agent({ keepAlive: true, timeout: 30_000 }),
  https: new https.Agent({ keepAlive: true, timeout: 30_000 })
})

/** All that may be said to a provider in headers. The rest of what the client library would say is about us. */
const HEADERS = ["authorization", "api-key", "content-type"]

/** Bytes of a refusal that are looked at. */
const WORDS = 16_384

/** Milliseconds in which a connection has to come to its end after the answer did, to be used again. */
const TAIL = 1000

/**
 * One request to a provider and its answer. It goes over `node:http` instead of `fetch`, below the client library: a token costs 24 µs
 * where the library's own way takes 34 (counting bytes: 14; see `bench`), redirects are not followed, the connection's own life can be
 * seen, and closing it closes it.
 */
export class Exchange {
  /** Completes when a connection is there, or it has ended. */
  readonly connected: Deferred.Deferred<void> = Deferred.makeUnsafe()
  /** Completes with the first of an answer. */
  readonly begun: Deferred.Deferred<void, Failed> = Deferred.makeUnsafe()
  readonly ended: Deferred.Deferred<Completion, Failed> = Deferred.makeUnsafe()
  /** When (ms) the provider said something of an answer last. */
  heardAt = 0
  /** What came with a refusal, for {@link relent} and nobody else. */
  words = ""
  readonly #agents: Agents
  readonly #clock: Clock.Clock
  readonly #stream: ChatStream
  #request: http.ClientRequest | undefined = undefined
  /** What the end of the response means, once there is one; where it breaks off, too. */
  #atEnd: (() => void) | undefined = undefined
  #over = false

  constructor(agents: Agents, clock: Clock.Clock, emit: (text: string) => void) {
    this.#agents = agents
    this.#clock = clock
    this.#stream = new ChatStream((text) => {
      if (!this.#over) emit(text)
    })
  }

  /**
   * Sends the request that the client library made. Whatever comes back, the library is told that all is well: it would make an error
   * of the provider's words.
   */
  readonly fetch = (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input)
    const given = new Headers(init.headers)
    const headers: Record<string, string> = { accept: "text/event-stream", "user-agent": "llm-saas" }
    for (const name of HEADERS) {
      const value = given.get(name)
      if (value !== null) headers[name] = value
    }
    if (typeof init.body === "string") this.#send(url, headers, init.body)
    else this.#end(Exit.fail(internal))
    return Promise.resolve(new Response(null))
  }

  /** The library could not make a request. Its reason may quote the key, and stays with it. */
  readonly unmade = (): void => this.#end(Exit.fail(internal))

  /** Nothing more of it is wanted. A connection in the middle of an answer is closed at once. */
  close(): void {
    this.#end(Exit.fail(cut))
    const request = this.#request
    if (request === undefined || request.destroyed) return
    if (!this.#stream.done) request.destroy()
    else setTimeout(() => request.destroy(), TAIL).unref()
  }

  #send(url: URL, headers: Record<string, string>, body: string): void {
    if (this.#over) return
    const secure = url.protocol === "https:"
    const options = { method: "POST", headers, agent: secure ? this.#agents.https : this.#agents.http }
    const request = secure ? https.request(url, options) : http.request(url, options)
    this.#request = request
    request.on("socket", (socket) => {
      if (socket.connecting) socket.once(secure ? "secureConnect" : "connect", this.#connect)
      else this.#connect()
    })
    request.on("response", this.#answer)
    request.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (this.#over) return
      if (code?.startsWith("HPE_") === true) this.#end(Exit.fail(malformed))
      else if (this.#atEnd !== undefined) this.#atEnd()
      // The provider closed a connection that we kept, at the moment we used it: as a rule it did not see the question.
      else if (request.reusedSocket && (code === "ECONNRESET" || code === "EPIPE")) this.#send(url, headers, body)
      else this.#end(Exit.fail(unavailable(code)))
    })
    request.end(body)
  }

  readonly #connect = (): void => void Deferred.doneUnsafe(this.connected, Effect.void)

  readonly #answer = (response: http.IncomingMessage): void => {
    const status = response.statusCode ?? 0
    const type = response.headers["content-type"] ?? ""
    if (status === 200 && /^(?:text\/html|application\/json)/iu.test(type)) return this.#break(malformed)
    const atEnd = status === 200 ? this.#finish : () => this.#refuse(response, status)
    this.#atEnd = atEnd
    response.on("end", atEnd)
    response.on("error", atEnd)
    response.on("data", status === 200 ? this.#read : (bytes: Buffer) => this.#readWords(bytes, atEnd))
  }

  readonly #read = (bytes: Buffer): void => {
    const stream = this.#stream
    if (this.#over) return
    const { events } = stream
    const failed = stream.push(bytes)
    if (stream.events > events) this.heardAt = this.#clock.currentTimeMillisUnsafe()
    if (failed !== undefined) return this.#break(failed)
    if (stream.done) return this.#finish()
    if (stream.begun) Deferred.doneUnsafe(this.begun, Effect.void)
  }

  /** Also where the connection breaks: what a model said before its own word that it had finished is whole all the same. */
  readonly #finish = (): void => {
    const outcome = this.#stream.end()
    this.#end(outcome instanceof Failed ? Exit.fail(outcome) : Exit.succeed(outcome))
  }

  #readWords(bytes: Buffer, atEnd: () => void): void {
    this.words += bytes.toString("latin1", 0, WORDS - this.words.length)
    if (this.words.length === WORDS) atEnd()
  }

  #refuse({ headers }: http.IncomingMessage, status: number): void {
    this.#break(refusal(status, headers, this.words, this.#clock.currentTimeMillisUnsafe()))
  }

  #break(failed: Failed): void {
    this.#end(Exit.fail(failed))
    this.#request?.destroy()
  }

  #end(exit: Exit.Exit<Completion, Failed>): void {
    if (this.#over) return
    this.#over = true
    Deferred.doneUnsafe(this.connected, Effect.void)
    Deferred.doneUnsafe(this.begun, Exit.asVoid(exit))
    Deferred.doneUnsafe(this.ended, exit)
  }
}

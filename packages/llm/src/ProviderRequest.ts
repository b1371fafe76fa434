import { monotonicMillis, wallMillis } from "@llm-saas/domain/Time"
import type { Completion } from "@llm-saas/engine/generations/Llm"
import { type Clock, Deferred, Effect, Exit } from "effect"
import * as http from "node:http"
import * as https from "node:https"
import type { Agents } from "./Agents.ts"
import { ChatStream } from "./ChatStream.ts"
import { decoded } from "./ContentEncoding.ts"
import { cut, ProviderFailure, internal, malformed, unavailable } from "./ProviderFailure.ts"
import { errorIn, type ProviderError } from "./ProviderError.ts"
import { type Asked, refusal } from "./Rejection.ts"

/** All that may be said to a provider in headers. The rest of what the client library would say is about us. */
const HEADERS = ["authorization", "api-key", "content-type"]

/** Bytes of a refusal that are looked at: some quote all of the question, once for every field they do not like. */
const WORDS = 1_048_576

/** Milliseconds in which a connection has to come to its end after the answer did, to be used again. */
const TAIL = 1000

/**
 * One request to a provider and its answer. It goes over `node:http` instead of `fetch`, below the client library: a token costs 24 µs
 * where the library's own way takes 34 (counting bytes: 14; see `bench`), redirects are not followed, the connection's own life can be
 * seen, and closing it closes it.
 */
export class ProviderRequest {
  /** Completes when a connection is there, or it has ended. */
  readonly connected: Deferred.Deferred<void> = Deferred.makeUnsafe()
  /** Completes with the first of an answer. */
  readonly begun: Deferred.Deferred<void, ProviderFailure> = Deferred.makeUnsafe()
  /** Completes with the first text of an answer: from then on nothing is asked again. */
  readonly said: Deferred.Deferred<void, ProviderFailure> = Deferred.makeUnsafe()
  readonly ended: Deferred.Deferred<Completion, ProviderFailure> = Deferred.makeUnsafe()
  /** When (ms, monotonic) the provider said something of an answer last. */
  heardAt = 0
  readonly #agents: Agents
  readonly #clock: Clock.Clock
  readonly #asked: Asked
  readonly #stream: ChatStream
  #refused: ProviderError | undefined = undefined
  readonly #words: Array<Buffer> = []
  #length = 0
  #request: http.ClientRequest | undefined = undefined
  /** What the end of the response means, once there is one; where it breaks off, too. */
  #atEnd: (() => void) | undefined = undefined
  #over = false

  constructor(agents: Agents, clock: Clock.Clock, emit: (text: string) => void, asked: Asked) {
    this.#agents = agents
    this.#clock = clock
    this.#asked = asked
    this.#stream = new ChatStream((text) => {
      if (!this.#over) emit(text)
    }, asked)
  }

  /** What came with a refusal, or as one in an answer's place: for {@link relent} and nobody else. */
  get error(): ProviderError | undefined {
    return this.#refused ?? this.#stream.error
  }

  /** Whether some text of the answer has been passed on. */
  get spoken(): boolean {
    return this.#stream.said
  }

  /**
   * Sends the request that the client library made. Whatever comes back, the library is told that all is well: it would make an error
   * of the provider's words.
   */
  readonly fetch = (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input)
    const given = new Headers(init.headers)
    const headers: Record<string, string> = {
      accept: "text/event-stream",
      // Compressed, tokens come in packets of many. Some servers compress all the same.
      "accept-encoding": "identity",
      "user-agent": "llm-saas"
    }
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
    const body = decoded(response)
    if (body === undefined) return this.#break(malformed)
    // 201 comes from frameworks that say so to every POST.
    const isAnswer = status === 200 || status === 201
    const atEnd = isAnswer ? this.#finish : () => this.#refuse(response, status)
    this.#atEnd = atEnd
    body.on("end", atEnd)
    body.on("error", atEnd)
    body.on("data", isAnswer ? this.#read : (bytes: Buffer) => this.#readWords(bytes, atEnd))
  }

  readonly #read = (bytes: Buffer): void => {
    const stream = this.#stream
    if (this.#over) return
    const { events } = stream
    const failed = stream.push(bytes)
    if (stream.events > events) this.heardAt = monotonicMillis(this.#clock)
    if (failed !== undefined) return this.#finish()
    if (stream.done) return this.#finish()
    if (stream.begun) Deferred.doneUnsafe(this.begun, Effect.void)
    if (stream.said) Deferred.doneUnsafe(this.said, Effect.void)
  }

  /** Also where the connection breaks: what a model said before its own word that it had finished is whole all the same. */
  readonly #finish = (): void => {
    const outcome = this.#stream.end()
    if (outcome instanceof ProviderFailure) this.#break(outcome)
    else this.#end(Exit.succeed(outcome))
  }

  #readWords(bytes: Buffer, atEnd: () => void): void {
    if (this.#over) return
    this.#words.push(bytes)
    this.#length += bytes.length
    if (this.#length >= WORDS) atEnd()
  }

  #refuse({ headers }: http.IncomingMessage, status: number): void {
    if (this.#over) return
    this.#refused = errorIn(Buffer.concat(this.#words).toString())
    this.#break(refusal(status, headers, this.#refused, this.#asked, wallMillis(this.#clock)))
  }

  #break(failed: ProviderFailure): void {
    this.#end(Exit.fail(failed))
    this.#request?.destroy()
  }

  #end(exit: Exit.Exit<Completion, ProviderFailure>): void {
    if (this.#over) return
    this.#over = true
    Deferred.doneUnsafe(this.connected, Effect.void)
    Deferred.doneUnsafe(this.begun, Exit.asVoid(exit))
    Deferred.doneUnsafe(this.said, Exit.asVoid(exit))
    Deferred.doneUnsafe(this.ended, exit)
  }
}

import { monotonicMillis, wallMillis } from "@llm-saas/domain/Time"
import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import type { Completion } from "@llm-saas/engine/generations/Llm"
import { type Clock, Deferred, Effect, Exit, Result } from "effect"
import * as http from "node:http"
import * as https from "node:https"
import type { Readable } from "node:stream"
import { urlToHttpOptions } from "node:url"
import type { Agents } from "./Agents.ts"
import type { AnswerReader } from "./AnswerReader.ts"
import { decoded } from "./ContentEncoding.ts"
import { cut, ProviderFailure, malformed, tooLate, unavailable, unknownShape } from "./ProviderFailure.ts"
import { errorIn, parsed, type ProviderError } from "./ProviderError.ts"
import { type Asked, refusal } from "./Rejection.ts"
import { withSaid } from "./Said.ts"
import type { Endpoint } from "./Target.ts"

/** Longest part of a refusal that is read: some quote the whole question once per refused field. */
const REFUSAL_BYTES = 1_048_576

/** An event that reading it, or what it is given to, cannot bear. */
const unreadable = unknownShape("an event that is nested too deeply")

/** Time in which the response must end after the answer did, so that the connection can be reused. */
const TAIL_MS = 1000

/**
 * One request to a provider and its answer, on `node:http`. With the client of the `openai` package a token costs 34 µs instead of 24
 * (counting bytes alone: 14; see `bench`), redirects are followed, the connection's events are not visible, and an error quotes what the
 * provider said.
 */
export class ProviderRequest<A = Completion> {
  /** Completes when a connection is open, or the request has ended. */
  readonly connected: Deferred.Deferred<void> = Deferred.makeUnsafe()
  /** Completes with the first part of an answer: text or thoughts. */
  readonly begun: Deferred.Deferred<void, ProviderFailure> = Deferred.makeUnsafe()
  /** Completes with the first text of an answer: after it the request is not repeated. */
  readonly said: Deferred.Deferred<void, ProviderFailure> = Deferred.makeUnsafe()
  readonly ended: Deferred.Deferred<A, ProviderFailure> = Deferred.makeUnsafe()
  /** When (ms, monotonic) the last event of an answer arrived, or its end: the only event of an answer that is one value of JSON. */
  heardAt = 0
  /** The response's status. */
  status: number | undefined = undefined
  readonly #agents: Agents
  readonly #clock: Clock.Clock
  readonly #asked: Asked
  readonly #reader: AnswerReader<A>
  #refused: ProviderError | undefined = undefined
  readonly #words: Array<Buffer> = []
  #length = 0
  #request: http.ClientRequest | undefined = undefined
  #body: Readable | undefined = undefined
  /** Handles the end of the response, also an early end. Set when the response begins. */
  #atEnd: (() => void) | undefined = undefined
  #over = false

  /** `read` makes the reader of the answer; it emits nothing after the request's end. */
  constructor(
    agents: Agents,
    clock: Clock.Clock,
    emit: (piece: ModelPiece) => void,
    asked: Asked,
    read: (emit: (piece: ModelPiece) => void, asked: Asked) => AnswerReader<A>
  ) {
    this.#agents = agents
    this.#clock = clock
    this.#asked = asked
    this.#reader = read((piece) => {
      if (!this.#over) emit(piece)
    }, asked)
  }

  /** The error of a refusal, or one sent instead of an answer: only for `fallbackDialect`. */
  get error(): ProviderError | undefined {
    return this.#refused ?? this.#reader.error
  }

  /** Whether a piece of the answer was emitted. */
  get spoken(): boolean {
    return this.#reader.said
  }

  /** Sends the question. Throws where a header is none, which an API key with a line break is not; the error may quote the key. */
  send({ headers, url }: Endpoint, body: string): void {
    this.#send(url, { ...headers, "content-length": `${Buffer.byteLength(body)}` }, body)
  }

  /** Waits for a part of the answer, and fails after too long a silence. It checks at the earliest time that can be, not for every piece. */
  unlessSilent<A>(part: Deferred.Deferred<A, ProviderFailure>, silenceMs: number): Effect.Effect<A, ProviderFailure> {
    return unlessDone(part, Effect.raceFirst(Deferred.await(part), this.#silence(silenceMs)))
  }

  #silence(silenceMs: number): Effect.Effect<never, ProviderFailure> {
    return Effect.suspend(() => {
      const leftMs = this.heardAt + silenceMs - monotonicMillis(this.#clock)
      return leftMs <= 0 ? Effect.fail(tooLate) : Effect.andThen(Effect.sleep(leftMs), this.#silence(silenceMs))
    })
  }

  /** Ends the request. A connection in the middle of an answer is closed at once. */
  close(): void {
    this.#end(Exit.fail(cut))
    const request = this.#request
    if (request === undefined || request.destroyed) return
    if (!this.#reader.done) request.destroy()
    else setTimeout(() => request.destroy(), TAIL_MS).unref()
  }

  #send(url: URL, headers: Record<string, string>, body: string): void {
    if (this.#over) return
    const secure = url.protocol === "https:"
    const agent = secure ? this.#agents.https : this.#agents.http
    const options = { ...urlToHttpOptions(url), method: "POST", headers: this.#headersFor(url, headers), agent }
    const request = secure ? https.request(options) : http.request(options)
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
      // The provider closed an idle connection at the moment we used it: as a rule it did not see the question.
      else if (request.reusedSocket && (code === "ECONNRESET" || code === "EPIPE")) this.#send(url, headers, body)
      else this.#end(Exit.fail(unavailable(code)))
    })
    request.end(body)
    // Its connection is there, also if Node says so only in the next turn.
    if (request.reusedSocket) this.#connect()
  }

  /** As a list, Node writes headers as they are: 94 µs a request instead of 131. It adds none then, and a proxy may need one. */
  #headersFor(url: URL, headers: Record<string, string>): Record<string, string> | Array<string> {
    if (!this.#agents.direct || url.username !== "" || url.password !== "" || headers["host"] !== undefined)
      return headers
    const list = ["host", url.host]
    for (const name in headers) list.push(name, headers[name] ?? "")
    return list
  }

  readonly #connect = (): void => void Deferred.doneUnsafe(this.connected, Effect.void)

  readonly #answer = (response: http.IncomingMessage): void => {
    const status = response.statusCode ?? 0
    this.status = status
    const body = decoded(response)
    if (body === undefined) return this.#break(malformed)
    this.#body = body
    // Some frameworks answer 201 to every POST.
    const isAnswer = status === 200 || status === 201
    const atEnd = isAnswer ? this.#finish : () => this.#refuse(response, status)
    this.#atEnd = atEnd
    body.on("end", atEnd)
    body.on("error", atEnd)
    body.on("data", isAnswer ? this.#read : (bytes: Buffer) => this.#readWords(bytes, atEnd))
  }

  readonly #read = (bytes: Buffer): void => {
    const reader = this.#reader
    if (this.#over) return
    const { events } = reader
    // JSON that is nested a few thousand levels deep is parsed, and cannot be written again: an exception here would end the process.
    const failed = Result.getOrElse(
      Result.try(() => reader.push(bytes)),
      () => unreadable
    )
    if (reader.events > events) this.heardAt = monotonicMillis(this.#clock)
    if (failed === unreadable) return this.#break(unreadable)
    if (failed !== undefined) return this.#finish()
    if (reader.done) return this.#finish()
    if (reader.begun) Deferred.doneUnsafe(this.begun, Effect.void)
    if (reader.said) Deferred.doneUnsafe(this.said, Effect.void)
  }

  /** Also if the connection breaks: an answer that had its finish reason before is whole. */
  readonly #finish = (): void => {
    const outcome = Result.getOrElse(
      Result.try(() => this.#reader.end()),
      () => unreadable
    )
    if (outcome instanceof ProviderFailure) this.#break(outcome)
    else this.#end(Exit.succeed(outcome))
  }

  #readWords(bytes: Buffer, atEnd: () => void): void {
    if (this.#over) return
    this.#words.push(bytes)
    this.#length += bytes.length
    if (this.#length >= REFUSAL_BYTES) atEnd()
  }

  #refuse({ headers }: http.IncomingMessage, status: number): void {
    if (this.#over) return
    const words = Buffer.concat(this.#words).toString()
    this.#refused = errorIn(words, this.#asked.texts)
    const failed = refusal(status, headers, this.#refused, this.#asked, wallMillis(this.#clock))
    this.#break(withSaid(failed, parsed(words)))
  }

  #break(failed: ProviderFailure): void {
    this.#end(Exit.fail(failed))
    this.#request?.destroy()
    // What is compressed is not decompressed to its end.
    this.#body?.destroy()
  }

  #end(exit: Exit.Exit<A, ProviderFailure>): void {
    if (this.#over) return
    this.#over = true
    this.heardAt = monotonicMillis(this.#clock)
    Deferred.doneUnsafe(this.connected, Effect.void)
    Deferred.doneUnsafe(this.begun, Exit.asVoid(exit))
    Deferred.doneUnsafe(this.said, Exit.asVoid(exit))
    Deferred.doneUnsafe(this.ended, exit)
  }
}

/** Waits for a part at most `duration` (ms). */
export const within = <A, E>(part: Deferred.Deferred<A, E>, duration: number, failed: ProviderFailure) =>
  unlessDone(part, Effect.timeoutOrElse(Deferred.await(part), { duration, orElse: () => Effect.fail(failed) }))

/** What is there already needs no timer, and no fibers that race. */
const unlessDone = <A, E, E2>(part: Deferred.Deferred<A, E>, waiting: Effect.Effect<A, E | E2>) =>
  Effect.suspend(() => (Deferred.isDoneUnsafe(part) ? Deferred.await(part) : waiting))

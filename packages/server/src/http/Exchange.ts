import { randomUUID } from "node:crypto"
import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders } from "node:http"
import type { Door } from "@llm-saas/api/v1/Door"
import type { Standing } from "@llm-saas/domain/LimitReached"
import type { Replay } from "@llm-saas/domain/Replay"
import { RATE_LIMIT_HEADERS, rateLimitHeaders } from "./RateLimits.ts"
import { refusalBody, type RefusalCode, type RefusalDetails, statusOf } from "./Refusals.ts"
import type { AnswerCookie } from "../auth/SessionCookie.ts"
import { told } from "./Telling.ts"
import type { RequestRecord } from "../logging/RequestRecord.ts"

// Imported as an ES module, node:http would load its WebSocket and fetch along with it.
const { ServerResponse } = process.getBuiltinModule("node:http")

/** What all answers of a server have in common. */
export interface ExchangePolicy {
  /** Headers sent with every answer: names and values in turn. */
  readonly headers: ReadonlyArray<string>
  /** Whether pages of this origin may read the answers; absent: no other origin may. */
  readonly allowsOrigin: ((origin: string) => boolean) | undefined
  /** In whose form a request is answered. */
  readonly door: (request: IncomingMessage) => Door
  /** True while the server stops: every answer then ends its connection. */
  readonly draining: () => boolean
  /** Called once, when the answer is sent or its reader has gone. */
  readonly ended: (exchange: Exchange) => void
}

/** An answer that is always the same. */
export interface ConstantAnswer {
  readonly route: string
  readonly headers: Array<string>
  readonly body: string
}

const API_CSP = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
const EXPOSED =
  "x-request-id, request-id, x-generation-id, retry-after, retry-after-ms, x-should-retry, www-authenticate, etag, idempotency-replayed, "
const SANE_ID = /^[A-Za-z0-9._-]{1,128}$/u

/**
 * One request and its answer: Node's own response object, which also is the request's record. Whether Effect's router, its error handling
 * or Node itself answers, the answer leaves through `writeHead` here and so carries the request id and the server's headers; its log line
 * is written when the answer is really over. Costs no object and no Effect of its own.
 */
export class Exchange<Request extends IncomingMessage = IncomingMessage>
  extends ServerResponse<Request>
  implements RequestRecord, Replay, AnswerCookie
{
  readonly startedAt = performance.now()
  readonly client: string
  id = ""
  route = "-"
  tenant: string | undefined = undefined
  user: string | undefined = undefined
  /** The page's origin, if a browser sent one. */
  origin: string | undefined = undefined
  /** Set while a handler runs that will report the route. */
  serving = false
  /** The answer repeats an earlier one. */
  replayed = false
  /** A cookie that goes with the answer. */
  cookie: string | undefined = undefined
  /** What is left of limits, where some hold. */
  standing: Standing | undefined = undefined
  /** Number of RPC calls it carried: each has a line of its own in the log. */
  calls = 0
  #hosts = 0
  #door: Door | undefined = undefined
  #over = false
  #chunked = false
  #upgraded = false
  readonly #policy: ExchangePolicy

  constructor(request: Request, policy: ExchangePolicy) {
    super(request)
    this.#policy = policy
    this.client = request.socket.remoteAddress ?? "-"
    this.#readHeaders(request.rawHeaders)
    if (this.id === "") this.id = randomUUID()
    this.on("close", this.#closed)
  }

  /** HTTP/1.1 requires exactly one Host (RFC 9112 §3.2). */
  get hasOneHost(): boolean {
    return this.#hosts === 1 || (this.#hosts === 0 && this.req.httpVersionMinor === 0)
  }

  /** In whose form it is answered. */
  get door(): Door {
    return (this.#door ??= this.#policy.door(this.req))
  }

  /** The origin, if its pages may read our answers. */
  get allowedOrigin(): string | undefined {
    return this.origin !== undefined && this.#policy.allowsOrigin?.(this.origin) === true ? this.origin : undefined
  }

  /** The status for the log: 499 if the client left before the end, as other servers log it. */
  get outcome(): number {
    return this.writableEnded || this.#upgraded ? this.statusCode : 499
  }

  /** The connection became a WebSocket, which ends separately. */
  upgraded(): void {
    this.#upgraded = true
    this.statusCode = 101
  }

  /** The handler is done: the route is known, and the line is written if the client has left already. */
  served(route: string | undefined): void {
    this.serving = false
    if (route !== undefined) this.route = route
    if (this.closed) this.#end()
  }

  /** Sends a constant answer, outside of any handler. */
  constant(answer: ConstantAnswer): void {
    this.route = answer.route
    this.writeHead(200, answer.headers)
    this.end(answer.body)
  }

  /** Answers with an error, outside of any handler. */
  refuse(code: RefusalCode, headers: Readonly<Record<string, string>> = {}, details?: RefusalDetails): void {
    const {
      body,
      contentType,
      headers: own,
      status
    } = told(this.door, statusOf(code), refusalBody(code, details), this.id)
    this.writeHead(status, {
      "content-type": contentType,
      "content-length": Buffer.byteLength(body),
      connection: "close",
      ...own,
      ...headers
    })
    this.end(this.req.method === "HEAD" ? undefined : body)
  }

  override writeHead(
    status: number,
    reasonOrHeaders?: string | OutgoingHttpHeaders | Array<OutgoingHttpHeader>,
    headers?: OutgoingHttpHeaders | Array<OutgoingHttpHeader>
  ): this {
    const own = typeof reasonOrHeaders === "object" ? reasonOrHeaders : headers
    const reason = typeof reasonOrHeaders === "string" ? reasonOrHeaders : undefined
    const all: Array<OutgoingHttpHeader> = ["x-request-id", this.id]
    for (const value of this.#policy.headers) all.push(value)
    let cached = false
    let scripted = false
    if (Array.isArray(own)) {
      for (const value of own) all.push(value)
    } else if (own !== undefined) {
      for (const name in own) {
        const value = own[name]
        if (value === undefined) continue
        if (name === "cache-control") cached = true
        else if (name === "content-security-policy") scripted = true
        all.push(name, value)
      }
    }
    if (this.door === "anthropic") all.push("request-id", this.id)
    if (this.standing !== undefined) {
      const nowMs = performance.timeOrigin + performance.now()
      for (const value of rateLimitHeaders(this.door, this.standing, nowMs)) all.push(value)
    }
    if (this.cookie !== undefined) all.push("set-cookie", this.cookie)
    if (this.replayed) all.push("idempotency-replayed", "true")
    if (!cached) all.push("cache-control", "no-store")
    if (!scripted) all.push("content-security-policy", API_CSP)
    if (this.#policy.allowsOrigin !== undefined) this.#share(all)
    if (this.#policy.draining()) all.push("connection", "close")
    return super.writeHead(status, reason, all)
  }

  /**
   * Writes a piece of a body, as `write` does: false means that the reader is behind and `drain` will follow. Node sends each chunk of a
   * body (RFC 9112 §7.1) as four pieces and gathers them with `writev`; writing it as one string saves a fifth of the whole server's
   * time, which for streams is mostly such writes.
   */
  chunk(text: string): boolean {
    const { socket } = this
    // The first piece carries the headers. Behind an earlier answer on the same connection there is no socket yet.
    if (!this.#chunked || !this.chunkedEncoding || socket === null) {
      this.#chunked = true
      return this.write(text)
    }
    const bytes = Buffer.byteLength(text)
    // Text of one byte a character is copied as it is.
    const encoding = bytes === text.length ? "latin1" : "utf8"
    const written = socket.write(`${bytes.toString(16)}\r\n${text}\r\n`, encoding)
    if (!written) socket.once("drain", this.#drained)
    return written
  }

  #share(headers: Array<OutgoingHttpHeader>): void {
    headers.push("vary", "Origin")
    const origin = this.allowedOrigin
    if (origin !== undefined)
      headers.push(
        "access-control-allow-origin",
        origin,
        "access-control-expose-headers",
        EXPOSED + RATE_LIMIT_HEADERS[this.door]
      )
  }

  // Node builds its headers object only when it is read: finding the three we need here is cheaper.
  #readHeaders(raw: ReadonlyArray<string>): void {
    for (let index = 0; index < raw.length; index += 2) {
      const name = raw[index]
      const value = raw[index + 1]
      if (name === undefined || value === undefined) return
      if (name.length === 4 && name.toLowerCase() === "host") this.#hosts++
      else if (name.length === 6 && name.toLowerCase() === "origin") this.origin = value
      else if (name.length === 12 && name.toLowerCase() === "x-request-id" && SANE_ID.test(value)) this.id = value
    }
  }

  readonly #drained = () => this.emit("drain")

  #closed(): void {
    if (!this.serving) this.#end()
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    this.#policy.ended(this)
  }
}

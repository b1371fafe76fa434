import { randomUUID } from "node:crypto"
import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders } from "node:http"
import type { Replay } from "@llm-saas/domain/Replay"
import { PROBLEM, refusalBody, type RefusalCode, type RefusalDetails, statusOf, withRequestId } from "./Refusals.ts"
import type { RequestRecord } from "../logging/RequestRecord.ts"

// Imported as an ES module, node:http would load its WebSocket and fetch along with it.
const { ServerResponse } = process.getBuiltinModule("node:http")

/** What every answer of a server has in common. */
export interface ExchangePolicy {
  /** Names and values in turn, sent with every answer. */
  readonly headers: ReadonlyArray<string>
  /** Which pages may read the answers; absent: none of another origin. */
  readonly allowsOrigin: ((origin: string) => boolean) | undefined
  /** True once the server stops: every answer then ends its connection. */
  readonly draining: () => boolean
  /** Called once, when the answer is out or its reader has gone. */
  readonly ended: (exchange: Exchange) => void
}

/** An answer that is always the same. */
export interface ConstantAnswer {
  readonly route: string
  readonly headers: Array<string>
  readonly body: string
}

const API_CSP = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
const EXPOSED = "x-request-id, x-generation-id, retry-after, www-authenticate, etag, idempotency-replayed"
const SANE_ID = /^[A-Za-z0-9._-]{1,128}$/u

/**
 * One request and its answer: Node's own response object, which also is the request's record. Whoever answers, Effect's router, its
 * error handling or Node itself, the answer leaves through `writeHead` here and so carries the request id and the headers of the
 * house; and its line in the log is written when it is really over. Costs no object and no Effect of its own.
 */
export class Exchange<Request extends IncomingMessage = IncomingMessage>
  extends ServerResponse<Request>
  implements RequestRecord, Replay
{
  readonly startedAt = performance.now()
  readonly client: string
  id = ""
  route = "-"
  tenant: string | undefined = undefined
  user: string | undefined = undefined
  /** The page's origin, where a browser sent one. */
  origin: string | undefined = undefined
  /** Set while a handler is at work that will still tell the route. */
  serving = false
  /** The answer is an earlier one, given again. */
  replayed = false
  /** Calls it carried to the RPC door: each has a line of its own in the log. */
  calls = 0
  #hosts = 0
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

  /** HTTP/1.1 asks for exactly one Host (RFC 9112 §3.2). */
  get hasOneHost(): boolean {
    return this.#hosts === 1 || (this.#hosts === 0 && this.req.httpVersionMinor === 0)
  }

  /** The origin, if it is one that may read our answers. */
  get allowedOrigin(): string | undefined {
    return this.origin !== undefined && this.#policy.allowsOrigin?.(this.origin) === true ? this.origin : undefined
  }

  /** What the client is told: 499 where it left before the end, as others log it. */
  get outcome(): number {
    return this.writableEnded || this.#upgraded ? this.statusCode : 499
  }

  /** It became a WebSocket, whose end is its own. */
  upgraded(): void {
    this.#upgraded = true
    this.statusCode = 101
  }

  /** The handler is done: the route is known, and the line may be written if the client has left already. */
  served(route: string | undefined): void {
    this.serving = false
    if (route !== undefined) this.route = route
    if (this.closed) this.#end()
  }

  /** Answers with what never changes, from outside of any handler. */
  constant(answer: ConstantAnswer): void {
    this.route = answer.route
    this.writeHead(200, answer.headers)
    this.end(answer.body)
  }

  /** Answers with a problem, from outside of any handler. */
  refuse(code: RefusalCode, headers: Readonly<Record<string, string>> = {}, details?: RefusalDetails): void {
    const body = withRequestId(refusalBody(code, details), this.id)
    this.writeHead(statusOf(code), {
      "content-type": PROBLEM,
      "content-length": Buffer.byteLength(body),
      connection: "close",
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
    if (this.replayed) all.push("idempotency-replayed", "true")
    if (!cached) all.push("cache-control", "no-store")
    if (!scripted) all.push("content-security-policy", API_CSP)
    if (this.#policy.allowsOrigin !== undefined) this.#share(all)
    if (this.#policy.draining()) all.push("connection", "close")
    return super.writeHead(status, reason, all)
  }

  /**
   * Writes a piece of a body, as `write` does: false says that the reader is behind, and `drain` follows. Node
   * sends each chunk of a body (RFC 9112 §7.1) as four pieces and gathers them with `writev`; written as one string it costs a fifth less
   * of the whole server's time, which for streams is mostly such writes.
   */
  chunk(text: string): boolean {
    const { socket } = this
    // The first piece takes the headers along. Behind an earlier answer on the same connection there is no socket yet.
    if (!this.#chunked || !this.chunkedEncoding || socket === null) {
      this.#chunked = true
      return this.write(text)
    }
    const written = socket.write(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`)
    if (!written) socket.once("drain", this.#drained)
    return written
  }

  #share(headers: Array<OutgoingHttpHeader>): void {
    headers.push("vary", "Origin")
    const origin = this.allowedOrigin
    if (origin !== undefined)
      headers.push("access-control-allow-origin", origin, "access-control-expose-headers", EXPOSED)
  }

  // Node makes its object of headers only when somebody asks: the three that every request is asked for are cheaper to find here.
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

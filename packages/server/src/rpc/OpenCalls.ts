import { Rpcs } from "@llm-saas/api/Rpcs"
import { Context, Effect, Exit, Option, Predicate, Schema } from "effect"
import { Headers } from "effect/http"
import type { FromServerEncoded } from "effect/rpc/RpcMessage"
import { randomUUID } from "node:crypto"
import { schemaIssuesOf } from "../http/SchemaIssues.ts"
import type { Exchange } from "../http/Exchange.ts"
import { refusalBody, type RefusalCode, type RefusalDetails } from "../http/Refusals.ts"
import type { RequestLines } from "../logging/RequestLines.ts"
import type { RequestRecord } from "../logging/RequestRecord.ts"
import type { Sender } from "../config/ClientNetworks.ts"
import type { Request } from "./Frames.ts"

/** One call, from its arrival to its answer, with what the log needs. */
export interface Call extends RequestRecord {
  readonly tag: string
  readonly payload: unknown
  readonly arrivedAt: number
  /** Tick at which the oldest unacknowledged chunk was sent. */
  sentAt: number | undefined
  interrupted: boolean
}

type CallId = string | number
type Problem = Readonly<Record<string, unknown>>
type Send = (answer: FromServerEncoded) => Effect.Effect<void>

/** The open calls of the current call's connection. */
export const CurrentOpenCalls = Context.Reference<OpenCalls | undefined>("@llm-saas/server/rpc/CurrentOpenCalls", {
  defaultValue: () => undefined
})

/** Where the current call comes from; empty outside of a call. */
export const CurrentSender: Effect.Effect<Sender> = Effect.withFiber((fiber) =>
  Effect.succeed(fiber.getRef(CurrentOpenCalls)?.carrier ?? { headers: Headers.empty, remoteAddress: Option.none() })
)

/**
 * The calls of one connection. The dispatcher's answers leave through here, limited to the contract: otherwise a defect's message and
 * stack would go to the client.
 */
export class OpenCalls {
  /** The request or connection that carries them. */
  readonly carrier: Sender
  readonly #exchange: Exchange
  readonly #lines: RequestLines["Service"]
  readonly #open = new Map<CallId, Call>()
  readonly #idle = new Set<() => void>()
  readonly #closed: Array<() => void> = []
  /** Calls refused in a row for want of a valid token. */
  unauthenticated = 0
  #tick = 0
  #used = 0

  constructor(exchange: Exchange, carrier: Sender, lines: RequestLines["Service"]) {
    this.#exchange = exchange
    this.carrier = carrier
    this.#lines = lines
  }

  get size(): number {
    return this.#open.size
  }

  has(id: CallId): boolean {
    return this.#open.has(id)
  }

  get(id: CallId): Call | undefined {
    return this.#open.get(id)
  }

  /**
   * Advances the tick, at a regular interval. Returns for how many ticks the connection has had no call, and for how many the slowest
   * reader has not acknowledged a chunk.
   */
  tick(): { readonly unused: number; readonly behind: number } {
    this.#tick++
    if (this.#open.size > 0) this.#used = this.#tick
    let sent = this.#tick
    for (const { sentAt } of this.#open.values()) if (sentAt !== undefined && sentAt < sent) sent = sentAt
    return { unused: this.#tick - this.#used, behind: this.#tick - sent }
  }

  /** Registers a call. Its log id is the one it asks for, or else that of the request which carries it alone. */
  begin({ headers, id, payload, tag }: Request, own: boolean): void {
    this.#exchange.calls++
    this.#used = this.#tick
    const asked = headers?.findLast(([name]) => name.toLowerCase() === "x-request-id")?.[1]
    this.#open.set(id, {
      id: asked !== undefined && SANE_ID.test(asked) ? asked : own ? randomUUID() : this.#exchange.id,
      client: this.#exchange.client,
      route: Rpcs.requests.has(tag) ? `${this.#exchange.route} ${tag}` : this.#exchange.route,
      tenant: undefined,
      user: undefined,
      tag,
      payload,
      arrivedAt: performance.now(),
      sentAt: undefined,
      interrupted: false
    })
  }

  /** Answers a call that is not dispatched. */
  refuse(id: CallId, problem: Problem, send: Send): Effect.Effect<void> {
    return this.leave(failed(id, problem), send)
  }

  /** Sends the dispatcher's response, limited to the contract. A call is over when its answer is sent. */
  leave(response: FromServerEncoded, send: Send): Effect.Effect<void> {
    const call = "requestId" in response ? this.#open.get(response.requestId) : undefined
    const answer = call === undefined ? harmless(response) : explained(response, call)
    if (call === undefined) return send(answer)
    if (answer._tag === "Chunk") call.sentAt ??= this.#tick
    if (answer._tag !== "Exit") return send(answer)
    return Effect.andThen(
      send(answer),
      Effect.sync(() => {
        this.unauthenticated = isUnauthenticated(answer) ? this.unauthenticated + 1 : 0
        this.#end(answer.requestId, call, statusOf(answer, call))
      })
    )
  }

  /** The client is gone: ends the open calls, which have no reader. */
  close(): void {
    for (const [id, call] of this.#open) this.#end(id, call, 499)
    for (const closed of this.#closed.splice(0)) closed()
  }

  /** Calls `closed` when the client is gone. */
  onClose(closed: () => void): void {
    this.#closed.push(closed)
  }

  /** Waits until no call is open. */
  readonly untilIdle: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.#open.size === 0) return resume(Effect.void)
    const idle = () => resume(Effect.void)
    this.#idle.add(idle)
    return Effect.sync(() => this.#idle.delete(idle))
  })

  #end(id: CallId, call: Call, status: number): void {
    if (!this.#open.delete(id)) return
    this.#lines.called(call, status, performance.now() - call.arrivedAt)
    if (this.#open.size > 0) return
    for (const idle of this.#idle) idle()
    this.#idle.clear()
  }
}

const SANE_ID = /^[A-Za-z0-9._-]{1,128}$/u

/** A problem as it is sent. */
export const problem = (code: RefusalCode, details?: RefusalDetails): Problem => JSON.parse(refusalBody(code, details))

const failed = (requestId: CallId, error: Problem): FromServerEncoded => ({
  _tag: "Exit",
  requestId,
  exit: { _tag: "Failure", cause: [{ _tag: "Fail", error }] }
})

type Ended = Extract<FromServerEncoded, { readonly _tag: "Exit" }>

/** A response that belongs to no call of ours. A defect of the dispatcher itself is replaced. */
const harmless = (response: FromServerEncoded): FromServerEncoded =>
  response._tag === "Defect" ? { _tag: "Defect", defect: problem("internal_error") } : response

/** A failure with the request's id; a failure outside the contract is replaced by one inside it. */
const explained = (response: FromServerEncoded, call: Call): FromServerEncoded => {
  if (response._tag !== "Exit" || response.exit._tag === "Success") return response
  const { exit, requestId } = response
  const fail = exit.cause.find((reason) => reason._tag === "Fail")
  const error = fail === undefined ? translate(exit, call) : fail.error
  return Predicate.isObject(error) ? failed(requestId, { ...error, request_id: call.id }) : response
}

const translate = (exit: Extract<Ended["exit"], { readonly _tag: "Failure" }>, call: Call): Problem => {
  if (exit.cause.every(({ _tag }) => _tag === "Interrupt")) return problem("unavailable")
  const errors = misfit(call)
  return errors === undefined ? problem("internal_error") : problem("invalid_request", { errors })
}

const statusOf = (answer: FromServerEncoded, { interrupted }: Call): number => {
  if (answer._tag !== "Exit" || answer.exit._tag === "Success") return 200
  const [reason] = answer.exit.cause
  if (interrupted) return 499
  return reason?._tag === "Fail" && Predicate.hasProperty(reason.error, "status") ? Number(reason.error.status) : 500
}

/** Whether a call was refused for want of a valid token. A failed login is not: it is counted elsewhere. */
const isUnauthenticated = (answer: Ended): boolean => {
  if (answer.exit._tag === "Success") return false
  const [reason] = answer.exit.cause
  return (
    reason?._tag === "Fail" && Predicate.hasProperty(reason.error, "code") && reason.error.code === "unauthenticated"
  )
}

type Decode = (payload: unknown) => Exit.Exit<unknown, Schema.SchemaError>

const payloads = new Map<string, Decode>(
  [...Rpcs.requests.values()].map((rpc) => [rpc._tag, Schema.decodeUnknownExit(Schema.toCodecJson(rpc.payloadSchema))])
)

/** Why a payload does not fit its call. The dispatcher refuses it as a defect without a path, so it is decoded once more. */
const misfit = ({ payload, tag }: Call) => {
  const decode = payloads.get(tag)
  if (decode === undefined) return [{ path: ["tag"], message: "Expected the name of a call" }]
  const error = Exit.findErrorOption(decode(payload))
  return Option.isSome(error) ? schemaIssuesOf(error.value.issue, "payload") : undefined
}

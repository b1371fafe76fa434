import { type Door, mayPass, statusAtDoor } from "@llm-saas/api/v1/Door"
import type { DoorError } from "@llm-saas/dialects/AnswerWriter"
import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import { Result } from "effect"
import { PROBLEM, withRequestId } from "./Refusals.ts"
import { bodyOf } from "../v1/ErrorBodies.ts"

/** An error as bytes, in the form of its door. */
export interface Told {
  readonly status: number
  readonly body: string
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Every error of this server becomes bytes here, or by {@link doorErrorOf} an event of a stream. `problem` is its text without the request
 * id, `status` the one it is declared with.
 */
export const told = (door: Door, status: number, problem: string, requestId: string): Told => {
  if (door === "native")
    return { status, body: withRequestId(problem, requestId), contentType: PROBLEM, headers: NO_HEADERS }
  const error = doorErrorOf(problem, status, requestId)
  return {
    status: error.status,
    body: JSON.stringify(bodyOf(door, error)),
    contentType: "application/json",
    headers: mayHelp(error) ? waiting(error) : NO_RETRY
  }
}

const NO_HEADERS = {}
/** The SDKs of OpenAI and Anthropic retry 408, 409, 429 and 5xx, unless this header says otherwise. */
const NO_RETRY = { "x-should-retry": "false" }

/** The same SDKs read milliseconds first. */
const waiting = ({ retryAfter, status }: Failure): Readonly<Record<string, string>> =>
  status === 429 && retryAfter !== undefined ? { "retry-after-ms": `${retryAfter * 1000}` } : NO_HEADERS

/** Failures of the provider that stay until its operator, or the request, is another one. */
const LASTING: ReadonlySet<string> = new Set(["model_unauthorized", "model_rejected", "answer_too_long"])

const mayHelp = ({ code, reason, retryAfter, status }: Failure): boolean =>
  (mayPass(code, status) || (code === "budget_exhausted" && retryAfter !== undefined)) && !LASTING.has(reason ?? "")

/** A problem as a door tells it. */
export interface Failure extends DoorError {
  /** Why there is no whole answer: see `FailureReason`. */
  readonly reason?: string | undefined
}

/** A problem's text as an error of a door. */
export const doorErrorOf = (problem: string, status: number, requestId: string): Failure => {
  const parsed = Result.getOrElse(
    Result.try((): unknown => JSON.parse(problem)),
    () => undefined
  )
  const { code, detail, errors, reason, retry_after, said } = isJsonObject(parsed) ? parsed : NOTHING
  const known = typeof code === "string" ? code : "internal_error"
  const retryAfter = typeof retry_after === "number" ? retry_after : undefined
  return {
    // The provider says what is wrong with the request. Without that, what it does not take is ours: the model's name, an account.
    status: reason === "model_rejected" && isJsonObject(said) ? 400 : statusAtDoor(known, status),
    code: known,
    message: typeof detail === "string" ? detail : "The server failed for a reason of its own.",
    requestId,
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(typeof reason === "string" ? { reason } : {}),
    ...paramOf(errors),
    ...saidOf(said)
  }
}

const NOTHING: JsonObject = {}

/** What the provider says is wrong with the request, in its words: see `v1/Upstream`. */
const saidOf = (said: unknown): Partial<Failure> => {
  if (!isJsonObject(said) || typeof said["message"] !== "string") return {}
  const { code, message, param } = said
  return {
    message,
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof param === "string" ? { param } : {})
  }
}

/** The member that is wrong. The part of the request it is in is left out: clients of these APIs know only their bodies. */
const paramOf = (errors: unknown): { readonly param?: string } => {
  const [first]: ReadonlyArray<unknown> = Array.isArray(errors) ? errors : []
  const path: unknown = isJsonObject(first) ? first["path"] : undefined
  const [slot, ...steps]: ReadonlyArray<unknown> = Array.isArray(path) ? path : []
  if (slot === undefined) return {}
  return { param: steps.length === 0 ? String(slot) : steps.join(".") }
}

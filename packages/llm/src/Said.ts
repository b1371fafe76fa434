import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import { redact } from "@llm-saas/domain/Redaction"
import type { FailureReason, UpstreamRefusal } from "@llm-saas/domain/Generation"
import { ProviderFailure } from "./ProviderFailure.ts"

/** Longest message that is passed on to a client, and the longest that is searched for secrets. */
const MESSAGE_CHARACTERS = 1000
const SEARCHED_CHARACTERS = 4000

/** Statuses by which a provider refuses what the client wrote. Others are between the provider and us. */
const STATUSES: ReadonlySet<number | undefined> = new Set([400, 413, 422])
const NO_MODEL = "model_not_found"
const REASONS: ReadonlySet<FailureReason> = new Set([
  "model_rejected",
  "prompt_rejected",
  "context_too_long",
  "content_filtered"
])

/**
 * The failure with what the provider says is wrong with the request, where the request is at fault: users of client libraries correct their
 * requests by it. `error`: the refusal as it was parsed.
 */
export const withSaid = (failed: ProviderFailure, error: unknown): ProviderFailure => {
  if (!REASONS.has(failed.reason)) return failed
  const said = saidIn(error)
  if (said === undefined || !(STATUSES.has(failed.status) || (failed.status === 404 && said.code === NO_MODEL)))
    return failed
  const { code, reason, retryable, shape, status, usage, waitMs } = failed
  return new ProviderFailure({ code, reason, retryable, said, shape, status, usage, waitMs })
}

const saidIn = (value: unknown): UpstreamRefusal | undefined => {
  const outer = Array.isArray(value) ? firstOf(value) : value
  if (!isJsonObject(outer)) return undefined
  const error = isJsonObject(outer["error"]) ? outer["error"] : outer
  const message = [error["message"], error["detail"], outer["error"], outer["message"]].find(isText)
  if (message === undefined) return undefined
  return {
    message: redact("content", message.slice(0, SEARCHED_CHARACTERS)).slice(0, MESSAGE_CHARACTERS).toWellFormed(),
    ...wordOf(error, "param"),
    ...wordOf(error, "code"),
    ...wordOf(error, "type")
  }
}

const firstOf = ([first]: ReadonlyArray<unknown>): unknown => first

const isText = (value: Json | undefined): value is string => typeof value === "string" && value !== ""

/** A short printable word. */
const wordOf = (error: JsonObject, name: "param" | "code" | "type"): Partial<UpstreamRefusal> => {
  const value = error[name]
  return typeof value === "string" && /^[\x20-\x7e]{1,200}$/u.test(value) ? { [name]: redact("content", value) } : {}
}

/** Shortest text that is taken for a secret: a header may be `true`, and a key `none`. */
const SECRET_CHARACTERS = 8
/** Shortest beginning of one that is removed where a message was cut. */
const BEGINNING_CHARACTERS = 4

/**
 * The failure without these secrets in what the provider says: with what it was asked by, which it may quote. They need not look like
 * keys, so the rules of redaction do not know them.
 */
export const withoutSecrets = (failed: ProviderFailure, secrets: ReadonlyArray<string>): ProviderFailure => {
  if (failed.said === undefined) return failed
  const hidden = secrets.filter(({ length }) => length >= SECRET_CHARACTERS)
  const hide = (text: string) => hidden.reduce((rest, secret) => uncut(rest.replaceAll(secret, "[key]"), secret), text)
  const { code, message, param, type } = failed.said
  const said = {
    message: hide(message),
    ...(param === undefined ? {} : { param: hide(param) }),
    ...(code === undefined ? {} : { code: hide(code) }),
    ...(type === undefined ? {} : { type: hide(type) })
  }
  const { reason, retryable, shape, status, usage, waitMs } = failed
  return new ProviderFailure({ code: failed.code, reason, retryable, said, shape, status, usage, waitMs })
}

/** A text without the beginning of the secret at its end. */
const uncut = (text: string, secret: string): string => {
  for (let length = Math.min(secret.length, text.length); length >= BEGINNING_CHARACTERS; length--)
    if (text.endsWith(secret.slice(0, length))) return `${text.slice(0, -length)}[key]`
  return text
}

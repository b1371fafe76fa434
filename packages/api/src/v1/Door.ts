import type { ProblemCode } from "@llm-saas/domain/Problem"
import { Context } from "effect"

/** In whose form an address answers, its errors too: in our own, or in that of the API whose clients it serves. */
export type Door = "native" | "openai" | "anthropic"

const MESSAGES = /^\/v1\/messages(?:\/|$)/u

/** The door of a path, whether or not there is something. `/v1/key` is our own. */
export const doorOfPath = (path: string): Door => {
  if (path === "/v1/key" || !(path === "/v1" || path.startsWith("/v1/"))) return "native"
  return MESSAGES.test(path) ? "anthropic" : "openai"
}

/** Problems that are the request's own fault, for which these APIs have no status but 400. */
const FAULTS: ReadonlySet<string> = new Set<ProblemCode>([
  "content_filtered",
  "context_too_long",
  "prompt_rejected",
  "prompt_too_long"
])

/** The status of a problem at a door that is not our own. */
export const statusAtDoor = (code: string, status: number): number => (FAULTS.has(code) ? 400 : status)

/** Refusals that may be different a moment later. A client need not retry others of 4xx. */
const PASSING: ReadonlySet<string> = new Set<ProblemCode>([
  "request_timeout",
  "still_running",
  "too_many_requests",
  "limit_reached"
])

/** Whether the same request may succeed later, as far as its refusal says it. */
export const mayPass = (code: string, status: number): boolean => status >= 500 || PASSING.has(code)

/**
 * Set on an endpoint of another API's contract, as clients made for that API call it: it takes query parameters that it does not know, and
 * larger bodies, which its handler reads once the caller is known.
 */
export const Foreign = Context.Reference<boolean>("@llm-saas/api/v1/Foreign", { defaultValue: () => false })

import type { Door } from "@llm-saas/api/v1/Door"
import { type Standing } from "@llm-saas/domain/LimitReached"
import { Option, Result, Schema } from "effect"

// What is left of limits of the minute, as headers: in the words of the API whose clients read them.

const RESOURCES = ["requests", "tokens"] as const

/** The minute, in seconds: an allowance is whole again after it. */
const WINDOW_SECONDS = 60

const openAiName = (member: string, resource: string): string => `x-ratelimit-${member}-${resource}`
const anthropicName = (member: string, resource: string): string => `anthropic-ratelimit-${resource}-${member}`

/** Names and values in turn. `nowMs`: milliseconds since 1970. */
export const rateLimitHeaders = (door: Door, standing: Standing, nowMs: number): ReadonlyArray<string> => {
  switch (door) {
    case "native":
      return drafted(standing)
    case "openai":
      return named(standing, openAiName, durationOf)
    case "anthropic":
      return named(standing, anthropicName, (ms) => `${new Date(nowMs + ms).toISOString().slice(0, 19)}Z`)
  }
}

/** RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10): lists of the policies, with their quotas and what is left. */
const drafted = (standing: Standing): ReadonlyArray<string> => {
  const policies: Array<string> = []
  const left: Array<string> = []
  for (const resource of RESOURCES) {
    const now = standing[resource]
    if (now === undefined) continue
    policies.push(`"${resource}";q=${now.limit};w=${WINDOW_SECONDS}`)
    left.push(`"${resource}";r=${now.remaining};t=${Math.ceil(now.reset_ms / 1000)}`)
  }
  return left.length === 0 ? [] : ["ratelimit-policy", policies.join(", "), "ratelimit", left.join(", ")]
}

const named = (
  standing: Standing,
  nameOf: (member: string, resource: string) => string,
  resetOf: (ms: number) => string
): ReadonlyArray<string> =>
  RESOURCES.flatMap((resource) => {
    const now = standing[resource]
    return now === undefined
      ? []
      : [
          nameOf("limit", resource),
          `${now.limit}`,
          nameOf("remaining", resource),
          `${now.remaining}`,
          nameOf("reset", resource),
          resetOf(now.reset_ms)
        ]
  })

/** As OpenAI's API writes it: `120ms`, `1.5s`, `6m0s`. */
const durationOf = (ms: number): string => {
  if (ms < 1000) return `${ms}ms`
  const minutes = Math.floor(ms / 60_000)
  const seconds = `${(ms - minutes * 60_000) / 1000}s`
  return minutes === 0 ? seconds : `${minutes}m${seconds}`
}

const Refused = Schema.Struct({
  code: Schema.Literal("limit_reached"),
  resource: Schema.Literals(["requests", "tokens"]),
  limit: Schema.Int,
  retry_after: Schema.Int
})
const refusedOf = Schema.decodeUnknownOption(Refused)

/** What a refusal's problem says of the limit that is reached; undefined: it is another one. */
export const standingOf = (problem: string): Standing | undefined => {
  if (!problem.includes('"limit_reached"')) return undefined
  const parsed = Result.getOrElse(
    Result.try((): unknown => JSON.parse(problem)),
    () => undefined
  )
  const refused = Option.getOrUndefined(refusedOf(parsed))
  if (refused === undefined) return undefined
  const { limit, resource, retry_after } = refused
  return { [resource]: { limit, remaining: 0, reset_ms: retry_after * 1000 } }
}

const exposed = (nameOf: (member: string, resource: string) => string): string =>
  ["limit", "remaining", "reset"].flatMap((member) => RESOURCES.map((each) => nameOf(member, each))).join(", ")

/** The names of these headers, for pages of other origins. */
export const RATE_LIMIT_HEADERS: Readonly<Record<Door, string>> = {
  native: "ratelimit, ratelimit-policy",
  openai: exposed(openAiName),
  anthropic: exposed(anthropicName)
}

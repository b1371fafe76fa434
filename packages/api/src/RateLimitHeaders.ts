import { asObject, at, type Json } from "./Json.ts"
import type { Door } from "./v1/Door.ts"

// Headers of answers that say what is left of limits, in the document.

const RESOURCES = { requests: "requests", tokens: "tokens of questions and answers" } as const
const MEMBERS = {
  limit: "The limit",
  remaining: "What is left of the limit",
  reset: "When all of the limit is there again,"
} as const

const optional = (description: string): Json => ({ description, schema: { type: "string" }, required: false })

const NATIVE = {
  RateLimit: optional(
    "What is left of each limit of the minute (`r`), and in how many seconds all of it is (`t`); absent: none holds."
  ),
  RateLimitPolicy: optional("The limits (`q`) of requests and tokens in as many seconds (`w`).")
}

/** By their names in the document. */
export const rateLimitHeaders: Json = NATIVE

const reference = (name: string) => ({ $ref: `#/components/headers/${name}` })

const FORMS: Readonly<Record<Door, Json>> = {
  native: { RateLimit: reference("RateLimit"), "RateLimit-Policy": reference("RateLimitPolicy") },
  openai: namedBy((member, resource) => `x-ratelimit-${member}-${resource}`, "as in `6m0s`"),
  anthropic: namedBy((member, resource) => `anthropic-ratelimit-${resource}-${member}`, "as a time (RFC 3339)")
}

function namedBy(nameOf: (member: string, resource: string) => string, form: string): Json {
  return Object.fromEntries(
    Object.entries(MEMBERS).flatMap(([member, text]) =>
      Object.entries(RESOURCES).map(([resource, what]) => [
        nameOf(member, resource),
        optional(`${text} of ${what} a minute${member === "reset" ? ` ${form}` : ""}; absent: none holds.`)
      ])
    )
  )
}

/** An answer that says what is left. */
export const withRateLimits = (response: Json, door: Door): Json => ({
  ...response,
  headers: { ...at(response, "headers"), ...asObject(FORMS[door]) }
})

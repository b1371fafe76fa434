import { Result } from "effect"
import type { RefusalCode, RefusalDetails } from "./Refusals.ts"

/** Why a request target is refused. */
export interface BadTarget {
  readonly code: RefusalCode
  readonly details?: RefusalDetails
}

// Nearly every target has none of these and passes with one test.
const UNUSUAL = /[^!-~]|[%&#;]/u
const NOT_ASCII = /[^!-~]|#/u
const BROKEN_ESCAPE = /%(?![0-9a-fA-F]{2})/u

/**
 * Checks a request target before the router does: it must be ASCII with valid percent-encoded UTF-8, no NUL, and no repeated query key,
 * since programs disagree on which of the two counts.
 */
export const checkTarget = (target: string): BadTarget | undefined => {
  if (!UNUSUAL.test(target)) return undefined
  const start = target.indexOf("?")
  const path = start === -1 ? target : target.slice(0, start)
  const query = start === -1 ? "" : target.slice(start + 1)
  // The router would read the rest as the query.
  if (path.includes(";")) return { code: "not_found" }
  return checkText("path", path) ?? checkText("query", query) ?? checkKeys(query)
}

const checkText = (slot: string, text: string): BadTarget | undefined => {
  if (NOT_ASCII.test(text)) return invalid(slot, "Expected ASCII, percent-encoded where needed")
  if (!text.includes("%")) return undefined
  if (BROKEN_ESCAPE.test(text)) return invalid(slot, "Expected valid percent-encoding")
  if (Result.isFailure(Result.try(() => decodeURIComponent(text)))) return { code: "invalid_utf8" }
  return text.includes("%00") ? invalid(slot, "Expected text without NUL") : undefined
}

const checkKeys = (query: string): BadTarget | undefined => {
  if (!query.includes("&")) return undefined
  const seen = new Set<string>()
  for (const key of new URLSearchParams(query).keys()) {
    if (seen.has(key))
      return {
        code: "invalid_request",
        details: { errors: [{ path: ["query", key.slice(0, 64)], message: "Expected it once" }] }
      }
    seen.add(key)
  }
  return undefined
}

const invalid = (slot: string, message: string): BadTarget => ({
  code: "invalid_request",
  details: { errors: [{ path: [slot], message }] }
})

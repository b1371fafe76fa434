import { CsrfRefused } from "@llm-saas/domain/Session"
import { Context, Effect } from "effect"
import type { Sender } from "../config/ClientNetworks.ts"

// The cookie form of a session, for browsers: pages never see the refresh token. `__Host-` (RFC 6265bis §4.1.3.2): set by this host alone, for
// this host alone, over HTTPS (browsers count localhost as secure). Read by `POST /token` and `POST /logout`, and by nothing else.

const NAME = "__Host-refresh"
const ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Strict"

/** The cookie that goes with the answer of the current request, if any. */
export interface AnswerCookie {
  cookie: string | undefined
}

/** Outside of HTTP, one that is not read. */
export const CurrentAnswerCookie = Context.Reference<AnswerCookie>("@llm-saas/server/auth/CurrentAnswerCookie", {
  defaultValue: () => ({ cookie: undefined })
})

/** Sends this cookie with the answer. */
export const keepAnswerCookie = (cookie: string): Effect.Effect<void> =>
  Effect.map(CurrentAnswerCookie, (answer) => {
    answer.cookie = cookie
  })

/** Sends the refresh token as a cookie, for so many seconds. */
export const keepInCookie = (token: string, seconds: number): Effect.Effect<void> =>
  keepAnswerCookie(`${NAME}=${token}; Max-Age=${seconds}; ${ATTRIBUTES}`)

/** Removes the cookie. */
export const forgetCookie: Effect.Effect<void> = keepInCookie("", 0)

/** The refresh token of the request's cookie. */
export const cookieOf = ({ headers }: Sender): string | undefined => {
  for (const pair of headers["cookie"]?.split(";") ?? []) {
    const [name, value] = pair.trim().split("=", 2)
    if (name === NAME && value !== undefined && value !== "") return value
  }
  return undefined
}

/**
 * Refuses a request that may come from a page of another origin, also of another host of the same site, to which SameSite sends cookies.
 * `X-CSRF` is a header that no form can send, and that no page of another origin may: the preflight does not allow it, whatever
 * ALLOWED_ORIGINS says. Beside it the browser itself has to say that the origin is the same: by Sec-Fetch-Site (Fetch Metadata, W3C), or,
 * where it does not send that, by an Origin whose host is this one.
 */
export const refuseOtherOrigins = ({ headers }: Sender): Effect.Effect<void, CsrfRefused> =>
  headers["x-csrf"] === "1" && isSameOrigin(headers) ? Effect.void : Effect.fail(new CsrfRefused({}))

const isSameOrigin = (headers: Sender["headers"]): boolean => {
  const site = headers["sec-fetch-site"]
  if (site !== undefined) return site === "same-origin"
  const origin = headers["origin"]
  return origin !== undefined && URL.canParse(origin) && new URL(origin).host === headers["host"]
}

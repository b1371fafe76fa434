import { type SsoFailure, SsoUnavailable } from "@llm-saas/domain/SingleSignOn"
import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError
} from "openid-client"
import { NotAllowed, Unreachable } from "./GuardedFetch.ts"

/** What a failure of the library or the network means; `otherwise` for one that says nothing. No text of the provider is passed on. */
export const failure = (cause: unknown, otherwise: SsoFailure): SsoUnavailable => {
  for (const each of chain(cause)) {
    if (each instanceof NotAllowed) return new SsoUnavailable({ reason: "not_allowed" })
    if (each instanceof Unreachable) return new SsoUnavailable({ reason: "unreachable" })
    if (
      each instanceof AuthorizationResponseError
      || each instanceof ResponseBodyError
      || each instanceof WWWAuthenticateChallengeError
    )
      return new SsoUnavailable({ reason: "refused" })
    // A URL without TLS, which the library finds first.
    if (each instanceof ClientError && each.code === "OAUTH_HTTP_REQUEST_FORBIDDEN")
      return new SsoUnavailable({ reason: "not_allowed" })
  }
  return new SsoUnavailable({ reason: otherwise })
}

/** An error and what caused it: a few, since causes may be a ring. */
const chain = (cause: unknown): ReadonlyArray<unknown> => {
  const all: Array<unknown> = []
  let at = cause
  while (at instanceof Error && all.length < 8) {
    all.push(at)
    at = at.cause
  }
  return all
}

import { SecondFactorRequired } from "@llm-saas/domain/Factor"
import { TooManyRequests, Unauthenticated, Unavailable } from "@llm-saas/domain/Refusal"
import { CsrfRefused, InvalidGrant, Session, SessionId, SessionNotFound } from "@llm-saas/domain/Session"
import { TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { Text } from "@llm-saas/domain/Text"
import { UserId, UserNotFound } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import { Token } from "./AccountsApi.ts"
import * as Examples from "./Examples.ts"
import { pageOf, PageQuery } from "./Page.ts"

/** A refresh token as a request has it. */
export const RefreshTokenInput = Text.check(Schema.isMaxCodePoints(512, { expected: "at most 512 characters" }))

/**
 * The body of `/token`, as a form or as JSON: RFC 6749 §6, where without `refresh_token` the cookie's is meant; or §4.1.3 with the code of a
 * login by single sign-on, and RFC 7636 §4.5.
 */
export const Refresh = Schema.Struct({
  grant_type: Schema.Literals(["refresh_token", "authorization_code"]),
  refresh_token: Schema.optionalKey(RefreshTokenInput),
  code: Schema.optionalKey(Text.check(Schema.isMaxCodePoints(2048, { expected: "at most 2048 characters" }))),
  code_verifier: Schema.optionalKey(
    Schema.String.check(
      Schema.isPattern(/^[\w.~-]{43,128}$/u, { expected: "43 to 128 letters, digits, and characters of -._~" })
    )
  )
}).annotate({ identifier: "Refresh" })

const RefreshForm = Schema.Struct(Refresh.fields).annotate({ identifier: "RefreshForm" })

const renew = HttpApiEndpoint.post("renew", "/token", {
  payload: [RefreshForm.pipe(HttpApiSchema.asFormUrlEncoded()), Refresh],
  success: Token,
  error: [InvalidGrant, SecondFactorRequired, CsrfRefused, TooManyRequests, Unavailable]
})
  .annotate(Access, "public")
  .annotateMerge(
    Examples.answers(200, Examples.sessionToken, {
      grant_type: "refresh_token",
      refresh_token: Examples.sessionToken.refresh_token
    })
  )
  .annotateMerge(
    OpenApi.annotations({
      summary: "Renew a session",
      description:
        "Replaces the refresh token: from then on the new one renews the session. A client that did not get the answer may send the same token again within 30 seconds, and gets the same successor; so do two tabs that send it at once. Sent again later, it is in two hands: the session ends.\n\nWithout `refresh_token` the session's cookie is meant, which only pages of this server may use, with the header `X-CSRF: 1`.\n\nWith `grant_type=authorization_code`, a `code` of `GET /login/{slug}` and the `code_verifier` of its challenge begin a session: once, within a minute."
    })
  )

/** The body of `/logout`, which may be left out. */
export const Logout = Schema.Struct({ refresh_token: Schema.optionalKey(RefreshTokenInput) }).annotate({
  identifier: "Logout"
})

const LogoutForm = Schema.Struct(Logout.fields).annotate({ identifier: "LogoutForm" })

const logout = HttpApiEndpoint.post("logout", "/logout", {
  payload: [LogoutForm.pipe(HttpApiSchema.asFormUrlEncoded()), Logout, Schema.Undefined],
  success: HttpApiSchema.NoContent,
  error: [Unauthenticated, InvalidGrant, CsrfRefused, TooManyRequests, Unavailable]
})
  .annotate(Access, "public")
  .annotateMerge(
    OpenApi.annotations({
      summary: "End this session",
      description:
        "The session of the refresh token in the body; or else of the access token, sent as `Authorization: Bearer …`; or else of the cookie, by a page of this server with the header `X-CSRF: 1`. From then on its refresh token and its access tokens are refused. 204 also where it was over before; an access token without a session is a 400, since nothing ends it before its time."
    })
  )

/** One page of sessions. */
export const SessionPage = pageOf("SessionPage", Session)

const list = HttpApiEndpoint.get("list", "/me/sessions", {
  query: PageQuery,
  success: SessionPage,
  error: Unavailable
})
  .middleware(Authorization)
  .annotate(Access, "user")
  .annotateMerge(Examples.answers(200, { data: [Examples.session], next_cursor: null }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "List my sessions",
      description:
        "Those that are not over, newest first. `current` is the one of this request. Access tokens of logins that asked for no session are in no list."
    })
  )

const end = HttpApiEndpoint.delete("end", "/me/sessions/:id", {
  params: { id: SessionId },
  success: HttpApiSchema.NoContent,
  error: [SessionNotFound, Unavailable]
})
  .middleware(Authorization)
  .annotate(Access, "user")
  .annotateMerge(
    OpenApi.annotations({
      summary: "End one of my sessions",
      description: "Its access tokens are refused from the very next request on."
    })
  )

const endOthers = HttpApiEndpoint.delete("endOthers", "/me/sessions", {
  success: HttpApiSchema.NoContent,
  error: Unavailable
})
  .middleware(Authorization)
  .annotate(Access, "user")
  .annotateMerge(
    OpenApi.annotations({ summary: "End all my other sessions", description: "All but the one of this request." })
  )

const ofOne = { id: TenantId, user: UserId }

const ofUser = HttpApiEndpoint.get("ofUser", "/tenants/:id/users/:user/sessions", {
  params: ofOne,
  query: PageQuery,
  success: SessionPage,
  error: [TenantNotFound, UserNotFound, Unavailable]
})
  .annotateMerge(Examples.answers(200, { data: [{ ...Examples.session, current: false }], next_cursor: null }))
  .annotateMerge(
    OpenApi.annotations({ summary: "List a user's sessions", description: "Those that are not over, newest first." })
  )

const endOfUser = HttpApiEndpoint.delete("endOfUser", "/tenants/:id/users/:user/sessions/:session", {
  params: { ...ofOne, session: SessionId },
  success: HttpApiSchema.NoContent,
  error: [TenantNotFound, SessionNotFound, Unavailable]
}).annotateMerge(
  OpenApi.annotations({
    summary: "End a user's session",
    description: "Its access tokens are refused from the very next request on."
  })
)

const endAllOfUser = HttpApiEndpoint.delete("endAllOfUser", "/tenants/:id/users/:user/sessions", {
  params: ofOne,
  success: HttpApiSchema.NoContent,
  error: [TenantNotFound, UserNotFound, Unavailable]
}).annotateMerge(
  OpenApi.annotations({
    summary: "End all of a user's sessions",
    description: "The user may log in again: disable the user to prevent that."
  })
)

const ofOthers = HttpApiGroup.make("sessions")
  .add(ofUser, endOfUser, endAllOfUser)
  .middleware(Authorization)
  .annotateEndpoints(Access, "admin")

/** Logins that last: renewing, listing and ending them. */
export class SessionsApi extends ofOthers
  .add(renew, logout, list, end, endOthers)
  .annotateMerge(OpenApi.annotations({ title: "Sessions", description: "Logins that last." })) {}

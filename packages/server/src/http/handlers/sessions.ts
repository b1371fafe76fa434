import { Api } from "@llm-saas/api/Api"
import { Unauthenticated } from "@llm-saas/domain/Refusal"
import { InvalidGrant } from "@llm-saas/domain/Session"
import { UserSessions } from "@llm-saas/engine/accounts/UserSessions"
import { Effect } from "effect"
import type { HttpServerRequest } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { bearerOf } from "../../auth/Authorization.ts"
import { Renewals } from "../../auth/Renewals.ts"
import { Sessions } from "../../auth/Sessions.ts"
import { SsoTrips } from "../../auth/SsoTrips.ts"
import { cookieOf, forgetCookie, refuseOtherOrigins } from "../../auth/SessionCookie.ts"
import { DEFAULT_PAGE } from "./paging.ts"

/** `/token`, `/logout`, `/me/sessions…` and `/tenants/:id/users/:user/sessions…`. */
export const SessionsHandlers = HttpApiBuilder.group(
  Api,
  "sessions",
  Effect.fnUntraced(function* (handlers) {
    const sessions = yield* UserSessions
    const renewals = yield* Renewals
    const trips = yield* SsoTrips
    const begun = yield* Sessions

    const logout = (refreshToken: string, request: HttpServerRequest.HttpServerRequest) => {
      if (refreshToken !== "") return renewals.end(refreshToken, request)
      const accessToken = bearerOf(request.headers)
      const kept = cookieOf(request)
      // A page that sends both means the cookie, which outlives its access token.
      if (accessToken !== "" && (kept === undefined || request.headers["x-csrf"] === undefined))
        return renewals.logout(accessToken)
      if (kept === undefined) return Effect.fail(new Unauthenticated({}))
      return Effect.andThen(refuseOtherOrigins(request), Effect.andThen(renewals.end(kept, request), forgetCookie))
    }

    /** An app's login by single sign-on becomes a session. */
    const byCode = (code: string, verifier: string, sender: HttpServerRequest.HttpServerRequest) =>
      trips.exchange(code, verifier).pipe(
        Effect.flatMap(({ identity, ...how }) => begun.begin(identity, { ...how, want: "token", sender })),
        Effect.catchTag("Unauthenticated", () => new InvalidGrant({}))
      )

    return handlers.handleAll({
      renew: ({ payload: { code = "", code_verifier = "", grant_type, refresh_token = "" }, request }) => {
        if (grant_type === "authorization_code") return byCode(code, code_verifier, request)
        if (refresh_token !== "") return renewals.renew(refresh_token, "token", request)
        const kept = cookieOf(request)
        // A page that asks whether it is logged in: no guess, so it is not counted as one.
        if (kept === undefined) return Effect.fail(new InvalidGrant({}))
        return Effect.andThen(refuseOtherOrigins(request), renewals.renew(kept, "cookie", request))
      },
      logout: ({ payload, request }) => logout(payload?.refresh_token ?? "", request),
      list: ({ query }) => sessions.list({ limit: query.limit ?? DEFAULT_PAGE, cursor: query.cursor }),
      end: ({ params }) => sessions.end(params.id),
      endOthers: () => sessions.endOthers,
      ofUser: ({ params: { id, user }, query }) =>
        sessions.ofUser({ tenant: id, user }, { limit: query.limit ?? DEFAULT_PAGE, cursor: query.cursor }),
      endOfUser: ({ params: { id, session, user } }) => sessions.endOfUser({ tenant: id, user }, session),
      endAllOfUser: ({ params: { id, user } }) => sessions.endAllOfUser({ tenant: id, user })
    })
  })
)

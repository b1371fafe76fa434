import { Api } from "@llm-saas/api/Api"
import { Unauthenticated } from "@llm-saas/domain/Refusal"
import { UserSessions } from "@llm-saas/engine/accounts/UserSessions"
import { Effect } from "effect"
import type { HttpServerRequest } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { bearerOf } from "../../auth/Authorization.ts"
import { Renewals } from "../../auth/Renewals.ts"
import { cookieOf, forgetCookie, refuseOtherOrigins } from "../../auth/SessionCookie.ts"
import { DEFAULT_PAGE } from "./paging.ts"

/** `/token`, `/logout`, `/me/sessions…` and `/tenants/:id/users/:user/sessions…`. */
export const SessionsHandlers = HttpApiBuilder.group(
  Api,
  "sessions",
  Effect.fnUntraced(function* (handlers) {
    const sessions = yield* UserSessions
    const renewals = yield* Renewals

    const logout = (refreshToken: string, request: HttpServerRequest.HttpServerRequest) => {
      if (refreshToken !== "") return renewals.end(refreshToken, request)
      const accessToken = bearerOf(request.headers)
      if (accessToken !== "") return renewals.logout(accessToken)
      const kept = cookieOf(request)
      if (kept === undefined) return Effect.fail(new Unauthenticated({}))
      return Effect.andThen(refuseOtherOrigins(request), Effect.andThen(renewals.end(kept, request), forgetCookie))
    }

    return handlers.handleAll({
      renew: ({ payload: { refresh_token = "" }, request }) =>
        refresh_token !== ""
          ? renewals.renew(refresh_token, "token", request)
          : Effect.andThen(refuseOtherOrigins(request), renewals.renew(cookieOf(request) ?? "", "cookie", request)),
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

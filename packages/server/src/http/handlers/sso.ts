import { Api } from "@llm-saas/api/Api"
import { SsoConnections } from "@llm-saas/engine/sso/SsoConnections"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { SsoExpired } from "@llm-saas/domain/SingleSignOn"
import { LoginPlaces } from "../../auth/LoginPlaces.ts"
import { Sessions } from "../../auth/Sessions.ts"
import { SsoLogins } from "../../auth/SsoLogins.ts"
import { isLedHere, question, sendOn, withChallenge } from "../SsoPages.ts"

/** `/tenants/{id}/sso…`, `GET /login…` and `/sso/callback`. */
export const SsoHandlers = HttpApiBuilder.group(
  Api,
  "sso",
  Effect.fnUntraced(function* (handlers) {
    const connections = yield* SsoConnections
    const places = yield* LoginPlaces
    const logins = yield* SsoLogins
    const sessions = yield* Sessions
    return handlers.handleAll({
      get: ({ params }) => connections.get(params.id),
      put: ({ params, payload }) => connections.put(params.id, payload),
      remove: ({ params }) => connections.remove(params.id),
      test: ({ params }) => connections.test(params.id),
      proveDomain: ({ params }) => connections.proveDomain(params.id, params.domain),
      find: ({ query, request }) => places.find(query.email, request),
      start: ({ params, query, request }) =>
        query.redirect_uri === undefined && isLedHere(request)
          ? Effect.succeed(question(params.slug, request.url))
          : Effect.flatMap(logins.begin(params.slug, query, request), (step) => sendOn(302, step)),
      callback: ({ request }) =>
        Effect.gen(function* () {
          const arrival = yield* logins.finish(request.url.split("?", 2)[1] ?? "", request)
          const { identity } = arrival
          if (identity === undefined) return yield* sendOn(303, arrival)
          return yield* sessions.begin(identity, { method: "sso", want: "cookie", sender: request }).pipe(
            Effect.flatMap(() => sendOn(303, arrival)),
            Effect.catchTag("SecondFactorRequired", (asked) => sendOn(303, withChallenge(arrival, asked)))
          )
        }).pipe(Effect.catchTag("Unauthenticated", () => new SsoExpired({})))
    })
  })
)

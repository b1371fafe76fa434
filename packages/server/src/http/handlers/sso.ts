import { Api } from "@llm-saas/api/Api"
import { SsoConnections } from "@llm-saas/engine/sso/SsoConnections"
import { Effect } from "effect"
import type { HttpServerRequest } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { SsoExpired } from "@llm-saas/domain/SingleSignOn"
import { LoginPlaces } from "../../auth/LoginPlaces.ts"
import { ProviderLogins } from "../../auth/ProviderLogins.ts"
import { Sessions } from "../../auth/Sessions.ts"
import { SsoLogins } from "../../auth/SsoLogins.ts"
import { SsoTrips } from "../../auth/SsoTrips.ts"
import { forPeople, isLedHere, question, sendOn, withChallenge } from "../SsoPages.ts"

/** `/tenants/{id}/sso…`, `GET /login…`, `/sso/providers` and `/sso/callback`. */
export const SsoHandlers = HttpApiBuilder.group(
  Api,
  "sso",
  Effect.fnUntraced(function* (handlers) {
    const connections = yield* SsoConnections
    const places = yield* LoginPlaces
    const trips = yield* SsoTrips
    const logins = yield* SsoLogins
    const byProvider = yield* ProviderLogins
    const sessions = yield* Sessions

    const titles = new Map<string, string>(places.providers.data.map(({ name, title }) => [name, title]))

    /** Back from whichever provider, and logged in. */
    const comeBack = Effect.fnUntraced(
      function* (request: HttpServerRequest.HttpServerRequest) {
        const query = request.url.split("?", 2)[1] ?? ""
        yield* trips.count(request)
        const trip = yield* trips.back(query, request)
        const arrival = yield* "provider" in trip.at
          ? byProvider.finish(trip, trip.at, query)
          : logins.finish(trip, trip.at, query)
        const { login } = arrival
        if (login === undefined) return yield* sendOn(303, arrival)
        const { identity, ...how } = login
        return yield* sessions.begin(identity, { ...how, want: "cookie", sender: request }).pipe(
          Effect.flatMap(() => sendOn(303, arrival)),
          Effect.catchTag("SecondFactorRequired", (asked) => sendOn(303, withChallenge(arrival, asked)))
        )
      },
      Effect.catchTag("Unauthenticated", () => new SsoExpired({}))
    )

    return handlers.handleAll({
      get: ({ params }) => connections.get(params.id),
      put: ({ params, payload }) => connections.put(params.id, payload),
      remove: ({ params }) => connections.remove(params.id),
      test: ({ params }) => connections.test(params.id),
      proveDomain: ({ params }) => connections.proveDomain(params.id, params.domain),
      find: ({ query, request }) => places.find(query.email, request),
      providers: () => Effect.succeed(places.providers),
      startWith: ({ params: { name }, query, request }) =>
        query.redirect_uri === undefined && isLedHere(request)
          ? Effect.succeed(question(titles.get(name) ?? name, request.url))
          : byProvider.begin(name, query, request).pipe(
              Effect.flatMap((step) => sendOn(302, step)),
              forPeople(request)
            ),
      start: ({ params, query, request }) =>
        query.redirect_uri === undefined && isLedHere(request)
          ? Effect.succeed(question(params.slug, request.url))
          : logins.begin(params.slug, query, request).pipe(
              Effect.flatMap((step) => sendOn(302, step)),
              forPeople(request)
            ),
      callback: ({ request }) => forPeople(request)(comeBack(request))
    })
  })
)

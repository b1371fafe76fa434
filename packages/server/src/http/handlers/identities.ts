import { Api } from "@llm-saas/api/Api"
import { SsoIdentities } from "@llm-saas/engine/sso/SsoIdentities"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Proofs } from "../../auth/Proofs.ts"
import { ProviderLogins } from "../../auth/ProviderLogins.ts"
import { keepAnswerCookie, refuseOtherOrigins } from "../../auth/SessionCookie.ts"

/** `/me/identities…`. */
export const IdentitiesHandlers = HttpApiBuilder.group(
  Api,
  "identities",
  Effect.fnUntraced(function* (handlers) {
    const identities = yield* SsoIdentities
    const proofs = yield* Proofs
    const logins = yield* ProviderLogins
    return handlers.handleAll({
      list: () => Effect.map(identities.list, (data) => ({ data })),
      link: ({ headers, payload: { provider, return_to }, request }) =>
        Effect.gen(function* () {
          yield* refuseOtherOrigins(request)
          yield* proofs.demand(headers.proof)
          const { cookie, location } = yield* logins.beginLink(provider, return_to, request)
          yield* keepAnswerCookie(cookie)
          return { location }
        }),
      remove: ({ headers, params }) => Effect.andThen(proofs.demand(headers.proof), identities.remove(params.id))
    })
  })
)

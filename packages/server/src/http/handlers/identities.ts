import { Api } from "@llm-saas/api/Api"
import { SsoIdentities } from "@llm-saas/engine/sso/SsoIdentities"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Proofs } from "../../auth/Proofs.ts"

/** `/me/identities…`. */
export const IdentitiesHandlers = HttpApiBuilder.group(
  Api,
  "identities",
  Effect.fnUntraced(function* (handlers) {
    const identities = yield* SsoIdentities
    const proofs = yield* Proofs
    return handlers.handleAll({
      list: () => Effect.map(identities.list, (data) => ({ data })),
      remove: ({ headers, params }) => Effect.andThen(proofs.demand(headers.proof), identities.remove(params.id))
    })
  })
)

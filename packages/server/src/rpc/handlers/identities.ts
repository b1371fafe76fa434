import { IdentitiesRpc } from "@llm-saas/api/IdentitiesRpc"
import { SsoIdentities } from "@llm-saas/engine/sso/SsoIdentities"
import { Effect } from "effect"
import { Proofs } from "../../auth/Proofs.ts"

/** `identities.…`. */
export const IdentitiesCalls = IdentitiesRpc.toLayer(
  Effect.map(Effect.all([SsoIdentities, Proofs]), ([identities, proofs]) =>
    IdentitiesRpc.of({
      "identities.list": () => Effect.map(identities.list, (data) => ({ data })),
      "identities.remove": ({ id, proof }) => Effect.andThen(proofs.demand(proof), identities.remove(id))
    })
  )
)

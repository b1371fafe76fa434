import { SsoRpc } from "@llm-saas/api/SsoRpc"
import { SsoConnections } from "@llm-saas/engine/sso/SsoConnections"
import { Effect } from "effect"
import { LoginPlaces } from "../../auth/LoginPlaces.ts"
import { CurrentSender } from "../OpenCalls.ts"

/** `sso.…`. */
export const SsoCalls = SsoRpc.toLayer(
  Effect.map(Effect.all([SsoConnections, LoginPlaces]), ([connections, places]) =>
    SsoRpc.of({
      "sso.get": ({ id }) => connections.get(id),
      "sso.put": ({ id, ...choice }) => connections.put(id, choice),
      "sso.remove": ({ id }) => connections.remove(id),
      "sso.test": ({ id }) => connections.test(id),
      "sso.proveDomain": ({ domain, id }) => connections.proveDomain(id, domain),
      "sso.find": ({ email }) => Effect.flatMap(CurrentSender, (from) => places.find(email, from)),
      "sso.providers": () => Effect.succeed(places.providers)
    })
  )
)

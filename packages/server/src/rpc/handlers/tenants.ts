import { TenantsRpc } from "@llm-saas/api/TenantsRpc"
import { Isolation } from "@llm-saas/engine/Isolation"
import { Tenants } from "@llm-saas/engine/accounts/Tenants"
import { Users } from "@llm-saas/engine/accounts/Users"
import { Effect } from "effect"
import { DEFAULT_PAGE } from "../../http/handlers/paging.ts"
import { CurrentSender } from "../OpenCalls.ts"
import { SignUps } from "../../auth/SignUps.ts"

/** `tenants.…`. */
export const TenantsCalls = TenantsRpc.toLayer(
  Effect.gen(function* () {
    const signUps = yield* SignUps
    const tenants = yield* Tenants
    const users = yield* Users
    const isolation = yield* Isolation
    return TenantsRpc.of({
      "tenants.create": ({ idempotency_key, name }, { headers }) =>
        Effect.flatMap(CurrentSender, (from) =>
          signUps.createTenant({ name, authorization: headers["authorization"], key: idempotency_key }, from)
        ),
      "tenants.change": ({ id, ...change }) => tenants.change(id, change),
      "tenants.retention": ({ id }) => tenants.retention(id),
      "tenants.changeRetention": ({ id, retention }) => tenants.setRetention(id, retention),
      "tenants.users": ({ cursor, id, limit }) => users.list(id, { limit: limit ?? DEFAULT_PAGE, cursor }),
      "tenants.isolation": ({ id }) => isolation.report(id)
    })
  })
)

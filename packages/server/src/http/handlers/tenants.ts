import { Api } from "@llm-saas/api/Api"
import { Isolation } from "@llm-saas/engine/Isolation"
import { Tenants } from "@llm-saas/engine/accounts/Tenants"
import { Users } from "@llm-saas/engine/accounts/Users"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { SignUps } from "../../auth/SignUps.ts"
import { DEFAULT_PAGE } from "./paging.ts"

/** `/create-tenant` and `/tenants/…`. */
export const TenantsHandlers = HttpApiBuilder.group(
  Api,
  "tenants",
  Effect.fnUntraced(function* (handlers) {
    const signUps = yield* SignUps
    const tenants = yield* Tenants
    const users = yield* Users
    const isolation = yield* Isolation
    return handlers.handleAll({
      create: ({ headers, payload, request }) =>
        signUps.createTenant(
          { name: payload.name, authorization: request.headers["authorization"], key: headers["idempotency-key"] },
          request
        ),
      change: ({ params, payload }) => tenants.change(params.id, payload),
      retention: ({ params }) => tenants.retention(params.id),
      changeRetention: ({ params, payload }) => tenants.setRetention(params.id, payload),
      users: ({ params, query }) => users.list(params.id, { limit: query.limit ?? DEFAULT_PAGE, cursor: query.cursor }),
      isolation: ({ params }) => isolation.report(params.id)
    })
  })
)

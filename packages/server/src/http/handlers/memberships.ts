import { Api } from "@llm-saas/api/Api"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { refuseOtherOrigins } from "../../auth/SessionCookie.ts"
import { TenantSwitch } from "../../auth/TenantSwitch.ts"

/** `/me/tenants…`. */
export const MembershipsHandlers = HttpApiBuilder.group(
  Api,
  "memberships",
  Effect.fnUntraced(function* (handlers) {
    const tenants = yield* TenantSwitch
    return handlers.handleAll({
      list: () => tenants.list,
      add: ({ payload, request }) => tenants.add(payload, request),
      open: ({ params, payload, request }) =>
        payload?.session === "cookie"
          ? Effect.andThen(refuseOtherOrigins(request), tenants.open(params.id, "cookie", request))
          : tenants.open(params.id, "token", request)
    })
  })
)

import { MembershipsRpc } from "@llm-saas/api/MembershipsRpc"
import { Effect } from "effect"
import { TenantSwitch } from "../../auth/TenantSwitch.ts"
import { CurrentSender } from "../OpenCalls.ts"

/** `memberships.…`. */
export const MembershipsCalls = MembershipsRpc.toLayer(
  Effect.map(TenantSwitch, (tenants) =>
    MembershipsRpc.of({
      "memberships.list": () => tenants.list,
      "memberships.add": (account) => Effect.flatMap(CurrentSender, (from) => tenants.add(account, from)),
      "memberships.open": ({ id }) => Effect.flatMap(CurrentSender, (from) => tenants.open(id, "token", from))
    })
  )
)

import { LimitsRpc } from "@llm-saas/api/LimitsRpc"
import { LimitsInForce } from "@llm-saas/engine/accounts/LimitsInForce"
import { Effect } from "effect"

/** `limits.…`. */
export const LimitsCalls = LimitsRpc.toLayer(
  Effect.map(LimitsInForce, (limits) => LimitsRpc.of({ "limits.mine": (whom) => limits.of(whom) }))
)

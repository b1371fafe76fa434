import { LimitsInForce } from "@llm-saas/domain/LimitInForce"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { CallAuthorization, refusals } from "./Call.ts"

/** What the caller may use: `GET /limits`. */
export class LimitsRpc extends RpcGroup.make(
  Rpc.make("limits.mine", { success: LimitsInForce, error: Schema.Union(refusals) })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "user") {}

import { KeyNotFound } from "@llm-saas/domain/ApiKey"
import { LimitsInForce } from "@llm-saas/domain/LimitInForce"
import { UserNotFound } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { CallAuthorization, refusals } from "./Call.ts"
import { LimitsQuery } from "./LimitsApi.ts"

/** What the caller may use: `GET /limits`. */
export class LimitsRpc extends RpcGroup.make(
  Rpc.make("limits.mine", {
    payload: LimitsQuery,
    success: LimitsInForce,
    error: Schema.Union([...refusals, UserNotFound, KeyNotFound])
  })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "user") {}

import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { CallAuthorization, refusals } from "./Call.ts"
import { InvalidRequest } from "./Failures.ts"
import { UsagePage, UsageQuery } from "./UsageApi.ts"

/** What was used: `GET /usage`. */
export class UsageRpc extends RpcGroup.make(
  Rpc.make("usage.report", {
    payload: UsageQuery,
    success: UsagePage,
    error: Schema.Union([...refusals, InvalidRequest])
  })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "user") {}

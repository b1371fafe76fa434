import { SecondFactorRequired } from "@llm-saas/domain/Factor"
import { SessionRequired } from "@llm-saas/domain/Membership"
import { InvalidCredentials, TooManyRequests } from "@llm-saas/domain/Refusal"
import { TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { Token } from "./AccountsApi.ts"
import { CallAuthorization, refusals } from "./Call.ts"
import { AddMembership, Memberships } from "./MembershipsApi.ts"

/** One person's accounts in several tenants: `/me/tenants…`. */
export class MembershipsRpc extends RpcGroup.make(
  Rpc.make("memberships.list", { success: Memberships, error: Schema.Union(refusals) }),
  Rpc.make("memberships.add", {
    payload: AddMembership,
    success: Memberships,
    error: Schema.Union([...refusals, InvalidCredentials, SessionRequired, TooManyRequests])
  }),
  Rpc.make("memberships.open", {
    payload: { id: TenantId },
    success: Token,
    error: Schema.Union([...refusals, TenantNotFound, SessionRequired, SecondFactorRequired, TooManyRequests])
  })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "user") {}

import { TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { AuditPage, AuditQuery } from "./AuditApi.ts"
import { CallAuthorization, refusals } from "./Call.ts"

/** A tenant's audit log: `GET /tenants/{id}/audit`. */
export class AuditRpc extends RpcGroup.make(
  Rpc.make("audit.list", {
    payload: { id: TenantId, ...AuditQuery },
    success: AuditPage,
    error: Schema.Union([...refusals, TenantNotFound])
  })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "admin") {}

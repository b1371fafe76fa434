import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { IsolationReport } from "@llm-saas/domain/Isolation"
import { TooManyRequests, Unauthenticated, Unavailable } from "@llm-saas/domain/Refusal"
import {
  ContentRetention,
  ContentRetentionChoice,
  Tenant,
  TenantCreationClosed,
  TenantId,
  TenantNotFound
} from "@llm-saas/domain/Tenant"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { CallAuthorization, refusals } from "./Call.ts"
import { keyMember } from "./Idempotent.ts"
import { PageQuery } from "./Page.ts"
import { changeableTenant, changesTenant, CreateTenant, UserPage } from "./TenantsApi.ts"

/** `POST /create-tenant`: for any client, or for clients with `TENANT_CREATION_TOKEN` in the call's `authorization` header. */
const open = RpcGroup.make(
  Rpc.make("tenants.create", {
    payload: { ...CreateTenant.fields, ...keyMember },
    success: Tenant,
    error: Schema.Union([TenantCreationClosed, IdempotencyMismatch, Unauthenticated, TooManyRequests, Unavailable])
  })
).annotateRpcs(Access, "public")

/** `PATCH /tenants/{id}`, `GET` and `PUT /tenants/{id}/retention`, `GET /tenants/{id}/users`, `GET /tenants/{id}/isolation-report`. */
const own = RpcGroup.make(
  Rpc.make("tenants.change", {
    payload: Schema.Struct({ id: TenantId, ...changeableTenant }).check(changesTenant),
    success: Tenant,
    error: Schema.Union([...refusals, TenantNotFound])
  }),
  Rpc.make("tenants.retention", {
    payload: { id: TenantId },
    success: ContentRetention,
    error: Schema.Union([...refusals, TenantNotFound])
  }),
  Rpc.make("tenants.changeRetention", {
    payload: { id: TenantId, retention: ContentRetentionChoice },
    success: ContentRetention,
    error: Schema.Union([...refusals, TenantNotFound])
  }),
  Rpc.make("tenants.users", {
    payload: { id: TenantId, ...PageQuery },
    success: UserPage,
    error: Schema.Union([...refusals, TenantNotFound])
  }),
  Rpc.make("tenants.isolation", {
    payload: { id: TenantId },
    success: IsolationReport,
    error: Schema.Union([...refusals, TenantNotFound])
  })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "admin")

/** Creation, settings, users and isolation report of a tenant. */
export class TenantsRpc extends open.merge(own) {}

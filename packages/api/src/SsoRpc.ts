import { TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import {
  DomainUnproven,
  MailDomain,
  SlugTaken,
  SsoConnection,
  SsoConnectionChoice,
  SsoNotFound,
  SsoUnavailable,
  SsoUntried
} from "@llm-saas/domain/SingleSignOn"
import { TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { EmailInput } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { CallAuthorization, refusals } from "./Call.ts"
import { LoginPlace, LoginProviderList } from "./SsoApi.ts"

const one = { id: TenantId }

/** `GET /login?email=…` and `/sso/providers`: without a token. */
const open = RpcGroup.make(
  Rpc.make("sso.find", {
    payload: { email: EmailInput },
    success: LoginPlace,
    error: Schema.Union([TooManyRequests, Unavailable])
  }),
  Rpc.make("sso.providers", { success: LoginProviderList })
).annotateRpcs(Access, "public")

/** `/tenants/{id}/sso…`. */
const own = RpcGroup.make(
  Rpc.make("sso.get", {
    payload: one,
    success: SsoConnection,
    error: Schema.Union([...refusals, TenantNotFound, SsoNotFound])
  }),
  Rpc.make("sso.put", {
    payload: { ...one, ...SsoConnectionChoice.fields },
    success: SsoConnection,
    error: Schema.Union([...refusals, TenantNotFound, SlugTaken, SsoUntried])
  }),
  Rpc.make("sso.remove", { payload: one, error: Schema.Union([...refusals, TenantNotFound, SsoNotFound]) }),
  Rpc.make("sso.test", {
    payload: one,
    error: Schema.Union([...refusals, TenantNotFound, SsoNotFound, SsoUnavailable])
  }),
  Rpc.make("sso.proveDomain", {
    payload: { ...one, domain: MailDomain },
    success: SsoConnection,
    error: Schema.Union([...refusals, TenantNotFound, SsoNotFound, DomainUnproven])
  })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "admin")

/** A tenant's single sign-on. Logging in by it is a browser's, and has no call. */
export class SsoRpc extends open.merge(own) {}

import { TooManyRequests, Unauthenticated, Unavailable } from "@llm-saas/domain/Refusal"
import { InvalidGrant, SessionId, SessionNotFound } from "@llm-saas/domain/Session"
import { TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { UserId, UserNotFound } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { Token } from "./AccountsApi.ts"
import { CallAuthorization, refusals } from "./Call.ts"
import { PageQuery } from "./Page.ts"
import { Logout, RefreshTokenInput, SessionPage } from "./SessionsApi.ts"

/** `POST /token`, `POST /logout`. There are no cookies here: they are for pages that speak HTTP. */
const open = RpcGroup.make(
  Rpc.make("sessions.renew", {
    payload: { refresh_token: RefreshTokenInput },
    success: Token,
    error: Schema.Union([InvalidGrant, TooManyRequests, Unavailable])
  }),
  Rpc.make("sessions.logout", {
    payload: Logout,
    error: Schema.Union([Unauthenticated, InvalidGrant, TooManyRequests, Unavailable])
  })
).annotateRpcs(Access, "public")

/** `/me/sessions…`. */
const own = RpcGroup.make(
  Rpc.make("sessions.list", { payload: PageQuery, success: SessionPage, error: Schema.Union(refusals) }),
  Rpc.make("sessions.end", { payload: { id: SessionId }, error: Schema.Union([...refusals, SessionNotFound]) }),
  Rpc.make("sessions.endOthers", { error: Schema.Union(refusals) })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "user")

const ofOne = { id: TenantId, user: UserId }

/** `/tenants/:id/users/:user/sessions…`. */
const ofOthers = RpcGroup.make(
  Rpc.make("sessions.ofUser", {
    payload: { ...ofOne, ...PageQuery },
    success: SessionPage,
    error: Schema.Union([...refusals, TenantNotFound, UserNotFound])
  }),
  Rpc.make("sessions.endOfUser", {
    payload: { ...ofOne, session: SessionId },
    error: Schema.Union([...refusals, TenantNotFound, SessionNotFound])
  }),
  Rpc.make("sessions.endAllOfUser", {
    payload: ofOne,
    error: Schema.Union([...refusals, TenantNotFound, UserNotFound])
  })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "admin")

/** Logins that last. */
export class SessionsRpc extends open.merge(own, ofOthers) {}

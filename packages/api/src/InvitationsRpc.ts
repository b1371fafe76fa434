import { SecondFactorRequired } from "@llm-saas/domain/Factor"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import {
  Invitation,
  InvitationEnded,
  InvitationId,
  InvitationNotFound,
  InvitationOffer,
  InvitationRefused
} from "@llm-saas/domain/Invitation"
import { PasswordRefused } from "@llm-saas/domain/PasswordRules"
import { TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { SsoRequired } from "@llm-saas/domain/SingleSignOn"
import { TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { EmailTaken } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { Token } from "./AccountsApi.ts"
import { CallAuthorization, refusals } from "./Call.ts"
import { keyMember } from "./Idempotent.ts"
import { AcceptInvitation, CreateInvitation, InvitationLink, InvitationPage } from "./InvitationsApi.ts"
import { PageQuery } from "./Page.ts"

const one = { id: TenantId, invitation: InvitationId }

/** For admins: `/tenants/{id}/invitations…`. */
const managed = RpcGroup.make(
  Rpc.make("invitations.create", {
    payload: { id: TenantId, ...CreateInvitation.fields, ...keyMember },
    success: Invitation,
    error: Schema.Union([...refusals, TenantNotFound, EmailTaken, IdempotencyMismatch, TooManyRequests])
  }),
  Rpc.make("invitations.list", {
    payload: { id: TenantId, ...PageQuery },
    success: InvitationPage,
    error: Schema.Union([...refusals, TenantNotFound])
  }),
  Rpc.make("invitations.resend", {
    payload: one,
    success: Invitation,
    error: Schema.Union([...refusals, TenantNotFound, InvitationNotFound, InvitationEnded, EmailTaken, TooManyRequests])
  }),
  Rpc.make("invitations.revoke", {
    payload: one,
    error: Schema.Union([...refusals, TenantNotFound, InvitationNotFound, InvitationEnded])
  })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "admin")

/** For who is invited: `POST /invitations/look`, `/invitations/accept`. */
const open = RpcGroup.make(
  Rpc.make("invitations.look", {
    payload: InvitationLink,
    success: InvitationOffer,
    error: Schema.Union([InvitationRefused, TooManyRequests, Unavailable])
  }),
  Rpc.make("invitations.accept", {
    // A cookie is for pages that speak HTTP.
    payload: { ...AcceptInvitation.fields, session: Schema.optionalKey(Schema.Boolean) },
    success: Token,
    error: Schema.Union([
      InvitationRefused,
      SsoRequired,
      EmailTaken,
      PasswordRefused,
      SecondFactorRequired,
      TooManyRequests,
      Unavailable
    ])
  })
).annotateRpcs(Access, "public")

/** Invitations into a tenant. */
export class InvitationsRpc extends managed.merge(open) {}

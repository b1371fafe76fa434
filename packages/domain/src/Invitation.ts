import { Schema } from "effect"
import { Problem } from "./ProblemClass.ts"
import { TenantId, TenantName } from "./Tenant.ts"
import { uuid } from "./Text.ts"
import { Email, Role, UserId } from "./User.ts"

/** An invitation's id. */
export const InvitationId = Schema.String.check(uuid).pipe(Schema.brand("InvitationId"))
export type InvitationId = typeof InvitationId.Type

/** Days for which an invitation is good, counted from its last mail. */
export const INVITATION_DAYS = 7

/**
 * `pending`: it can be accepted. The others cannot: `accepted`; `revoked` by an admin; `expired`; `lapsed`: who sent it is no active admin of
 * the tenant any more. Those that expired or lapsed are good again once an admin sends them again.
 *
 * pending → accepted (the invited person), revoked (an admin), expired (time), lapsed (the inviter was demoted, disabled or deleted);
 * expired, lapsed → pending (sent again), revoked. Accepted and revoked are final.
 */
export const InvitationStatus = Schema.Literals(["pending", "accepted", "revoked", "expired", "lapsed"])
export type InvitationStatus = typeof InvitationStatus.Type

/** An address that is invited into a tenant. A tenant has one open invitation for an address. */
export class Invitation extends Schema.Class<Invitation>("Invitation")({
  id: InvitationId,
  tenant_id: TenantId,
  email: Email,
  /** Of the account that accepting makes. */
  role: Role,
  status: InvitationStatus,
  /** The admin, or the service account, that sent it last. */
  invited_by: UserId,
  created_at: Schema.DateTimeUtcFromString,
  /** When its last mail was written. */
  sent_at: Schema.DateTimeUtcFromString,
  expires_at: Schema.DateTimeUtcFromString,
  /** The account that accepting made. */
  user_id: Schema.NullOr(UserId)
}) {}

/** What the link of an invitation leads to, as its reader sees it before they accept. */
export class InvitationOffer extends Schema.Class<InvitationOffer>("InvitationOffer")({
  tenant_id: TenantId,
  tenant_name: TenantName,
  email: Email,
  role: Role,
  expires_at: Schema.DateTimeUtcFromString,
  /** Where the tenant requires single sign-on: logging in there accepts it, and a password does not. */
  login_url: Schema.NullOr(Schema.String)
}) {}

/** The tenant has no invitation with this id. One of another tenant gets the same answer. */
export class InvitationNotFound extends Problem<InvitationNotFound>()(
  "InvitationNotFound",
  "invitation_not_found",
  {}
) {}

/** The invitation was accepted or revoked: nothing can be done with it any more. */
export class InvitationEnded extends Problem<InvitationEnded>()("InvitationEnded", "invitation_ended", {}) {}

/** The token of a link is none, or its invitation cannot be accepted any more. The answer never says which. */
export class InvitationRefused extends Problem<InvitationRefused>()("InvitationRefused", "invitation_refused", {}) {}

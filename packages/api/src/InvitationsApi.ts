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
import { Password } from "@llm-saas/domain/Password"
import { PasswordRefused } from "@llm-saas/domain/PasswordRules"
import { TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { CsrfRefused } from "@llm-saas/domain/Session"
import { SsoRequired } from "@llm-saas/domain/SingleSignOn"
import { TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { Text } from "@llm-saas/domain/Text"
import { EmailInput, EmailTaken, Role } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import { Token, Want } from "./AccountsApi.ts"
import * as Examples from "./Examples.ts"
import { keyHeader } from "./Idempotent.ts"
import { pageOf, PageQuery } from "./Page.ts"

/** An address to invite. */
export const CreateInvitation = Schema.Struct({ email: EmailInput, role: Schema.optionalKey(Role) }).annotate({
  identifier: "CreateInvitation",
  description: "`role` is `user` unless said otherwise."
})

/** One page of invitations. */
export const InvitationPage = pageOf("InvitationPage", Invitation)

/** The token of a link: what stands behind `#token=`. Only its length is limited here: any other text is refused as a wrong one. */
const LinkToken = Text.check(Schema.isMaxCodePoints(512, { expected: "at most 512 characters" })).annotate({
  examples: [Examples.LINK_TOKEN]
})

/** The link of an invitation. */
export const InvitationLink = Schema.Struct({ token: LinkToken.pipe(Schema.RedactedFromValue) }).annotate({
  identifier: "InvitationLink"
})

/** The same, with the password of the account to make. */
export const AcceptInvitation = Schema.Struct({
  ...InvitationLink.fields,
  password: Password,
  session: Schema.optionalKey(Want)
}).annotate({ identifier: "AcceptInvitation", description: "`session` is as that of `POST /login`." })

const create = HttpApiEndpoint.post("create", "/tenants/:id/invitations", {
  params: { id: TenantId },
  headers: keyHeader,
  payload: CreateInvitation,
  success: Invitation.pipe(HttpApiSchema.status(201)),
  error: [TenantNotFound, EmailTaken, IdempotencyMismatch, TooManyRequests, Unavailable]
})
  .annotateMerge(Examples.answers(201, Examples.invitation, { email: Examples.invitation.email, role: "user" }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Invite an address",
      description:
        "Sends a link to it, good once and for seven days. Accepting makes an account of this role, whether registration is open or closed. An address has one open invitation: inviting it again changes that one, sends a new link, and ends the earlier one. An invitation lapses when its sender is no admin any more."
    })
  )

const list = HttpApiEndpoint.get("list", "/tenants/:id/invitations", {
  params: { id: TenantId },
  query: PageQuery,
  success: InvitationPage,
  error: [TenantNotFound, Unavailable]
})
  .annotateMerge(Examples.answers(200, { data: [Examples.invitation], next_cursor: null }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "List the tenant's invitations",
      description: "Newest first, whatever came of them. They are removed 30 days after they expired."
    })
  )

const one = { id: TenantId, invitation: InvitationId }

const resend = HttpApiEndpoint.post("resend", "/tenants/:id/invitations/:invitation/resend", {
  params: one,
  success: Invitation,
  error: [TenantNotFound, InvitationNotFound, InvitationEnded, EmailTaken, TooManyRequests, Unavailable]
})
  .annotateMerge(Examples.answers(200, Examples.invitation))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Send an invitation again",
      description:
        "With a new link, in the name of the admin who asks; the earlier link ends. Makes one that expired or lapsed good again."
    })
  )

const revoke = HttpApiEndpoint.delete("revoke", "/tenants/:id/invitations/:invitation", {
  params: one,
  success: HttpApiSchema.NoContent,
  error: [TenantNotFound, InvitationNotFound, InvitationEnded, Unavailable]
}).annotateMerge(OpenApi.annotations({ summary: "Revoke an invitation", description: "Its link ends at once." }))

const look = HttpApiEndpoint.post("look", "/invitations/look", {
  payload: InvitationLink,
  success: InvitationOffer,
  error: [InvitationRefused, TooManyRequests, Unavailable]
})
  .annotateMerge(Examples.answers(200, Examples.invitationOffer, { token: Examples.LINK_TOKEN }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "See what a link offers",
      description:
        "Whose invitation it is, without accepting it. `login_url`: the tenant requires single sign-on, and logging in there accepts it. The token stands in the link behind `#token=`."
    })
  )

const accept = HttpApiEndpoint.post("accept", "/invitations/accept", {
  payload: AcceptInvitation,
  success: Token.pipe(HttpApiSchema.status(201)),
  error: [
    InvitationRefused,
    SsoRequired,
    EmailTaken,
    PasswordRefused,
    SecondFactorRequired,
    CsrfRefused,
    TooManyRequests,
    Unavailable
  ]
})
  .annotateMerge(
    Examples.answers(201, Examples.token, { token: Examples.LINK_TOKEN, password: "correct horse battery staple" })
  )
  .annotateMerge(
    OpenApi.annotations({
      summary: "Accept an invitation",
      description:
        "Makes the account and logs in: the answer is that of `POST /login`. The address counts as verified. Where the tenant asks for a second factor, it is set up with the challenge of the 401, as at a login; the account is there then. Where it requires single sign-on, a password makes no account (403 `sso_required`): logging in at `login_url` accepts the invitation. If the answer is lost, log in with the password."
    })
  )

/** Invitations into a tenant: for its admins, and for who is invited. */
export class InvitationsApi extends HttpApiGroup.make("invitations")
  .add(create, list, resend, revoke)
  .middleware(Authorization)
  .annotateEndpoints(Access, "admin")
  .add(look.annotate(Access, "public"), accept.annotate(Access, "public"))
  .annotateMerge(
    OpenApi.annotations({
      title: "Invitations",
      description: "For a tenant's admins, who invite addresses, and for those who are invited."
    })
  ) {}

import { Api } from "@llm-saas/api/Api"
import type { CreateInvitation } from "@llm-saas/api/InvitationsApi"
import type { TenantId } from "@llm-saas/domain/Tenant"
import { Invitations } from "@llm-saas/engine/accounts/Invitations"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { CreationAttempts } from "../../auth/CreationAttempts.ts"
import { Invitees } from "../../auth/Invitees.ts"
import { refuseOtherOrigins } from "../../auth/SessionCookie.ts"
import { DEFAULT_PAGE } from "./paging.ts"

/** `/tenants/{id}/invitations…` and `/invitations/…`. */
export const InvitationsHandlers = HttpApiBuilder.group(
  Api,
  "invitations",
  Effect.fnUntraced(function* (handlers) {
    const invitations = yield* Invitations
    const invitees = yield* Invitees
    const attempts = yield* CreationAttempts
    return handlers.handleAll({
      create: ({ headers, params, payload }) =>
        invitations.invite(newInvitation(attempts, params.id, payload, headers["idempotency-key"])),
      list: ({ params, query }) =>
        invitations.list(params.id, { limit: query.limit ?? DEFAULT_PAGE, cursor: query.cursor }),
      resend: ({ params }) => invitations.resend({ tenant: params.id, id: params.invitation }),
      revoke: ({ params }) => invitations.revoke({ tenant: params.id, id: params.invitation }),
      look: ({ payload, request }) => invitees.look(payload, request),
      accept: ({ payload, request }) => {
        const accept = invitees.accept(payload, request)
        return payload.session === "cookie" ? Effect.andThen(refuseOtherOrigins(request), accept) : accept
      }
    })
  })
)

/** An invitation as an admin's request describes one, and the idempotency attempt it belongs to. */
export const newInvitation = (
  attempts: CreationAttempts["Service"],
  tenant: TenantId,
  { email, role = "user" }: typeof CreateInvitation.Type,
  key: string | undefined
): Parameters<Invitations["Service"]["invite"]>[0] => ({
  tenant,
  email,
  role,
  attempt: attempts.of("invitations.create", key, [tenant.toLowerCase(), email, role])
})

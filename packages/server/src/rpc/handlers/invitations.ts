import { InvitationsRpc } from "@llm-saas/api/InvitationsRpc"
import { Invitations } from "@llm-saas/engine/accounts/Invitations"
import { Effect } from "effect"
import { CreationAttempts } from "../../auth/CreationAttempts.ts"
import { Invitees } from "../../auth/Invitees.ts"
import { newInvitation } from "../../http/handlers/invitations.ts"
import { DEFAULT_PAGE } from "../../http/handlers/paging.ts"
import { CurrentSender } from "../OpenCalls.ts"

/** `invitations.…`. */
export const InvitationsCalls = InvitationsRpc.toLayer(
  Effect.gen(function* () {
    const invitations = yield* Invitations
    const invitees = yield* Invitees
    const attempts = yield* CreationAttempts
    return InvitationsRpc.of({
      "invitations.create": ({ id, idempotency_key, ...invitation }) =>
        invitations.invite(newInvitation(attempts, id, invitation, idempotency_key)),
      "invitations.list": ({ cursor, id, limit }) => invitations.list(id, { limit: limit ?? DEFAULT_PAGE, cursor }),
      "invitations.resend": ({ id, invitation }) => invitations.resend({ tenant: id, id: invitation }),
      "invitations.revoke": ({ id, invitation }) => invitations.revoke({ tenant: id, id: invitation }),
      "invitations.look": (link) => Effect.flatMap(CurrentSender, (from) => invitees.look(link, from)),
      "invitations.accept": (acceptance) => Effect.flatMap(CurrentSender, (from) => invitees.accept(acceptance, from))
    })
  })
)

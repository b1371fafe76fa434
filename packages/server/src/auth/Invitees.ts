import { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import type { AcceptInvitation, InvitationLink } from "@llm-saas/api/InvitationsApi"
import type { Token } from "@llm-saas/api/AccountsApi"
import type { SecondFactorRequired } from "@llm-saas/domain/Factor"
import { type InvitationOffer, InvitationRefused } from "@llm-saas/domain/Invitation"
import type { PasswordRefused } from "@llm-saas/domain/PasswordRules"
import type { TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import type { SsoRequired } from "@llm-saas/domain/SingleSignOn"
import type { EmailTaken } from "@llm-saas/domain/User"
import { InvitationLinks } from "@llm-saas/engine/accounts/InvitationLinks"
import { Context, Effect, Layer } from "effect"
import { AddressLimit } from "./AddressLimit.ts"
import { ClientNetworks, type Sender } from "../config/ClientNetworks.ts"
import { LoginThrottle } from "./LoginThrottle.ts"
import { SecretKey } from "./SecretKey.ts"
import { formOf } from "./SessionAnswers.ts"
import { Sessions } from "./Sessions.ts"
import { Settings } from "../config/Settings.ts"

/** Clients without a token who hold the link of an invitation. Counted by address, as registrations are. The same for HTTP and RPC. */
export class Invitees extends Context.Service<
  Invitees,
  {
    readonly look: (
      link: typeof InvitationLink.Type,
      from: Sender
    ) => Effect.Effect<InvitationOffer, InvitationRefused | TooManyRequests | Unavailable>
    /** Ends as a login does. Who wants a cookie has shown before that no page of another origin asks. */
    readonly accept: (
      acceptance: typeof AcceptInvitation.Type,
      from: Sender
    ) => Effect.Effect<
      typeof Token.Type,
      | InvitationRefused
      | SsoRequired
      | EmailTaken
      | PasswordRefused
      | SecondFactorRequired
      | TooManyRequests
      | Unavailable
    >
  }
>()("@llm-saas/server/auth/Invitees") {
  static readonly layer = Layer.effect(
    Invitees,
    Effect.gen(function* () {
      const settings = yield* Settings
      const links = yield* InvitationLinks
      const sessions = yield* Sessions
      const networks = yield* ClientNetworks
      const throttle = yield* LoginThrottle
      const limit = new AddressLimit({
        name: "invitations",
        limit: settings.REGISTRATIONS_PER_ADDRESS,
        windowMs: settings.LOGIN_WINDOW_MINUTES * 60_000,
        secret: (yield* SecretKey).value,
        access: yield* PreTenantAccess
      })

      const look: Invitees["Service"]["look"] = ({ token }, from) =>
        Effect.andThen(limit.count(networks.of(from)), links.look(token))

      const accept: Invitees["Service"]["accept"] = Effect.fnUntraced(function* ({ password, session, token }, from) {
        const client = networks.of(from)
        yield* limit.count(client)
        const identity = yield* links.accept({ token, password, client: client.narrow })
        yield* throttle.registered(identity.userId, client)
        return yield* sessions.begin(identity, { method: "invitation", want: formOf(session), sender: from }).pipe(
          // Disabled in this moment.
          Effect.catchTag("Unauthenticated", () => new InvitationRefused({}))
        )
      })
      return Invitees.of({ look, accept })
    })
  )
}

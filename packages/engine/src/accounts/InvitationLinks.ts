import { InvitationAccess } from "@llm-saas/database/InvitationAccess"
import { InvitationOffer, InvitationRefused } from "@llm-saas/domain/Invitation"
import type { Password } from "@llm-saas/domain/Password"
import type { PasswordRefused } from "@llm-saas/domain/PasswordRules"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { SsoRequired } from "@llm-saas/domain/SingleSignOn"
import { EmailTaken, UserId } from "@llm-saas/domain/User"
import { Context, Effect, Layer, Option, type Redacted } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { SsoAddresses } from "../sso/SsoAddresses.ts"
import type { Identity } from "./Accounts.ts"
import { OneTimeTokens } from "./OneTimeTokens.ts"
import { PasswordHasher } from "./PasswordHasher.ts"
import { PasswordRules } from "./PasswordRules.ts"

/** What the reader of an invitation's mail can do with its link. The token has 256 bits: its sender has read the mail. */
export class InvitationLinks extends Context.Service<
  InvitationLinks,
  {
    /** What is offered. The link is not used by that. */
    readonly look: (token: Redacted.Redacted) => Effect.Effect<InvitationOffer, InvitationRefused | Unavailable>
    /**
     * Makes the account, with the address proven. `client`: the client's network. {@link EmailTaken}: the address has an account by now,
     * which only a reader of its mail is told; the link stays. So it does where the tenant requires single sign-on.
     */
    readonly accept: (acceptance: {
      readonly token: Redacted.Redacted
      readonly password: Password
      readonly client: string
    }) => Effect.Effect<Identity, InvitationRefused | SsoRequired | EmailTaken | PasswordRefused | Unavailable>
  }
>()("@llm-saas/engine/accounts/InvitationLinks") {
  static readonly layer = Layer.effect(
    InvitationLinks,
    Effect.gen(function* () {
      const access = yield* InvitationAccess
      const tokens = yield* OneTimeTokens
      const hasher = yield* PasswordHasher
      const rules = yield* PasswordRules
      const random = yield* SecureRandom
      const addresses = yield* SsoAddresses

      const find = Effect.fnUntraced(function* (token: Redacted.Redacted) {
        const hash = yield* tokens.hashOf(token)
        const found = Option.isNone(hash) ? Option.none() : yield* access.find(hash.value)
        if (Option.isNone(hash) || Option.isNone(found)) return yield* new InvitationRefused({})
        const { sso_slug, ...offer } = found.value
        return {
          hash: hash.value,
          found: { ...offer, login_url: sso_slug === null ? null : addresses.login(sso_slug) }
        }
      })

      const look: InvitationLinks["Service"]["look"] = Effect.fn("InvitationLinks.look")(function* (token) {
        return new InvitationOffer((yield* find(token)).found)
      })

      const accept: InvitationLinks["Service"]["accept"] = Effect.fn("InvitationLinks.accept")(function* (acceptance) {
        const { client, password, token } = acceptance
        const { found, hash } = yield* find(token)
        const { email, login_url, tenant_id, tenant_name } = found
        if (login_url !== null) return yield* new SsoRequired({ login_url })
        yield* rules.check(password, { email, names: [tenant_name] })
        const passwordHash = yield* hasher.hash(password, {
          email,
          share: { client, target: `register ${tenant_id}` }
        })
        const userId = UserId.make(yield* random.uuidV7())
        const accepted = yield* access.accept(hash, { id: userId, passwordHash })
        if (Option.isNone(accepted)) return yield* new InvitationRefused({})
        if (accepted.value.outcome === "taken") return yield* new EmailTaken({})
        // It was required in this moment.
        if (accepted.value.outcome === "sso") return yield* new InvitationRefused({})
        const { role, token_epoch } = accepted.value
        return { tenantId: tenant_id, userId, role, tokenEpoch: token_epoch }
      })
      return InvitationLinks.of({ look, accept })
    })
  )
}

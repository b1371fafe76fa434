import { AccountLinkAccess, type LinkedAccount } from "@llm-saas/database/AccountLinkAccess"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import type { Email } from "@llm-saas/domain/User"
import { Context, Duration, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { drawing, LINK_LIFETIMES } from "./AccountLinks.ts"
import { OneTimeTokens } from "./OneTimeTokens.ts"

/** The mail that verifies the address of a new account. */
export class Verification extends Context.Service<
  Verification,
  {
    readonly send: (account: LinkedAccount, email: Email) => Effect.Effect<void, Unavailable>
  }
>()("@llm-saas/engine/accounts/Verification") {
  static readonly layer = Layer.effect(
    Verification,
    Effect.gen(function* () {
      const access = yield* AccountLinkAccess
      const draw = drawing(yield* OneTimeTokens, yield* SecureRandom)
      return Verification.of({
        send: Effect.fn("Verification.send")(function* (account, email) {
          const seconds = Duration.toSeconds(LINK_LIFETIMES.email_verify)
          yield* access.write("email_verify", email, [yield* draw(account)], seconds)
        })
      })
    })
  ).pipe(Layer.provide(AccountLinkAccess.layer))
}

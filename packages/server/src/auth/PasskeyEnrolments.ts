import type { AddPasskey } from "@llm-saas/api/FactorsApi"
import { Actor } from "@llm-saas/domain/Actor"
import { type AddedFactor, ChallengeEnded, PasskeyRefused } from "@llm-saas/domain/Factor"
import type { PasskeyCreation } from "@llm-saas/domain/Passkey"
import type { Refused } from "@llm-saas/domain/Refusal"
import { TenantId } from "@llm-saas/domain/Tenant"
import { wallMillis } from "@llm-saas/domain/Time"
import { UserId } from "@llm-saas/domain/User"
import { Accounts } from "@llm-saas/engine/accounts/Accounts"
import { CHALLENGE_SECONDS } from "@llm-saas/engine/accounts/ChallengeQueries"
import { Factors } from "@llm-saas/engine/accounts/Factors"
import { PasskeyVerifier } from "@llm-saas/engine/accounts/PasskeyVerifier"
import { SecondFactors } from "@llm-saas/engine/accounts/SecondFactors"
import { Clock, Context, Effect, Layer, Option, Schema } from "effect"
import { SecretKey } from "./SecretKey.ts"
import { sealed } from "./Sealed.ts"

const Begun = Schema.Struct({
  tenant: TenantId,
  user: UserId,
  epoch: Schema.Int,
  /** Seconds since 1970. */
  until: Schema.Int
})

/** What a passkey is called where nothing is said. */
const NAME = "passkey"

/**
 * Passkeys that are being added. What is signed is sealed to the account that began, and nothing is stored until the answer: sent twice, it is a
 * passkey that the account has already.
 */
export class PasskeyEnrolments extends Context.Service<
  PasskeyEnrolments,
  {
    readonly begin: Effect.Effect<typeof PasskeyCreation.Type, Refused, Actor>
    readonly add: (
      given: typeof AddPasskey.Type
    ) => Effect.Effect<AddedFactor, ChallengeEnded | PasskeyRefused | Refused, Actor>
  }
>()("@llm-saas/server/auth/PasskeyEnrolments") {
  static readonly layer = Layer.effect(
    PasskeyEnrolments,
    Effect.gen(function* () {
      const accounts = yield* Accounts
      const factors = yield* Factors
      const secondFactors = yield* SecondFactors
      const verifier = yield* PasskeyVerifier
      const enrolments = sealed({ secret: (yield* SecretKey).value, purpose: "passkey", prefix: "pk_" }, Begun)
      const now = Effect.map(Clock.Clock, (clock) => Math.floor(wallMillis(clock) / 1000))

      const begin = Effect.gen(function* () {
        const { tenantId, tokenEpoch, userId } = yield* Actor
        const { email } = yield* accounts.me
        const known = yield* secondFactors.passkeys
        const until = (yield* now) + CHALLENGE_SECONDS
        const challenge = yield* enrolments.seal({ tenant: tenantId, user: userId, epoch: tokenEpoch, until })
        const handle = Buffer.from((tenantId + userId).replaceAll("-", ""), "hex").toString("base64url")
        return { challenge, options: verifier.creation({ challenge, handle, account: email, known }) }
      })

      const add: PasskeyEnrolments["Service"]["add"] = Effect.fnUntraced(function* ({ challenge, name, passkey }) {
        const { tenantId, tokenEpoch, userId } = yield* Actor
        const begun = Option.getOrUndefined(enrolments.open(challenge))
        const time = yield* now
        const isOwn =
          begun !== undefined
          && begun.tenant === tenantId
          && begun.user === userId
          && begun.epoch === tokenEpoch
          && begun.until > time
          // A clock that was ahead gives no one longer.
          && begun.until <= time + CHALLENGE_SECONDS
        if (!isOwn) return yield* new ChallengeEnded({})
        const made = yield* verifier.created(passkey, challenge)
        return made === undefined ? yield* new PasskeyRefused({}) : yield* factors.addPasskey(name ?? NAME, made)
      })
      return PasskeyEnrolments.of({ begin, add })
    })
  )
}

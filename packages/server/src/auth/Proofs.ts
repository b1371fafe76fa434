import type { Prove } from "@llm-saas/api/FactorsApi"
import { Actor } from "@llm-saas/domain/Actor"
import { ChallengeEnded, type InvalidSecondFactor, ProofRequired } from "@llm-saas/domain/Factor"
import type { PasskeyCreation, UsedPasskey } from "@llm-saas/domain/Passkey"
import type { InvalidCredentials, Refused, TooManyRequests } from "@llm-saas/domain/Refusal"
import { TenantId } from "@llm-saas/domain/Tenant"
import { wallMillis } from "@llm-saas/domain/Time"
import { UserId } from "@llm-saas/domain/User"
import { Accounts } from "@llm-saas/engine/accounts/Accounts"
import { PasskeyVerifier } from "@llm-saas/engine/accounts/PasskeyVerifier"
import { SecondFactors } from "@llm-saas/engine/accounts/SecondFactors"
import { Clock, Context, Effect, Layer, Option, Schema } from "effect"
import { ClientNetworks, type Sender } from "../config/ClientNetworks.ts"
import { LoginThrottle } from "./LoginThrottle.ts"
import { SecretKey } from "./SecretKey.ts"
import { sealed } from "./Sealed.ts"

/** Seconds a proof is good for. */
export const PROOF_SECONDS = 600

const Proven = Schema.Struct({
  tenant: TenantId,
  user: UserId,
  /** A password change ends it. */
  epoch: Schema.Int,
  by: Schema.Literals(["password", "totp", "passkey", "recovery_code"]),
  /** Seconds since 1970. */
  until: Schema.Int
})

/** A proof by passkey that was begun. */
const Waiting = Schema.Struct({ id: Schema.String, tenant: TenantId, user: UserId })

/**
 * Recent proofs of who asks: a stolen access token alone changes nothing of what protects an account. A proof is a sealed text, and nothing
 * is stored of it.
 */
export class Proofs extends Context.Service<
  Proofs,
  {
    readonly prove: (
      given: typeof Prove.Type,
      from: Sender
    ) => Effect.Effect<
      { readonly proof: string; readonly expires_in: number },
      InvalidCredentials | InvalidSecondFactor | ChallengeEnded | TooManyRequests | Refused,
      Actor
    >
    /** What a browser wants for a proof by passkey. */
    readonly beginPasskey: Effect.Effect<typeof PasskeyCreation.Type, Refused, Actor>
    /**
     * Lets the actor go on with a proof of theirs that is recent: by a second factor, where the account has one, else by its password. An
     * account with neither, as one of single sign-on, has nothing to prove with. `factorOnly`: asks for nothing but a second factor.
     */
    readonly demand: (
      proof: string | undefined,
      options?: { readonly factorOnly: boolean }
    ) => Effect.Effect<void, ProofRequired | Refused, Actor>
  }
>()("@llm-saas/server/auth/Proofs") {
  static readonly layer = Layer.effect(
    Proofs,
    Effect.gen(function* () {
      const accounts = yield* Accounts
      const factors = yield* SecondFactors
      const verifier = yield* PasskeyVerifier
      const throttle = yield* LoginThrottle
      const networks = yield* ClientNetworks
      const proofs = sealed({ secret: (yield* SecretKey).value, purpose: "proof", prefix: "pf_" }, Proven)
      const now = Effect.map(Clock.Clock, (clock) => Math.floor(wallMillis(clock) / 1000))

      const waits = sealed({ secret: (yield* SecretKey).value, purpose: "passkey proof", prefix: "pk_" }, Waiting)

      const beginPasskey = Effect.gen(function* () {
        const { tenantId, userId } = yield* Actor
        const known = yield* factors.passkeys
        const challenge = yield* waits.seal({ id: yield* factors.challenge, tenant: tenantId, user: userId })
        return { challenge, options: verifier.request({ challenge, known }) }
      })

      const byPasskey = Effect.fnUntraced(function* (passkey: UsedPasskey, challenge: string) {
        const { tenantId, userId } = yield* Actor
        const waiting = Option.getOrUndefined(waits.open(challenge))
        if (waiting === undefined || waiting.tenant !== tenantId || waiting.user !== userId)
          return yield* new ChallengeEnded({})
        yield* factors.answerPasskey({ challenge: waiting.id, signed: challenge, passkey, login: false })
        return "passkey" as const
      })

      const check = Effect.fnUntraced(function* (
        { challenge, code, passkey, password, recovery_code }: typeof Prove.Type,
        from: Sender
      ) {
        if (passkey !== undefined) return yield* byPasskey(passkey, challenge ?? "")
        if (password === undefined) {
          const method = code === undefined ? "recovery_code" : "totp"
          yield* factors.prove({ method, code: code ?? recovery_code ?? "" })
          return method
        }
        const client = networks.of(from)
        const { email } = yield* accounts.me
        // Counts together with wrong passwords at the login.
        yield* throttle.guard({ account: email, exact: true, client }, (attempts) =>
          accounts.confirmPassword({ email, password, client: client.narrow, attempts })
        )
        return "password"
      })

      const prove: Proofs["Service"]["prove"] = Effect.fnUntraced(function* (given, from) {
        const by = yield* check(given, from)
        const { tenantId, tokenEpoch, userId } = yield* Actor
        const until = (yield* now) + PROOF_SECONDS
        const proof = yield* proofs.seal({ tenant: tenantId, user: userId, epoch: tokenEpoch, by, until })
        return { proof, expires_in: PROOF_SECONDS }
      })

      const demand: Proofs["Service"]["demand"] = Effect.fnUntraced(function* (proof, options) {
        const { tenantId, tokenEpoch, userId } = yield* Actor
        const { hasPassword, methods } = yield* factors.standing("password")
        const byPassword = hasPassword && options?.factorOnly !== true
        const asked: ProofRequired["methods"] = methods.length > 0 ? methods : byPassword ? ["password"] : []
        if (asked.length === 0) return
        const found = Option.getOrUndefined(proofs.open(proof ?? ""))
        const time = yield* now
        const isGood =
          found !== undefined
          && found.tenant === tenantId
          && found.user === userId
          && found.epoch === tokenEpoch
          && found.until > time
          // A clock that was ahead gives no proof for longer.
          && found.until <= time + PROOF_SECONDS
          && (methods.length > 0 ? found.by !== "password" : true)
        if (!isGood) return yield* new ProofRequired({ methods: asked })
      })
      return Proofs.of({ prove, beginPasskey, demand })
    })
  )
}

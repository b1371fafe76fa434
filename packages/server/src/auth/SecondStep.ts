import type { SecondFactor } from "@llm-saas/api/SecondFactorApi"
import { Actor } from "@llm-saas/domain/Actor"
import { ChallengeEnded, type InvalidSecondFactor, type NewTotp, SecondFactorRequired } from "@llm-saas/domain/Factor"
import { type TooManyRequests, Unauthenticated, type Unavailable } from "@llm-saas/domain/Refusal"
import { LoginMethod, SessionId } from "@llm-saas/domain/Session"
import { TenantId } from "@llm-saas/domain/Tenant"
import { Role, UserId } from "@llm-saas/domain/User"
import type { Identity } from "@llm-saas/engine/accounts/Accounts"
import { CHALLENGE_SECONDS } from "@llm-saas/engine/accounts/ChallengeQueries"
import { Factors } from "@llm-saas/engine/accounts/Factors"
import { PasskeyVerifier } from "@llm-saas/engine/accounts/PasskeyVerifier"
import { SecondFactors } from "@llm-saas/engine/accounts/SecondFactors"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SecretKey } from "./SecretKey.ts"
import { sealed } from "./Sealed.ts"

/** How the first step was proven, and the form of the answer that was asked for. */
const Login = Schema.Struct({
  method: LoginMethod,
  want: Schema.Literals(["none", "token", "cookie"]),
  /** Of a switch: the session it comes from. */
  from: Schema.optionalKey(Schema.Struct({ tenantId: TenantId, sessionId: SessionId })),
  /** Of an app's code: the id of its session. */
  coded: Schema.optionalKey(SessionId),
  /** Of a browser that had a session: SHA-256 of its refresh token, in hexadecimal. */
  earlier: Schema.optionalKey(Schema.String)
})
type Login = typeof Login.Type

/** What a challenge holds: whose login it is, and how it goes on. The client cannot read it. */
const Waiting = Schema.Struct({
  id: Schema.String,
  enrolment: Schema.Boolean,
  tenant: TenantId,
  user: UserId,
  role: Role,
  epoch: Schema.Int,
  ...Login.fields
})

/** A login whose second factor was right. */
export interface Passed extends Login {
  readonly identity: Identity
  /** Of an account that set its first factor up with this login. */
  readonly recoveryCodes: ReadonlyArray<string> | undefined
}

/** What is set up and not asked for any more gets this name. */
const NAME = "authenticator"

/**
 * The step between the first factor of a login and its token. What is between the two requests is sealed into the challenge, so that any process
 * may answer the second; the database counts tries, and lets a challenge succeed once.
 */
export class SecondStep extends Context.Service<
  SecondStep,
  {
    /** Stops a login that is asked for a second factor; does nothing to others. */
    readonly ask: (
      identity: Identity,
      login: Login
    ) => Effect.Effect<void, SecondFactorRequired | Unauthenticated | Unavailable>
    readonly answer: (
      given: typeof SecondFactor.Type
    ) => Effect.Effect<Passed, InvalidSecondFactor | ChallengeEnded | TooManyRequests | Unavailable>
    /** One-time codes for an account that must have a second factor, and has none. */
    readonly enrol: (challenge: string) => Effect.Effect<NewTotp, ChallengeEnded | Unavailable>
    /** The form of the answer that a challenge's login asked for. Undefined: it is none of ours. */
    readonly wantOf: (challenge: string) => Login["want"] | undefined
  }
>()("@llm-saas/server/auth/SecondStep") {
  static readonly layer = Layer.effect(
    SecondStep,
    Effect.gen(function* () {
      const secondFactors = yield* SecondFactors
      const factors = yield* Factors
      const verifier = yield* PasskeyVerifier
      const challenges = sealed({ secret: (yield* SecretKey).value, purpose: "challenge", prefix: "lc_" }, Waiting)

      const ask: SecondStep["Service"]["ask"] = Effect.fnUntraced(
        function* (identity: Identity, login: Login) {
          const { demand, methods } = yield* secondFactors.standing(login.method)
          if (demand === "nothing") return
          const challenge = yield* challenges.seal({
            id: yield* secondFactors.challenge,
            enrolment: demand === "enrolment",
            tenant: identity.tenantId,
            user: identity.userId,
            role: identity.role,
            epoch: identity.tokenEpoch,
            ...login
          })
          const passkey = methods.includes("passkey")
            ? { passkey: verifier.request({ challenge, known: yield* secondFactors.passkeys }) }
            : {}
          return yield* new SecondFactorRequired({ challenge, methods, expires_in: CHALLENGE_SECONDS, ...passkey })
        },
        (work, identity) => as(identity, work),
        Effect.catchTag("Forbidden", () => new Unauthenticated({}))
      )

      const opened = (challenge: string) =>
        Option.match(challenges.open(challenge), {
          onNone: () => Effect.fail(new ChallengeEnded({})),
          onSome: Effect.succeed
        })

      const answer: SecondStep["Service"]["answer"] = Effect.fnUntraced(function* ({
        challenge,
        code,
        passkey,
        recovery_code
      }) {
        const waiting = yield* opened(challenge)
        const identity = identityOf(waiting)
        const method = code === undefined ? "recovery_code" : "totp"
        const byCode = secondFactors.answer(waiting, { method, code: code ?? recovery_code ?? "" })
        const answered =
          passkey === undefined
            ? byCode
            : Effect.as(
                secondFactors.answerPasskey({ challenge: waiting.id, signed: challenge, passkey, login: true }),
                undefined
              )
        const recoveryCodes = yield* Effect.catchTags(as(identity, answered), {
          Forbidden: ended,
          Unauthenticated: ended
        })
        const { coded, earlier, from, method: by, want } = waiting
        const login = {
          method: by,
          want,
          ...(from === undefined ? {} : { from }),
          ...(coded === undefined ? {} : { coded }),
          ...(earlier === undefined ? {} : { earlier })
        }
        return { identity, recoveryCodes, ...login }
      })

      const enrol: SecondStep["Service"]["enrol"] = Effect.fnUntraced(function* (challenge) {
        const waiting = yield* opened(challenge)
        if (!waiting.enrolment) return yield* new ChallengeEnded({})
        const begun = secondFactors.whileOpen(waiting.id, factors.beginTotp(NAME))
        return yield* Effect.catchTags(as(identityOf(waiting), begun), { Forbidden: ended, Unauthenticated: ended })
      })

      const wantOf = (challenge: string) => Option.getOrUndefined(challenges.open(challenge))?.want
      return SecondStep.of({ ask, answer, enrol, wantOf })
    })
  )
}

/** In the room of whom the first factor proved. */
const as = <A, E, R>({ tenantId, tokenEpoch, userId }: Identity, work: Effect.Effect<A, E, R>) =>
  Effect.provideService(work, Actor, { tenantId, userId, tokenEpoch, needs: "user" })

/** The account was disabled, or its password changed, since the first step. */
const ended = () => Effect.fail(new ChallengeEnded({}))

const identityOf = ({ epoch, role, tenant, user }: typeof Waiting.Type): Identity => ({
  tenantId: tenant,
  userId: user,
  role,
  tokenEpoch: epoch
})

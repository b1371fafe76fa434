import { Tenancy } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import { ChallengeEnded, FactorKind, type FactorMethod, InvalidSecondFactor } from "@llm-saas/domain/Factor"
import { demandOf } from "@llm-saas/domain/LoginPolicy"
import type { UsedPasskey } from "@llm-saas/domain/Passkey"
import { type Refused, TooManyRequests } from "@llm-saas/domain/Refusal"
import type { LoginMethod } from "@llm-saas/domain/Session"
import { Context, Effect, Layer, Option } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as AuditLog from "../AuditLog.ts"
import * as Challenges from "./ChallengeQueries.ts"
import { type Checked, checks, type GivenCode } from "./FactorChecks.ts"
import * as Queries from "./FactorQueries.ts"
import { Mails } from "./Mails.ts"
import { PasskeyVerifier } from "./PasskeyVerifier.ts"

/** What a login is still asked for, and by what an account can prove itself. */
export interface Standing {
  readonly demand: "nothing" | "factor" | "enrolment"
  readonly methods: ReadonlyArray<FactorMethod>
  readonly hasPassword: boolean
}

/** A login that waits for its second factor. */
export interface Challenge {
  readonly id: string
  /** There was no factor: the first one is set up with it. */
  readonly enrolment: boolean
}

type Wrong = InvalidSecondFactor | TooManyRequests

/**
 * Asks for a second factor, and takes it. The actor is the user whom the first factor proved: their room is entered for the factors alone, and it
 * refuses them as any request, if they were disabled or their password changed since.
 */
export class SecondFactors extends Context.Service<
  SecondFactors,
  {
    readonly standing: (by: LoginMethod) => Effect.Effect<Standing, Refused, Actor>
    /** Begins a wait for the second factor: its id. */
    readonly challenge: Effect.Effect<string, Refused, Actor>
    /**
     * Ends the wait with the right code: once, also of several answers at the same moment. With an enrolment it makes the one-time codes count
     * that were set up, and returns the account's new recovery codes.
     */
    readonly answer: (
      challenge: Challenge,
      given: GivenCode
    ) => Effect.Effect<ReadonlyArray<string> | undefined, ChallengeEnded | Wrong | Refused, Actor>
    /** The account's passkeys, for the request to the browser. */
    readonly passkeys: Effect.Effect<ReadonlyArray<Queries.PasskeyRow>, Refused, Actor>
    /**
     * Ends the wait with a passkey, once. `signed`: what it signed. Its signature is verified outside of the room; a use of another moment,
     * and an answer of the same one, find the challenge gone. `login`: whether it ends a login, for the audit log.
     */
    readonly answerPasskey: (given: {
      readonly challenge: string
      readonly signed: string
      readonly passkey: UsedPasskey
      readonly login: boolean
    }) => Effect.Effect<void, ChallengeEnded | InvalidSecondFactor | Refused, Actor>
    /** Sets a first factor up, while the challenge can be answered and the account has none. */
    readonly whileOpen: <A, E, R>(
      challenge: string,
      work: Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | ChallengeEnded | Refused, R | Actor>
    /** A code of the actor, who is logged in. */
    readonly prove: (given: GivenCode) => Effect.Effect<void, Wrong | Refused, Actor>
  }
>()("@llm-saas/engine/accounts/SecondFactors") {
  static readonly layer = Layer.effect(
    SecondFactors,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const tenancy = yield* Tenancy
  const random = yield* SecureRandom
  const record = AuditLog.recorder(random)
  const mails = yield* Mails
  const verifier = yield* PasskeyVerifier
  const { newRecoveryCodes, recoveryCode, totp } = yield* checks

  const standing: SecondFactors["Service"]["standing"] = Effect.fn("SecondFactors.standing")(function* (by) {
    const found = yield* tenancy.read(Queries.standing()).pipe(Effect.catchTag("NoSuchElementError", Effect.die))
    const methods: ReadonlyArray<FactorMethod> = FactorKind.literals.filter((kind) => found.kinds.includes(kind))
    const demand = demandOf(found, { role: found.role, by, hasFactor: methods.length > 0 })
    return {
      demand,
      methods: methods.length > 0 && found.recovery_codes > 0 ? [...methods, "recovery_code"] : methods,
      hasPassword: found.has_password
    }
  })

  const challenge = Effect.gen(function* () {
    const id = yield* random.uuidV7()
    yield* tenancy.once(Challenges.add(id))
    return id
  }).pipe(Effect.withSpan("SecondFactors.challenge"))

  const check = <E, R>(given: GivenCode, take: Effect.Effect<boolean, E, R>) =>
    given.method === "totp" ? totp("counts", given.code, take) : recoveryCode(given.code, take)

  /** The first factor of an account that has none: held, so that it is the first. */
  const enrol = <E, R>(code: string, take: Effect.Effect<boolean, E, R>) =>
    Effect.gen(function* () {
      const { userId } = yield* Actor
      yield* Queries.hold()
      if ((yield* Queries.list(userId)).length > 0) return { outcome: "over" } as const
      const checked = yield* totp("begun", code, take)
      if (checked.outcome !== "right" || checked.id === undefined) return checked
      const { kind } = yield* Queries.confirmTotp(checked.id)
      yield* record("factor.added", { kind: "user", id: userId }, { factor: checked.id, kind })
      const { email } = yield* Queries.standing()
      yield* mails.write({ address: email, subject: userId, content: { template: "second_factor_added" } })
      return { ...checked, recoveryCodes: yield* newRecoveryCodes }
    })

  const answer: SecondFactors["Service"]["answer"] = Effect.fn("SecondFactors.answer")(function* (challenge, given) {
    const { userId } = yield* Actor
    const take = Effect.map(Challenges.takeTry(challenge.id), Option.isSome)
    const detail = { second_factor: given.method }
    const work = Effect.gen(function* () {
      const checked: Checked & { readonly recoveryCodes?: ReadonlyArray<string> } = challenge.enrolment
        ? given.method === "totp"
          ? yield* enrol(given.code, take)
          : { outcome: "missing" }
        : yield* check(given, take)
      if (checked.outcome === "right") {
        yield* Challenges.close(challenge.id)
        yield* record("login.succeeded", { kind: "user", id: userId }, detail)
      } else if (checked.outcome === "wrong") yield* record("login.failed", { kind: "user", id: userId }, detail)
      return checked
    })
    const checked = yield* tenancy
      .transaction(work)
      .pipe(Effect.catchTag("NoSuchElementError", Effect.die), Effect.flatMap(refuse))
    return checked.recoveryCodes
  })

  const passkeys = tenancy.read(Queries.passkeys()).pipe(Effect.withSpan("SecondFactors.passkeys"))

  const whileOpen: SecondFactors["Service"]["whileOpen"] = (challenge, work) =>
    Effect.gen(function* () {
      const { userId } = yield* Actor
      const open = yield* tenancy.transaction(
        Effect.gen(function* () {
          const isOpen = Option.isSome(yield* Challenges.isOpen(challenge))
          return isOpen && (yield* Queries.list(userId)).length === 0
        })
      )
      return open ? yield* work : yield* new ChallengeEnded({})
    })

  const answerPasskey: SecondFactors["Service"]["answerPasskey"] = Effect.fn("SecondFactors.answerPasskey")(function* ({
    challenge,
    login,
    passkey,
    signed
  }) {
    const { userId } = yield* Actor
    const target = { kind: "user", id: userId }
    const detail = { second_factor: "passkey" }
    const begun = yield* tenancy.transaction(
      Effect.gen(function* () {
        if (Option.isNone(yield* Challenges.takeTry(challenge))) return undefined
        return yield* Queries.passkeys()
      })
    )
    if (begun === undefined) return yield* new ChallengeEnded({})
    const known = begun.find(({ credential }) => credential === passkey.id)
    const use = known === undefined ? undefined : yield* verifier.used(passkey, { challenge: signed, known })
    const settle = Effect.gen(function* () {
      if (known === undefined || use === undefined) {
        yield* record("login.failed", target, detail)
        return { outcome: "wrong" } as const
      }
      if (Option.isNone(yield* Challenges.close(challenge))) return { outcome: "over" } as const
      const counted = yield* Queries.passkeyUsed({ id: known.id, before: known.signCount, ...use })
      if (Option.isNone(counted)) return { outcome: "over" } as const
      yield* Queries.unlockTotp()
      if (login) yield* record("login.succeeded", target, detail)
      return { outcome: "right" } as const
    })
    yield* Effect.flatMap(tenancy.transaction(settle), refuse).pipe(Effect.catchTag("TooManyRequests", Effect.die))
  })

  const prove: SecondFactors["Service"]["prove"] = Effect.fn("SecondFactors.prove")(function* (given) {
    const { userId } = yield* Actor
    const work = Effect.tap(check(given, Effect.succeed(true)), ({ outcome }) =>
      outcome === "wrong"
        ? record("login.failed", { kind: "user", id: userId }, { second_factor: given.method })
        : Effect.void
    )
    yield* tenancy
      .transaction(work)
      .pipe(
        Effect.catchTag("NoSuchElementError", Effect.die),
        Effect.flatMap(refuse),
        Effect.catchTag("ChallengeEnded", Effect.die)
      )
  })
  return SecondFactors.of({ standing, challenge, answer, passkeys, answerPasskey, whileOpen, prove })
})

/** What was not right, as a failure. After the room: in it, a failure would undo what is counted. */
const refuse = <A extends Checked>(checked: A): Effect.Effect<A, ChallengeEnded | Wrong> => {
  switch (checked.outcome) {
    case "right":
      return Effect.succeed(checked)
    case "wrong":
    case "missing":
      return Effect.fail(new InvalidSecondFactor({}))
    case "over":
      return Effect.fail(new ChallengeEnded({}))
    case "wait":
      return Effect.fail(new TooManyRequests({ retry_after: checked.seconds }))
  }
}

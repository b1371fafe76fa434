import { Tenancy } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import { ChallengeEnded, FactorKind, type FactorMethod, InvalidSecondFactor } from "@llm-saas/domain/Factor"
import { demandOf } from "@llm-saas/domain/LoginPolicy"
import { type Refused, TooManyRequests } from "@llm-saas/domain/Refusal"
import type { LoginMethod } from "@llm-saas/domain/Session"
import { Context, Effect, Layer, Option } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as AuditLog from "../AuditLog.ts"
import * as Challenges from "./ChallengeQueries.ts"
import { type Checked, checks, type GivenCode } from "./FactorChecks.ts"
import * as Queries from "./FactorQueries.ts"

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
 * Asks for a second factor, and takes it. The actor is whoever the first factor proved: their room is entered for the factors alone, and it
 * refuses them as any request, if they were disabled or their password changed since.
 */
export class SecondFactors extends Context.Service<
  SecondFactors,
  {
    readonly standing: (by: LoginMethod) => Effect.Effect<Standing, Refused, Actor>
    /** Begins a wait for the second factor: its id. */
    readonly challenge: Effect.Effect<string, Refused, Actor>
    /**
     * Ends the wait with the right code: once, whoever else answers at the same moment. With an enrolment it makes the one-time codes count
     * that were set up, and returns the account's new recovery codes.
     */
    readonly answer: (
      challenge: Challenge,
      given: GivenCode
    ) => Effect.Effect<ReadonlyArray<string> | undefined, ChallengeEnded | Wrong | Refused, Actor>
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
  return SecondFactors.of({ standing, challenge, answer, whileOpen, prove })
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

import { Tenancy } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import {
  AddedFactor,
  Factor,
  FactorId,
  FactorNotFound,
  FactorRequired,
  Factors as FactorList,
  InvalidSecondFactor,
  NewTotp,
  PasskeyRefused
} from "@llm-saas/domain/Factor"
import { isRequired } from "@llm-saas/domain/LoginPolicy"
import { MOST_PASSKEYS } from "@llm-saas/domain/Passkey"
import { type Refused, TooManyRequests } from "@llm-saas/domain/Refusal"
import { type TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { keyUri } from "@llm-saas/domain/Totp"
import type { UserId } from "@llm-saas/domain/User"
import { Context, Effect, Layer, Option, Redacted } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as AuditLog from "../AuditLog.ts"
import { sealer } from "../providerKeys/DataKeys.ts"
import { Encryption } from "../providerKeys/Encryption.ts"
import { checks } from "./FactorChecks.ts"
import * as Queries from "./FactorQueries.ts"
import { Mails } from "./Mails.ts"
import { OneTimeCodes } from "./OneTimeCodes.ts"
import type { KnownPasskey, PasskeyUse } from "./PasskeyVerifier.ts"

/** The second factors of accounts, as their users and the tenant's admins manage them. Who may do what with which proof is the caller's. */
export class Factors extends Context.Service<
  Factors,
  {
    readonly list: Effect.Effect<FactorList, Refused, Actor>
    /** One-time codes that count from {@link confirmTotp} on, instead of those there are. */
    readonly beginTotp: (name: string) => Effect.Effect<NewTotp, Refused, Actor>
    readonly confirmTotp: (
      code: string
    ) => Effect.Effect<AddedFactor, FactorNotFound | InvalidSecondFactor | TooManyRequests | Refused, Actor>
    /** A passkey that was made for this account, and signed. */
    readonly addPasskey: (
      name: string,
      made: KnownPasskey & PasskeyUse
    ) => Effect.Effect<AddedFactor, PasskeyRefused | Refused, Actor>
    /** The last one stays where the tenant requires one. Recovery codes go with the last. */
    readonly remove: (id: FactorId) => Effect.Effect<void, FactorNotFound | FactorRequired | Refused, Actor>
    /** New recovery codes, in the place of those there are; for an account that has a factor. */
    readonly newRecoveryCodes: Effect.Effect<ReadonlyArray<string>, FactorNotFound | Refused, Actor>
    /** Those of a user of the tenant, for its admins. */
    readonly listOf: (of: {
      readonly id: TenantId
      readonly user: UserId
    }) => Effect.Effect<ReadonlyArray<Factor>, TenantNotFound | Refused, Actor>
    /** Takes a user's factor away, also the last one: they set up another with their next login, if they must have one. */
    readonly removeOf: (of: {
      readonly id: TenantId
      readonly user: UserId
      readonly factor: FactorId
    }) => Effect.Effect<void, TenantNotFound | FactorNotFound | Refused, Actor>
  }
>()("@llm-saas/engine/accounts/Factors") {
  static readonly layer = Layer.effect(
    Factors,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const tenancy = yield* Tenancy
  const codes = yield* OneTimeCodes
  const random = yield* SecureRandom
  const record = AuditLog.recorder(random)
  const mails = yield* Mails
  const seal = sealer(yield* Encryption)
  const { newRecoveryCodes, totp } = yield* checks

  const list = Effect.gen(function* () {
    const { userId } = yield* Actor
    return yield* tenancy.transaction(
      Effect.gen(function* () {
        const rows = yield* Queries.list(userId)
        const { recovery_codes, role, ...policy } = yield* Queries.standing()
        return new FactorList({
          data: rows.map((row) => new Factor(row)),
          recovery_codes_left: recovery_codes,
          required: isRequired(policy, role)
        })
      })
    )
  }).pipe(Effect.catchTag("NoSuchElementError", Effect.die), Effect.withSpan("Factors.list"))

  const beginTotp: Factors["Service"]["beginTotp"] = Effect.fn("Factors.beginTotp")(function* (name) {
    const { tenantId } = yield* Actor
    const id = FactorId.make(yield* random.uuidV7())
    const secret = yield* codes.makeSecret
    const work = Effect.gen(function* () {
      yield* Queries.hold()
      yield* Queries.beginTotp({ id, name, ...(yield* seal(secret, { tenant: tenantId, kind: "second factor", id })) })
      return yield* Queries.standing()
    })
    const { email, tenant } = yield* tenancy.transaction(work).pipe(Effect.catchTag("NoSuchElementError", Effect.die))
    const text = Redacted.value(secret)
    return new NewTotp({ id, secret: text, uri: keyUri({ secret: text, issuer: tenant, account: email }) })
  })

  const confirmTotp: Factors["Service"]["confirmTotp"] = Effect.fn("Factors.confirmTotp")(function* (code) {
    const { userId } = yield* Actor
    const work = Effect.gen(function* () {
      yield* Queries.hold()
      const checked = yield* totp("begun", code, Effect.succeed(true))
      if (checked.outcome !== "right" || checked.id === undefined) return checked
      const { email, recovery_codes } = yield* Queries.standing()
      const factor = new Factor(yield* Queries.confirmTotp(checked.id))
      yield* record("factor.added", { kind: "user", id: userId }, { factor: factor.id, kind: factor.kind })
      yield* mails.write({ address: email, subject: userId, content: { template: "second_factor_added" } })
      const made = recovery_codes > 0 ? null : yield* newRecoveryCodes
      return { outcome: "added", added: new AddedFactor({ factor, recovery_codes: made }) } as const
    })
    const done = yield* tenancy.transaction(work).pipe(Effect.catchTag("NoSuchElementError", Effect.die))
    switch (done.outcome) {
      case "added":
        return done.added
      case "wait":
        return yield* new TooManyRequests({ retry_after: done.seconds })
      case "over":
      case "missing":
        return yield* new FactorNotFound({})
      default:
        return yield* new InvalidSecondFactor({})
    }
  })

  const addPasskey: Factors["Service"]["addPasskey"] = Effect.fn("Factors.addPasskey")(function* (
    name,
    { transports, ...made }
  ) {
    const { userId } = yield* Actor
    const id = FactorId.make(yield* random.uuidV7())
    const work = Effect.gen(function* () {
      yield* Queries.hold()
      if ((yield* Queries.passkeys()).length >= MOST_PASSKEYS) return yield* new PasskeyRefused({})
      const added = yield* Queries.addPasskey({ id, name, ...made, transports: transports.join(",") })
      if (Option.isNone(added)) return yield* new PasskeyRefused({})
      const { email, recovery_codes } = yield* Queries.standing()
      yield* record("factor.added", { kind: "user", id: userId }, { factor: id, kind: "passkey" })
      yield* mails.write({ address: email, subject: userId, content: { template: "second_factor_added" } })
      const codes = recovery_codes > 0 ? null : yield* newRecoveryCodes
      return new AddedFactor({ factor: new Factor(added.value), recovery_codes: codes })
    })
    return yield* tenancy.transaction(work).pipe(Effect.catchTag("NoSuchElementError", Effect.die))
  })

  const remove: Factors["Service"]["remove"] = Effect.fn("Factors.remove")(function* (id) {
    const { userId } = yield* Actor
    const work = Effect.gen(function* () {
      yield* Queries.hold()
      const removed = yield* Queries.remove({ id, user: userId })
      if (Option.isNone(removed)) return yield* new FactorNotFound({})
      const { email, kinds, role, ...policy } = yield* Queries.standing()
      if (kinds.length === 0 && isRequired(policy, role)) return yield* new FactorRequired({})
      if (kinds.length === 0) yield* Queries.setRecoveryCodes("")
      yield* record("factor.removed", { kind: "user", id: userId }, { factor: id, ...removed.value })
      yield* mails.write({ address: email, subject: userId, content: { template: "second_factor_removed" } })
    })
    yield* tenancy.transaction(work).pipe(Effect.catchTag("NoSuchElementError", Effect.die))
  })

  const renew = Effect.gen(function* () {
    const { userId } = yield* Actor
    const work = Effect.gen(function* () {
      yield* Queries.hold()
      if ((yield* Queries.list(userId)).length === 0) return yield* new FactorNotFound({})
      yield* record("recovery_codes.made", { kind: "user", id: userId })
      return yield* newRecoveryCodes
    })
    return yield* tenancy.transaction(work)
  }).pipe(Effect.withSpan("Factors.newRecoveryCodes"))

  const listOf: Factors["Service"]["listOf"] = Effect.fn("Factors.listOf")(function* ({ id, user }) {
    const { tenantId } = yield* Actor
    const rows = yield* tenancy.read(Queries.list(user))
    if (id.toLowerCase() !== tenantId) return yield* new TenantNotFound({})
    return rows.map((row) => new Factor(row))
  })

  const removeOf: Factors["Service"]["removeOf"] = Effect.fn("Factors.removeOf")(function* ({ factor, id, user }) {
    const { tenantId } = yield* Actor
    const work = Effect.gen(function* () {
      const removed = yield* Queries.remove({ id: factor, user })
      if (id.toLowerCase() !== tenantId) return yield* new TenantNotFound({})
      if (Option.isNone(removed)) return yield* new FactorNotFound({})
      yield* record("factor.removed", { kind: "user", id: user }, { factor, ...removed.value })
      const { email } = yield* Queries.addressOf(user)
      yield* mails.write({ address: email, subject: user, content: { template: "second_factor_removed" } })
    })
    yield* tenancy.transaction(work).pipe(Effect.catchTag("NoSuchElementError", Effect.die))
  })
  return Factors.of({ list, beginTotp, confirmTotp, addPasskey, remove, newRecoveryCodes: renew, listOf, removeOf })
})

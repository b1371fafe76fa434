import type { TenantSql } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import type { FactorId, FactorMethod } from "@llm-saas/domain/Factor"
import { makeRecoveryCode, readRecoveryCode, RECOVERY_BYTES, RECOVERY_CODES } from "@llm-saas/domain/RecoveryCode"
import { filledBy, stepsAt, waitSeconds } from "@llm-saas/domain/Totp"
import { type Cause, Effect, Option, type Schema } from "effect"
import { Digest, sha256 } from "effect/crypto/Digest"
import { SecureRandom } from "effect/crypto/SecureRandom"
import type { SqlError } from "effect/sql/SqlError"
import * as AuditLog from "../AuditLog.ts"
import { Encryption } from "../providerKeys/Encryption.ts"
import * as Queries from "./FactorQueries.ts"
import { OneTimeCodes } from "./OneTimeCodes.ts"

/** What is given as a second factor. */
export type GivenCode = { readonly method: Extract<FactorMethod, "totp" | "recovery_code">; readonly code: string }

/** `missing`: there are no such codes. `wait`: seconds until a code may be tried; nothing was counted. `over`: nothing may be tried here any more. */
export type Checked =
  | { readonly outcome: "right"; readonly id?: FactorId }
  | { readonly outcome: "wrong" | "missing" }
  | { readonly outcome: "over" }
  | { readonly outcome: "wait"; readonly seconds: number }

type CheckFailure = SqlError | Schema.SchemaError | Cause.NoSuchElementError
type CheckNeeds = TenantSql | Actor

/**
 * Compares codes in a room of the actor. A wrong code is a result and no failure: what it costs must be committed. `take` is run before
 * anything is compared, and says whether there is a try left.
 */
export const checks = Effect.gen(function* () {
  const encryption = yield* Encryption
  const codes = yield* OneTimeCodes
  const digest = yield* Digest
  const random = yield* SecureRandom
  const record = AuditLog.recorder(random)

  const hashOf = (code: string) => Effect.orDie(digest.digestHex(sha256, new TextEncoder().encode(code)))

  /** Codes that count, or those being set up. The row is held: of two equal codes at once one is taken. */
  const totp = <E, R>(which: "counts" | "begun", code: string, take: Effect.Effect<boolean, E, R>) =>
    Effect.gen(function* (): Effect.fn.Return<Checked, E | CheckFailure, R | CheckNeeds> {
      const found = Option.getOrUndefined(yield* Queries.lockTotp(which))
      const seconds = found === undefined ? 0 : Math.ceil(waitSeconds(found.filled))
      if (seconds > 0) return { outcome: "wait", seconds }
      if (!(yield* take)) return { outcome: "over" }
      if (found === undefined) return { outcome: "missing" }
      const { tenantId, userId } = yield* Actor
      const { filled, id, last_step, locked, now, sealed, ...key } = found
      const secret = yield* encryption.open(sealed, key, { tenant: tenantId, kind: "second factor", id })
      const given = code.replaceAll(" ", "")
      const step =
        secret === undefined || locked
          ? undefined
          : stepsAt(now, last_step).find((candidate) => codes.fits(secret, given, candidate))
      if (step === undefined) {
        const { locks } = yield* Queries.totpFailed({ id, filled: filledBy(filled) })
        if (locks) yield* record("factor.locked", { kind: "user", id: userId }, { factor: id })
        return { outcome: "wrong" }
      }
      yield* Queries.totpTaken({ id, step })
      return { outcome: "right", id }
    })

  const recoveryCode = <E, R>(typed: string, take: Effect.Effect<boolean, E, R>) =>
    Effect.gen(function* (): Effect.fn.Return<Checked, E | CheckFailure, R | CheckNeeds> {
      if (!(yield* take)) return { outcome: "over" }
      const code = readRecoveryCode(typed)
      if (code === undefined) return { outcome: "wrong" }
      const used = yield* Queries.useRecoveryCode(yield* hashOf(code))
      if (Option.isNone(used)) return { outcome: "wrong" }
      yield* Queries.unlockTotp()
      return { outcome: "right" }
    })

  /** New recovery codes of the account, in the place of those it has. */
  const newRecoveryCodes = Effect.gen(function* () {
    const made = yield* Effect.forEach(Array.from({ length: RECOVERY_CODES }), () =>
      Effect.map(random.randomBytes(RECOVERY_BYTES), makeRecoveryCode)
    )
    const hashes = yield* Effect.forEach(made, (code) => hashOf(readRecoveryCode(code) ?? code))
    yield* Queries.setRecoveryCodes(hashes.join(","))
    return made
  })

  return { totp, recoveryCode, newRecoveryCodes }
})

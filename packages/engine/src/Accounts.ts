import { Gate } from "@llm-saas/database/Gate"
import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import type { Password } from "@llm-saas/domain/Password"
import {
  type Forbidden,
  InvalidCredentials,
  TenantRequired,
  Unauthenticated,
  type Unavailable
} from "@llm-saas/domain/Refusal"
import type { TenantId } from "@llm-saas/domain/Tenant"
import { type Email, Profile, RegistrationRefused, type Role, User, UserId } from "@llm-saas/domain/User"
import { Array, Context, Effect, Layer, Option, type Redacted, Schema } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { SqlSchema } from "effect/sql"
import * as AuditLog from "./AuditLog.ts"
import { failOnTheBeat } from "./Beat.ts"
import { PasswordHasher } from "./PasswordHasher.ts"
import { UserRow } from "./Users.ts"

type Refused = Unauthenticated | Forbidden | Unavailable

/** Whom a login turned out to be: what a token is made of. */
export interface Identity {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly role: Role
}

/** What people do about their own account. */
export class Accounts extends Context.Service<
  Accounts,
  {
    readonly register: (user: {
      readonly tenantId: TenantId
      readonly email: Email
      readonly password: Password
    }) => Effect.Effect<User, RegistrationRefused | Unavailable>
    /** Refuses alike, in words and in time, whether the email is unknown, or has an account, or several. */
    readonly login: (credentials: {
      readonly email: Email | undefined
      readonly password: Redacted.Redacted<string>
      readonly tenantId: TenantId | undefined
    }) => Effect.Effect<Identity, InvalidCredentials | TenantRequired | Unavailable>
    readonly me: Effect.Effect<Profile, Refused, Actor>
    /** Ends every token from before. */
    readonly changePassword: (change: {
      readonly current: Redacted.Redacted<string>
      readonly next: Password
    }) => Effect.Effect<Identity, InvalidCredentials | Refused, Actor>
  }
>()("@llm-saas/engine/Accounts") {
  static readonly layer = Layer.effect(
    Accounts,
    Effect.gen(function* () {
      const gate = yield* Gate
      const tenancy = yield* Tenancy
      const hasher = yield* PasswordHasher
      const random = yield* SecureRandom
      const record = AuditLog.recorder(random)

      const register: Accounts["Service"]["register"] = Effect.fn("Accounts.register")(function* ({
        tenantId,
        email,
        password
      }) {
        // Hashed first, whatever the answer will be: a refusal takes as long as a success.
        const passwordHash = yield* hasher.hash(password)
        const id = UserId.make(yield* random.uuidV7())
        const made = yield* gate.register({ tenantId, userId: id, email, passwordHash })
        if (Option.isNone(made)) return yield* new RegistrationRefused({})
        return new User({ id, tenant_id: tenantId, email, status: "active", ...made.value })
      })

      const login: Accounts["Service"]["login"] = Effect.fn("Accounts.login")(function* ({
        email,
        password,
        tenantId
      }) {
        const candidates = email === undefined ? [] : yield* gate.candidates(email, tenantId)
        if (!Array.isReadonlyArrayNonEmpty(candidates)) {
          yield* hasher.verify(undefined, password)
          return yield* new InvalidCredentials({})
        }
        const fitting = yield* Effect.filter(candidates, (candidate) =>
          hasher.verify(candidate.password_hash, password)
        )
        const [candidate, another] = fitting
        if (candidate === undefined) {
          yield* gate.recordLogin(candidates[0], false)
          return yield* new InvalidCredentials({})
        }
        if (another !== undefined) return yield* new TenantRequired({})
        yield* gate.recordLogin(candidate, true)
        if (hasher.needsRehash(candidate.password_hash)) yield* gate.rehash(candidate, yield* hasher.hash(password))
        return { tenantId: candidate.tenant_id, userId: candidate.user_id, role: candidate.role }
      }, failOnTheBeat)

      const me = tenancy.glance("own_profile").pipe(
        Effect.flatMap((answer) => Effect.orDie(decodeProfile(answer))),
        Effect.withSpan("Accounts.me")
      )

      const changePassword: Accounts["Service"]["changePassword"] = Effect.fn("Accounts.changePassword")(function* ({
        current,
        next
      }) {
        const actor = yield* Actor
        const { email } = yield* me
        const candidates = yield* gate.candidates(email, actor.tenantId)
        const own = candidates.find((candidate) => candidate.user_id === actor.userId)
        if (!(yield* hasher.verify(own?.password_hash, current))) return yield* new InvalidCredentials({})
        const hash = yield* hasher.hash(next)
        const row = yield* tenancy
          .transaction(
            Effect.tap(setPassword({ hash }), () => record("password.changed", { kind: "user", id: actor.userId }))
          )
          .pipe(Effect.catchTag("NoSuchElementError", () => new Unauthenticated({})))
        return { tenantId: actor.tenantId, userId: actor.userId, role: row.role }
      })
      return Accounts.of({ register, login, me, changePassword })
    })
  )
}

const decodeProfile = Schema.decodeUnknownEffect(Profile)

const setPassword = SqlSchema.findOne({
  Request: Schema.Struct({ hash: Schema.String }),
  Result: UserRow,
  execute: ({ hash }) =>
    TenantSql.use(
      (sql) =>
        sql`with secret as (
            update app.credentials set password_hash = ${hash}, updated_at = now() where user_id = app.user_id() returning user_id
          )
          update app.users u set tokens_valid_after = now() from secret where u.id = secret.user_id
          returning u.id, u.tenant_id, u.email, u.role, u.status, u.created_at`
    )
})

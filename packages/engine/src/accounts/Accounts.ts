import { type Candidate, PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { EmailUnverified } from "@llm-saas/domain/AccountLink"
import { Actor } from "@llm-saas/domain/Actor"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import type { Password } from "@llm-saas/domain/Password"
import type { PasswordRefused } from "@llm-saas/domain/PasswordRules"
import {
  InvalidCredentials,
  type Refused,
  TenantRequired,
  Unauthenticated,
  type Unavailable
} from "@llm-saas/domain/Refusal"
import { noteReplay } from "@llm-saas/domain/Replay"
import { SessionId } from "@llm-saas/domain/Session"
import type { TenantId } from "@llm-saas/domain/Tenant"
import { type Email, Profile, RegistrationRefused, Role, User, UserId } from "@llm-saas/domain/User"
import { Context, Effect, Exit, Layer, Option, type Redacted, Schema } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { SqlSchema } from "effect/sql"
import * as AuditLog from "../AuditLog.ts"
import type { GuestAttempt } from "../Idempotency.ts"
import { answerAtInterval } from "./RefusalTiming.ts"
import type { LoginAttempts } from "./LoginAttempts.ts"
import { Mails } from "./Mails.ts"
import { Verification } from "./Verification.ts"
import { RequireVerifiedEmail } from "./VerifiedEmail.ts"
import { PasswordHasher } from "./PasswordHasher.ts"
import { PasswordRules } from "./PasswordRules.ts"

/** The account that logged in: what a token is made of. */
export interface Identity {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly role: Role
  /** The epoch of the user's tokens; see `app.users.token_epoch`. */
  readonly tokenEpoch: number
}

/** The session of a request, and how many seconds are left of it. */
export interface OwnSession {
  readonly id: SessionId
  readonly leftSeconds: number
}

/** What users do about their own account. `client`: the client's network. */
export class Accounts extends Context.Service<
  Accounts,
  {
    readonly register: (user: {
      readonly tenantId: TenantId
      readonly email: Email
      readonly password: Password
      readonly client: string
      readonly attempt?: GuestAttempt | undefined
    }) => Effect.Effect<User, RegistrationRefused | PasswordRefused | IdempotencyMismatch | Unavailable>
    /**
     * Without a tenant, tries every account of the address. One fitting account is logged in; several ask for the tenant. Each account's
     * result goes into its own tenant's audit log: `login.succeeded` where a token was made, else `login.failed`, even for a right
     * password: that it fits elsewhere too is not for that tenant to know. Takes equally long for every result and any number of accounts.
     */
    readonly login: (credentials: {
      readonly email: Email | undefined
      readonly password: Redacted.Redacted<string>
      readonly tenantId: TenantId | undefined
      readonly client: string
      readonly attempts: LoginAttempts
    }) => Effect.Effect<Identity, InvalidCredentials | TenantRequired | EmailUnverified | Unavailable>
    readonly me: Effect.Effect<Profile, Refused, Actor>
    /** The same as JSON of {@link Profile}, as the database wrote it. */
    readonly profile: Effect.Effect<string, Refused, Actor>
    /** Whether it is the actor's password. Tells nothing else, and changes nothing. */
    readonly confirmPassword: (given: {
      readonly email: Email
      readonly password: Redacted.Redacted<string>
      readonly client: string
      readonly attempts: LoginAttempts
    }) => Effect.Effect<void, InvalidCredentials | Refused, Actor>
    /** Revokes all earlier tokens, and ends all sessions but the one of the request, which goes on if it is not over. The address is told. */
    readonly changePassword: (change: {
      readonly email: Email
      readonly tenantName: string
      readonly current: Redacted.Redacted<string>
      readonly next: Password
      readonly client: string
      readonly attempts: LoginAttempts
    }) => Effect.Effect<
      Identity & { readonly session: OwnSession | undefined },
      InvalidCredentials | PasswordRefused | Refused,
      Actor
    >
  }
>()("@llm-saas/engine/accounts/Accounts") {
  static readonly layer = Layer.effect(
    Accounts,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const preTenant = yield* PreTenantAccess
  const tenancy = yield* Tenancy
  const hasher = yield* PasswordHasher
  const rules = yield* PasswordRules
  const mails = yield* Mails
  const random = yield* SecureRandom
  const record = AuditLog.recorder(random)
  const verification = yield* Verification
  const mustVerify = yield* RequireVerifiedEmail

  const register: Accounts["Service"]["register"] = Effect.fn("Accounts.register")(function* ({
    attempt,
    client,
    email,
    password,
    tenantId
  }) {
    yield* rules.check(password, { email, names: [] })
    return yield* answerAtInterval(
      // Hashed first, whatever the answer will be.
      Effect.all([
        hasher.hash(password, { email, share: { client, target: `register ${tenantId}` } }),
        preTenant.openTenant(tenantId)
      ]),
      Effect.fnUntraced(function* ([passwordHash, name]) {
        yield* rules.check(password, { email, names: Option.toArray(name) })
        const id = UserId.make(yield* random.uuidV7())
        const made = yield* preTenant.register({ tenantId, userId: id, email, passwordHash, attempt })
        if (Option.isNone(made)) return yield* new RegistrationRefused({})
        if (made.value.outcome === "mismatch") return yield* new IdempotencyMismatch({})
        const { outcome, ...registered } = made.value
        if (outcome === "known") yield* noteReplay
        // Behind the account's own transaction: if this one is lost, `POST /email/verification` sends the mail.
        else if (mustVerify) yield* verification.send({ tenant_id: tenantId, user_id: registered.id }, email)
        return new User({ tenant_id: tenantId, email, status: "active", ...registered })
      }),
      // The reason is not told, and the time must not tell it.
      Exit.isFailure
    )
  })

  const login: Accounts["Service"]["login"] = Effect.fn("Accounts.login")((credentials) => {
    const { attempts, email, tenantId } = credentials
    const candidates = email === undefined ? Effect.succeed([]) : preTenant.candidates(email, tenantId)
    return answerAtInterval(
      Effect.flatMap(candidates, (found) => compare(hasher, found, credentials)),
      // Counting it is a part of storing the result: how long that takes must not be told either.
      Effect.fnUntraced(function* (compared) {
        const { told, tried } = yield* ending(compared, attempts)
        const [candidate, another] = told
        const one = another === undefined ? candidate : undefined
        const unverified = mustVerify && one?.email_verified === false
        yield* preTenant.recordLogin(tried, unverified ? undefined : one)
        if (candidate === undefined) return yield* new InvalidCredentials({})
        if (unverified) return yield* new EmailUnverified({})
        if (one === undefined) return yield* new TenantRequired({})
        if (one.password_hash !== compared.hash) yield* preTenant.rehash(one, compared.hash)
        return identityOf(one)
      })
    )
  })

  const profile = Effect.map(tenancy.readFunction("own_profile", undefined), (answer) => answer ?? "null").pipe(
    Effect.withSpan("Accounts.profile")
  )
  const me = Effect.flatMap(profile, (answer) => Effect.orDie(decodeProfile(answer)))

  const confirmPassword: Accounts["Service"]["confirmPassword"] = Effect.fn("Accounts.confirmPassword")(
    function* (given) {
      const { tenantId, userId } = yield* Actor
      const candidates = yield* preTenant.candidates(given.email, tenantId)
      const own = candidates.filter((candidate) => candidate.user_id === userId)
      const compared = yield* compare(hasher, own, { ...given, tenantId })
      const { told, tried } = yield* ending(compared, given.attempts)
      if (told.length > 0) return
      yield* preTenant.recordLogin(tried, undefined)
      return yield* new InvalidCredentials({})
    }
  )

  const changePassword: Accounts["Service"]["changePassword"] = Effect.fn("Accounts.changePassword")(
    function* (change) {
      const { attempts, client, current, email, next } = change
      yield* rules.check(next, { email, names: [change.tenantName] })
      const { session, tenantId, userId } = yield* Actor
      yield* confirmPassword({ attempts, client, email, password: current })
      const hash = yield* hasher.hash(next, { email, share: { client, target: `password ${tenantId}` } })
      const row = yield* tenancy
        .transaction(
          Effect.tap(setPassword({ hash, session: session ?? null }), () =>
            Effect.andThen(
              mails.write({ address: email, subject: userId, content: { template: "password_changed" } }),
              record("password.changed", { kind: "user", id: userId })
            )
          )
        )
        .pipe(Effect.catchTag("NoSuchElementError", () => new Unauthenticated({})))
      const kept =
        session === undefined || row.left_seconds === null ? undefined : { id: session, leftSeconds: row.left_seconds }
      return { tenantId, userId, role: row.role, tokenEpoch: row.token_epoch, session: kept }
    }
  )
  return Accounts.of({ register, login, me, profile, confirmPassword, changePassword })
})

/** Compares the password with that of each account. */
const compare = Effect.fnUntraced(function* (
  hasher: PasswordHasher["Service"],
  candidates: ReadonlyArray<Candidate>,
  { attempts, client, email, password, tenantId }: Parameters<Accounts["Service"]["login"]>[0]
) {
  attempts.begin(candidates.map(({ user_id }) => user_id))
  const { fits, hash } = yield* hasher.compare(password, {
    email: email ?? "",
    hashes: candidates.map(({ password_hash }) => password_hash),
    share: { client, target: `login ${tenantId ?? email ?? ""}` }
  })
  return { candidates, fitting: candidates.filter((_, place) => fits[place] === true), hash }
})

/** Ends the attempts: which accounts were tried, and which of the fitting ones may be told. */
const ending = Effect.fnUntraced(function* (
  { candidates, fitting }: Effect.Success<ReturnType<typeof compare>>,
  attempts: LoginAttempts
) {
  const { told, tried } = yield* attempts.end(fitting.map(({ user_id }) => user_id))
  return {
    tried: candidates.filter(({ user_id }) => tried.has(user_id)),
    told: fitting.filter(({ user_id }) => told.has(user_id))
  }
})

const identityOf = ({ role, tenant_id, token_epoch, user_id }: Candidate): Identity => ({
  tenantId: tenant_id,
  userId: user_id,
  role,
  tokenEpoch: token_epoch
})

const decodeProfile = Schema.decodeUnknownEffect(Schema.fromJsonString(Profile))

const setPassword = SqlSchema.findOne({
  Request: Schema.Struct({ hash: Schema.String, session: Schema.NullOr(SessionId) }),
  Result: Schema.Struct({ role: Role, token_epoch: Schema.Int, left_seconds: Schema.NullOr(Schema.Finite) }),
  execute: ({ hash, session }) =>
    TenantSql.use(
      (sql) =>
        sql`with secret as (
            update app.credentials set password_hash = ${hash}, updated_at = now() where user_id = app.user_id() returning user_id
          ), kept as (
            -- It is of the new epoch before the trigger ends those that are not.
            update app.sessions s set token_epoch = s.token_epoch + 1
            where s.tenant_id = app.tenant_id() and s.id = ${session}::uuid and s.user_id = app.user_id() and s.ended_at is null
            returning extract(epoch from s.ends_at - now())::float8 as left_seconds
          )
          update app.users u set token_epoch = u.token_epoch + 1 from secret left join kept on true where u.id = secret.user_id
          returning u.role, u.token_epoch, kept.left_seconds`
    )
})

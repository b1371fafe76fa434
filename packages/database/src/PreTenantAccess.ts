import { KeyId } from "@llm-saas/domain/ApiKey"
import { type OneTimePurpose, OneTimeTokenId } from "@llm-saas/domain/OneTimeToken"
import { RequestId } from "@llm-saas/domain/RequestId"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { Scope } from "@llm-saas/domain/Scope"
import { type Registration, Tenant, TenantId, TenantName } from "@llm-saas/domain/Tenant"
import { Email, Role, UserId } from "@llm-saas/domain/User"
import { Context, Effect, type Exit, Layer, Option, Schema } from "effect"
import * as Batches from "./Batches.ts"
import { outageOrBug } from "./PostgresError.ts"
import { Pool } from "./connections/Pool.ts"

const TenantRow = Schema.Struct({ ...Tenant.fields, created_at: Schema.DateTimeUtcFromDate })
const Created = Schema.Struct({ ...TenantRow.fields, made: Schema.Boolean })

/** The result of a registration and its account; `known`: made by an earlier request with the same key. */
const Registered = Schema.Union([
  Schema.Struct({
    outcome: Schema.Literals(["registered", "known"]),
    id: UserId,
    role: Role,
    created_at: Schema.DateTimeUtcFromDate
  }),
  Schema.Struct({ outcome: Schema.Literal("mismatch") })
])

/** An Idempotency-Key of a client without an account, and the request it was used for: see `app.idempotent_answers`. */
export interface GuestKey {
  readonly key: string
  readonly bodyHash: string
}

/** Requests without a tenant wait for a connection in this line, not in any tenant's. */
const LINE = "preTenant"
/** Keys whose tenant is not known yet have a line of their own: logins in any number do not hold them up. */
const KEYS = "keys"

/** Counts of clients without an account have one too: others' requests do not wait behind theirs. */
const COUNTS = "counts"

/** A user whose email fits a login, and what to verify the password against. */
export const Candidate = Schema.Struct({
  tenant_id: TenantId,
  user_id: UserId,
  role: Role,
  password_hash: Schema.String,
  /** See `app.users.token_epoch`. */
  token_epoch: Schema.Int,
  email_verified: Schema.Boolean
})
export type Candidate = typeof Candidate.Type

/** An API key that exists: whom it acts as, and what it may. */
export const FoundKey = Schema.Struct({
  tenant_id: TenantId,
  key_id: KeyId,
  user_id: UserId,
  token_epoch: Schema.Int,
  scopes: Schema.Array(Scope),
  models: Schema.NullOr(Schema.Array(Schema.String)),
  expires_at: Schema.NullOr(Schema.DateTimeUtcFromDate),
  /** Why it may do nothing any more. For the audit log: no client is told. */
  refused: Schema.NullOr(Schema.Literals(["deleted", "disabled", "expired", "rotated", "owner", "tenant"]))
})
export type FoundKey = typeof FoundKey.Type

/** A one-time token that can be used still. */
export const FoundOneTimeToken = Schema.Struct({
  tenant_id: TenantId,
  tenant_name: Schema.String,
  token_id: OneTimeTokenId,
  /** The user it is for, or the invitation. */
  subject_id: Schema.String,
  address: Email,
  expires_at: Schema.DateTimeUtcFromDate
})
export type FoundOneTimeToken = typeof FoundOneTimeToken.Type

/** A key that was used, or that was sent after its end. */
export interface UsedKey {
  readonly tenantId: TenantId
  readonly keyId: KeyId
}
export interface RefusedKey extends UsedKey {
  readonly reason: string
  readonly requestId: string
}

/**
 * The requests to the database before a tenant is known. Each is one narrow SECURITY DEFINER function (`sql/functions/30_auth.sql`) and one
 * round trip; nothing else of a tenant can be reached from here.
 */
export class PreTenantAccess extends Context.Service<
  PreTenantAccess,
  {
    /** `made`: false where there is a tenant with this id already. */
    readonly createTenant: (tenant: {
      readonly id: TenantId
      readonly name: string
      readonly registration: Registration
    }) => Effect.Effect<{ readonly tenant: Tenant; readonly made: boolean }, Unavailable>
    /**
     * Counts one more of each key if all have room: so many in the window. Returns how long (ms) until there is room, or 0. All processes
     * count together.
     */
    readonly countAttempt: (
      counted: ReadonlyArray<{ readonly key: string; readonly limit: number }>,
      windowMs: number
    ) => Effect.Effect<number, Unavailable>
    /** Whether the installation has tenants, erased ones included. */
    readonly hasTenants: Effect.Effect<boolean, Unavailable>
    /** The name of a tenant in which people may register now. None of any other. */
    readonly openTenant: (id: TenantId) => Effect.Effect<Option.Option<string>, Unavailable>
    /** None: refused (no such tenant, suspended, closed, or the email is taken), and the database does not say which. */
    readonly register: (user: {
      readonly tenantId: TenantId
      readonly userId: UserId
      readonly email: Email
      readonly passwordHash: string
      readonly attempt?: GuestKey | undefined
    }) => Effect.Effect<Option.Option<typeof Registered.Type>, Unavailable>
    /**
     * Active users of active tenants with this email, oldest accounts first. All of them: a limit would lock out the accounts beyond it.
     */
    readonly candidates: (
      email: Email,
      tenantId: TenantId | undefined
    ) => Effect.Effect<ReadonlyArray<Candidate>, Unavailable>
    /** Writes an audit event for each account that was tried: the login `succeeded` for one of them, or for none. */
    readonly recordLogin: (
      tried: ReadonlyArray<Candidate>,
      succeeded: Candidate | undefined
    ) => Effect.Effect<void, Unavailable>
    /** Replaces a hash made with older parameters, if it still stands. */
    readonly rehash: (candidate: Candidate, newHash: string) => Effect.Effect<void, Unavailable>
    /**
     * The API key with this SHA-256 (in hexadecimal) of its text. None: unknown, whichever part of it is wrong. It waits for a connection in
     * the line of `tenant`, where that is known from an earlier look. Callers with the same key share one look, which begins after each of
     * them asked for it.
     */
    readonly key: (hash: string, tenant: TenantId | undefined) => Effect.Effect<Option.Option<FoundKey>, Unavailable>
    /** The one-time token with this SHA-256 (in hexadecimal) of its text, if it can be used still. It is not used by that. */
    readonly oneTimeToken: (
      hash: string,
      purpose: OneTimePurpose
    ) => Effect.Effect<Option.Option<FoundOneTimeToken>, Unavailable>
    /** Notes that keys were used: at most once a minute for each. */
    readonly keysUsed: (keys: ReadonlyArray<UsedKey>) => Effect.Effect<void, Unavailable>
    /** Writes into the audit log that keys were used after their end: at most once a minute for each. Returns those it could look at. */
    readonly keysRefused: (keys: ReadonlyArray<RefusedKey>) => Effect.Effect<ReadonlyArray<KeyId>, Unavailable>
  }
>()("@llm-saas/database/PreTenantAccess") {
  static readonly layer = Layer.effect(
    PreTenantAccess,
    Effect.gen(function* () {
      const pool = yield* Pool

      // On a shared connection: one look, which waits for no lock.
      const look = (hash: string, line: string) =>
        pool.query("select * from auth.api_key(decode($1::text, 'hex'))", [hash], line).pipe(
          Effect.catchTag("SqlError", outageOrBug),
          Effect.flatMap(({ rows }) => Effect.orDie(keysIn(rows))),
          Effect.map(([found]) => Option.fromUndefinedOr(found))
        )
      const looks = yield* Batches.make({
        items: MOST_TOGETHER,
        sizeOf: () => 1,
        size: MOST_TOGETHER,
        keyOf: ({ hash, line }: Look) => `${hash} ${line}`,
        write: (looks): Effect.Effect<ReadonlyArray<Exit.Exit<Option.Option<FoundKey>, Unavailable>>> => {
          const [first] = looks
          return first === undefined
            ? Effect.succeed([])
            : Effect.map(Effect.exit(look(first.hash, first.line)), (found) => looks.map(() => found))
        }
      })

      return PreTenantAccess.of({
        createTenant: Effect.fn("PreTenantAccess.createTenant")(function* (tenant) {
          const request = yield* RequestId
          const [{ made, ...row }] = yield* pool.call(
            "select * from auth.create_tenant($1, $2, $3, $4)",
            [tenant.id, tenant.name, tenant.registration, request],
            Schema.Tuple([Created]),
            LINE
          )
          return { tenant: new Tenant(row), made }
        }),
        countAttempt: Effect.fn("PreTenantAccess.countAttempt")(function* (counted, windowMs) {
          const [{ seconds }] = yield* pool.call(
            "select auth.count_attempt($1::text[], $2::int4[], $3::int4) as seconds",
            [counted.map(({ key }) => key), counted.map(({ limit }) => limit), Math.ceil(windowMs / 1000)],
            Schema.Tuple([Schema.Struct({ seconds: Schema.Finite })]),
            COUNTS
          )
          return seconds * 1000
        }),
        hasTenants: pool.query("select auth.has_tenants() as found", [], LINE).pipe(
          Effect.catchTag("SqlError", outageOrBug),
          Effect.flatMap(({ rows }) => Effect.orDie(decodeFound(rows))),
          Effect.map(([{ found }]) => found)
        ),
        openTenant: Effect.fn("PreTenantAccess.openTenant")(function* (id) {
          const [{ name }] = yield* pool.call(
            "select auth.open_tenant($1) as name",
            [id],
            Schema.Tuple([Schema.Struct({ name: Schema.NullOr(TenantName) })]),
            LINE
          )
          return Option.fromNullOr(name)
        }),
        register: Effect.fn("PreTenantAccess.register")(function* (user) {
          const request = yield* RequestId
          const [registered] = yield* pool.call(
            "select * from auth.register($1, $2, $3, $4, $5, $6, $7)",
            [
              user.tenantId,
              user.userId,
              user.email,
              user.passwordHash,
              request,
              user.attempt?.key ?? null,
              user.attempt?.bodyHash ?? null
            ],
            Schema.Array(Registered),
            LINE
          )
          return Option.fromUndefinedOr(registered)
        }),
        candidates: Effect.fn("PreTenantAccess.candidates")(function* (email, tenantId) {
          const result = yield* pool
            .query("select * from auth.login_candidates($1, $2)", [email, tenantId ?? null], LINE)
            .pipe(Effect.catchTag("SqlError", outageOrBug))
          return yield* Effect.orDie(decodeCandidates(result.rows))
        }),
        recordLogin: Effect.fn("PreTenantAccess.recordLogin")(function* (tried, succeeded) {
          const request = yield* RequestId
          yield* pool.call(
            "select auth.login_record($1::uuid[], $2::uuid[], $3::uuid, $4)",
            [
              tried.map(({ tenant_id }) => tenant_id),
              tried.map(({ user_id }) => user_id),
              succeeded?.user_id ?? null,
              request
            ],
            Schema.Unknown,
            LINE
          )
        }),
        rehash: Effect.fn("PreTenantAccess.rehash")(function* (candidate, newHash) {
          yield* pool.call(
            "select auth.rehash($1, $2, $3, $4)",
            [candidate.tenant_id, candidate.user_id, candidate.password_hash, newHash],
            Schema.Unknown,
            LINE
          )
        }),
        // No span of its own: it is a part of every request with a key.
        key: (hash, tenant) => looks({ hash, line: tenant ?? KEYS }),
        oneTimeToken: Effect.fn("PreTenantAccess.oneTimeToken")(function* (hash, purpose) {
          const [found] = yield* pool.call(
            "select * from auth.find_one_time_token(decode($1::text, 'hex'), $2::text)",
            [hash, purpose],
            Schema.Array(FoundOneTimeToken),
            LINE
          )
          return Option.fromUndefinedOr(found)
        }),
        keysUsed: Effect.fn("PreTenantAccess.keysUsed")(function* (keys) {
          yield* pool.call(
            "select auth.api_keys_used($1::uuid[], $2::uuid[])",
            [keys.map(({ tenantId }) => tenantId), keys.map(({ keyId }) => keyId)],
            Schema.Unknown,
            LINE
          )
        }),
        keysRefused: Effect.fn("PreTenantAccess.keysRefused")(function* (keys) {
          const rows = yield* pool.call(
            "select seen from auth.api_keys_refused($1::uuid[], $2::uuid[], $3::text[], $4::text[]) seen",
            [
              keys.map(({ tenantId }) => tenantId),
              keys.map(({ keyId }) => keyId),
              keys.map(({ reason }) => reason),
              keys.map(({ requestId }) => requestId)
            ],
            Schema.Array(Schema.Struct({ seen: KeyId })),
            LINE
          )
          return rows.map(({ seen }) => seen)
        })
      })
    })
  )
}

const decodeFound = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ found: Schema.Boolean })]))

/** A look after a key, and the line in which it waits for a connection. */
interface Look {
  readonly hash: string
  readonly line: string
}

/** Requests with one key that share a look, at most. */
const MOST_TOGETHER = 1000

const decodeKeys = Schema.decodeUnknownEffect(Schema.Array(FoundKey))

/** Rows that are read anew for each request, and nearly always say the same: what they mean is looked up by all that they say. */
const keysIn = (rows: ReadonlyArray<unknown>): ReturnType<typeof decodeKeys> => {
  const said = JSON.stringify(rows)
  const known = decoded.get(said)
  if (known !== undefined) return Effect.succeed(known)
  return Effect.map(decodeKeys(rows), (keys) => {
    if (decoded.size >= MOST_DECODED) decoded.clear()
    decoded.set(said, keys)
    return keys
  })
}
const MOST_DECODED = 1000
const decoded = new Map<string, ReadonlyArray<FoundKey>>()
const decodeCandidates = Schema.decodeUnknownEffect(Schema.Array(Candidate))

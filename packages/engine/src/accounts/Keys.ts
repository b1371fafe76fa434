import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { Actor, asAdmin } from "@llm-saas/domain/Actor"
import { ApiKey, CurrentKey, KeyId, KeyNotFound, NewApiKey, ServiceAccountNotFound } from "@llm-saas/domain/ApiKey"
import { makeKey, makePublicId, PUBLIC_BYTES, SECRET_BYTES } from "@llm-saas/domain/ApiKeyText"
import type { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { lacking } from "@llm-saas/domain/KeyPower"
import { type AllowanceChange, changeOf, type LimitBeyondPlan } from "@llm-saas/domain/Limit"
import { type Page, page } from "@llm-saas/domain/Page"
import { Forbidden, type Unauthenticated, type Unavailable } from "@llm-saas/domain/Refusal"
import { InsufficientScope, type Scope } from "@llm-saas/domain/Scope"
import { UserId } from "@llm-saas/domain/User"
import { Context, type DateTime, Effect, Layer, Option, Schema } from "effect"
import { Digest, sha256 } from "effect/crypto/Digest"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { SqlSchema } from "effect/sql"
import * as AuditLog from "../AuditLog.ts"
import { type Attempt, once } from "../Idempotency.ts"
import * as Allowances from "./Allowances.ts"
import * as KeyQueries from "./KeyQueries.ts"

type Refused = Unauthenticated | Forbidden | InsufficientScope | Unavailable

/** What a key is made with, beside its owner. */
export interface KeyDraft {
  readonly name: string
  readonly scopes: ReadonlyArray<Scope>
  readonly models: ReadonlyArray<string> | null
  readonly expires_at: DateTime.Utc | null
  readonly metadata: { readonly [name: string]: string }
}

/** What changes of a key; what is absent stays. */
export type KeyChange = Partial<KeyDraft> & AllowanceChange & { readonly disabled?: boolean }

/**
 * API keys, as their owners and the tenant's admins manage them. With a key only keys are managed that may no more than itself: else a key
 * that may make keys could do everything.
 */
export class Keys extends Context.Service<
  Keys,
  {
    /** `owner`: a service account, which only admins give keys; absent: the actor. The secret is in this answer, and nowhere else. */
    readonly create: (
      draft: KeyDraft & AllowanceChange & { readonly owner: UserId | undefined; readonly attempt?: Attempt | undefined }
    ) => Effect.Effect<NewApiKey, ServiceAccountNotFound | IdempotencyMismatch | LimitBeyondPlan | Refused, Actor>
    /** Newest first. `own`: the actor's. `tenant`: all of the tenant, for admins; others are refused. */
    readonly list: (at: {
      readonly scope: "own" | "tenant"
      readonly limit: number
      readonly cursor: string | undefined
    }) => Effect.Effect<Page<ApiKey>, Refused, Actor>
    readonly get: (id: KeyId) => Effect.Effect<ApiKey, KeyNotFound | Refused, Actor>
    /** The key of the request, and what was asked with it. */
    readonly current: Effect.Effect<CurrentKey, KeyNotFound | Refused, Actor>
    readonly change: (
      id: KeyId,
      change: KeyChange
    ) => Effect.Effect<ApiKey, KeyNotFound | LimitBeyondPlan | Refused, Actor>
    readonly remove: (id: KeyId) => Effect.Effect<void, KeyNotFound | Refused, Actor>
    /** A new secret; the old one works for `graceSeconds` more. By the owner; for service accounts, by admins. */
    readonly rotate: (
      id: KeyId,
      rotation: { readonly graceSeconds: number; readonly attempt?: Attempt | undefined }
    ) => Effect.Effect<NewApiKey, KeyNotFound | IdempotencyMismatch | Refused, Actor>
  }
>()("@llm-saas/engine/accounts/Keys") {
  static readonly layer = Layer.effect(
    Keys,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const tenancy = yield* Tenancy
  const random = yield* SecureRandom
  const digest = yield* Digest
  const record = AuditLog.recorder(random)

  /** A new secret for a public id, and its hash. */
  const draw = Effect.fnUntraced(function* (publicId: string) {
    const { text } = makeKey(publicId, yield* random.randomBytes(SECRET_BYTES))
    const hash = yield* Effect.orDie(digest.digestHex(sha256, new TextEncoder().encode(text)))
    return { text, hash }
  })

  const create: Keys["Service"]["create"] = Effect.fn("Keys.create")(function* ({ attempt, owner, ...draft }) {
    const actor = yield* Actor
    yield* allow(actor, draft)
    const id = KeyId.make(yield* random.uuidV7())
    const publicId = makePublicId(yield* random.randomBytes(PUBLIC_BYTES))
    const { hash, text } = yield* draw(publicId)
    const allowance = changeOf(draft)
    const insert = Effect.gen(function* () {
      yield* Allowances.mayManage(actor.key)
      if (owner !== undefined && Option.isNone(yield* findService(owner))) return yield* new ServiceAccountNotFound({})
      const row = yield* KeyQueries.insertKey({
        id,
        owner: owner ?? null,
        public_id: publicId,
        hash,
        key: JSON.stringify(draft)
      })
      const given = yield* Allowances.change("key", id, allowance)
      yield* record("key.created", { kind: "key", id }, { user_id: row.user_id, scopes: draft.scopes, ...allowance })
      return KeyQueries.toKey(given === undefined ? row : { ...row, allowance: given })
    }).pipe(Effect.catchTag("NoSuchElementError", Effect.die))
    // The database knows the role: only an admin may enter as one.
    const as = owner !== undefined || draft.scopes.includes("admin") ? yield* asAdmin(actor) : actor
    const key = yield* tenancy
      .transaction(attempt === undefined ? insert : once(attempt, Kept, insert))
      .pipe(Effect.provideService(Actor, as))
    return withSecret(key, key.id === id ? text : null)
  })

  const list: Keys["Service"]["list"] = Effect.fn("Keys.list")(function* ({ cursor, limit, scope }) {
    const actor = yield* Actor
    const rows = yield* tenancy
      .read(KeyQueries.selectKeys({ of: scope, after: cursor ?? null, limit: limit + 1 }))
      .pipe(Effect.provideService(Actor, scope === "tenant" ? yield* asAdmin(actor) : actor))
    return page(rows.map(KeyQueries.toKey), limit)
  })

  const get: Keys["Service"]["get"] = Effect.fn("Keys.get")(function* (id) {
    const row = yield* tenancy.read(KeyQueries.findKey(id))
    return Option.isSome(row) ? KeyQueries.toKey(row.value) : yield* new KeyNotFound({})
  })

  const current = Effect.gen(function* () {
    const { key } = yield* Actor
    if (key === undefined) return yield* new KeyNotFound({ detail: "This request was not made with an API key." })
    const row = yield* tenancy.read(KeyQueries.keyWithUsage(key.id))
    if (Option.isNone(row)) return yield* new KeyNotFound({})
    const { left, this_month, today, ...found } = row.value
    return new CurrentKey({ ...KeyQueries.membersOf(found), usage: { today, this_month }, left })
  }).pipe(Effect.withSpan("Keys.current"))

  /** The key, locked, if the actor may manage it. */
  const manageable = Effect.fnUntraced(function* (id: KeyId) {
    const row = yield* KeyQueries.lockKey(id)
    if (Option.isNone(row)) return yield* new KeyNotFound({})
    const actor = yield* Actor
    yield* allow(actor, row.value)
    yield* Allowances.mayManage(actor.key)
    return row.value
  })

  const change: Keys["Service"]["change"] = Effect.fn("Keys.change")(function* (id, changes) {
    const actor = yield* Actor
    const as = changes.scopes?.includes("admin") === true ? yield* asAdmin(actor) : actor
    return yield* tenancy
      .transaction(
        Effect.gen(function* () {
          const row = yield* manageable(id)
          yield* allow(actor, { ...row, ...changes })
          // First: the change returns the row with what holds then.
          yield* Allowances.change("key", id, changes)
          const changed = yield* KeyQueries.updateKey({ id, change: JSON.stringify(changes) })
          if (Option.isNone(changed)) return yield* new KeyNotFound({})
          const { disabled, expires_at, models, scopes } = changes
          const members = Object.keys(changes)
          yield* record(
            "key.changed",
            { kind: "key", id },
            { members, scopes, models, expires_at, disabled, ...changeOf(changes) }
          )
          return KeyQueries.toKey(changed.value)
        })
      )
      .pipe(Effect.provideService(Actor, as))
  })

  const remove: Keys["Service"]["remove"] = Effect.fn("Keys.remove")((id) =>
    tenancy.transaction(
      Effect.gen(function* () {
        const row = yield* manageable(id)
        yield* KeyQueries.revokeKey(id)
        yield* record("key.deleted", { kind: "key", id }, { user_id: row.user_id })
      })
    )
  )

  const rotate: Keys["Service"]["rotate"] = Effect.fn("Keys.rotate")(function* (id, { attempt, graceSeconds }) {
    const { userId } = yield* Actor
    let secret: string | null = null
    const renew = Effect.gen(function* () {
      const row = yield* manageable(id)
      if (row.kind === "person" && row.user_id !== userId) return yield* new Forbidden({ detail: NOT_YOURS })
      const { hash, text } = yield* draw(row.public_id)
      const rotated = yield* KeyQueries.rotateKey({ id, hash, grace: graceSeconds })
      if (Option.isNone(rotated)) return yield* new KeyNotFound({})
      yield* record("key.rotated", { kind: "key", id }, { grace_seconds: graceSeconds })
      secret = text
      return KeyQueries.toKey(rotated.value)
    })
    const key = yield* tenancy.transaction(attempt === undefined ? renew : once(attempt, Kept, renew))
    return withSecret(key, secret)
  })
  return Keys.of({ create, list, get, current, change, remove, rotate })
})

const NOT_YOURS = "The new secret of a person's key is only for that person: disable or delete the key instead."

/** Refuses a key that may less than the key to be managed. */
const allow = (
  { key }: Actor["Service"],
  { expires_at, models, scopes }: Pick<KeyDraft, "expires_at" | "models" | "scopes">
) => {
  const lacks = lacking(key, { scopes, models, expiresAt: expires_at })
  return lacks === undefined ? Effect.void : Effect.fail(new InsufficientScope({ scopes: lacks, detail: NO_MORE }))
}

const NO_MORE = "With a key only keys are made and managed that may no more than itself, and live no longer."

const Kept = Schema.Struct({ ...ApiKey.fields, ...Allowances.keptAllowance })

const withSecret = (key: typeof Kept.Type, secret: string | null): NewApiKey => new NewApiKey({ ...key, key: secret })

const findService = SqlSchema.findOneOption({
  Request: UserId,
  Result: Schema.Struct({ id: UserId }),
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`select id from app.users where tenant_id = app.tenant_id() and id = ${id} and kind = 'service'`
    )
})

import { Tenancy } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import type { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { type Page, page } from "@llm-saas/domain/Page"
import { ProviderKey, ProviderKeyId, ProviderKeyNotFound, ProviderNotFound } from "@llm-saas/domain/ProviderKey"
import type { TenantId } from "@llm-saas/domain/Tenant"
import type { Forbidden, Unauthenticated, Unavailable } from "@llm-saas/domain/Refusal"
import { Clock, Context, Effect, Layer, Option, type Redacted } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as AuditLog from "../AuditLog.ts"
import { Llm } from "../generations/Llm.ts"
import { type Attempt, once } from "../Idempotency.ts"
import { sealer } from "./DataKeys.ts"
import { Encryption } from "./Encryption.ts"
import * as Queries from "./ProviderKeyQueries.ts"
import { RecentKeys } from "./RecentKeys.ts"

type Refused = Unauthenticated | Forbidden | Unavailable

/** A key to keep. */
export interface ProviderKeyDraft {
  readonly provider: string
  readonly name: string
  readonly models: ReadonlyArray<string> | null
  readonly key: Redacted.Redacted
}

/** What changes of a key; what is absent stays. */
export type ProviderKeyChange = Partial<Pick<ProviderKeyDraft, "models" | "name">> & { readonly disabled?: boolean }

/** Tenants' own keys at providers, which their admins bring. Nothing here gives a key away but `find`, for asking the provider. */
export class ProviderKeys extends Context.Service<
  ProviderKeys,
  {
    readonly create: (
      draft: ProviderKeyDraft & { readonly attempt?: Attempt | undefined }
    ) => Effect.Effect<ProviderKey, ProviderNotFound | IdempotencyMismatch | Refused, Actor>
    /** Newest first. */
    readonly list: (at: {
      readonly limit: number
      readonly cursor: string | undefined
    }) => Effect.Effect<Page<ProviderKey>, Refused, Actor>
    readonly change: (
      id: ProviderKeyId,
      change: ProviderKeyChange
    ) => Effect.Effect<ProviderKey, ProviderKeyNotFound | Refused, Actor>
    readonly remove: (id: ProviderKeyId) => Effect.Effect<void, ProviderKeyNotFound | Refused, Actor>
    /**
     * The key for a question of the actor's tenant to a provider, for a model as clients name it: the newest one that names the model,
     * else the newest for all models. Undefined: there is none. `unusable`: it cannot be decrypted.
     */
    readonly find: (
      provider: string,
      model: string
    ) => Effect.Effect<Redacted.Redacted | "unusable" | undefined, Refused, Actor>
  }
>()("@llm-saas/engine/providerKeys/ProviderKeys") {
  static readonly layer = Layer.effect(
    ProviderKeys,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const tenancy = yield* Tenancy
  const encryption = yield* Encryption
  const llm = yield* Llm
  const random = yield* SecureRandom
  const recent = new RecentKeys(yield* Clock.Clock)
  const record = AuditLog.recorder(random)

  const seal = sealer(encryption)

  const toKey = ({ sealed, version, wrapped, wrapped_by, ...row }: Queries.ProviderKeyRow) =>
    Effect.map(
      encryption.open(
        sealed,
        { version, wrapped, wrapped_by },
        { tenant: row.tenant_id, kind: "provider key", id: row.id }
      ),
      (secret) => {
        const status = secret === undefined ? "unreadable" : row.disabled_at === null ? "active" : "disabled"
        return new ProviderKey({ ...row, status })
      }
    )

  const get = Effect.fnUntraced(function* (id: ProviderKeyId) {
    const row = yield* Queries.find(id)
    return Option.isSome(row) ? yield* toKey(row.value) : yield* new ProviderKeyNotFound({})
  })

  const create: ProviderKeys["Service"]["create"] = Effect.fn("ProviderKeys.create")(function* ({ attempt, ...draft }) {
    const { key, models, name, provider } = draft
    if (!llm.takesKeys(provider)) return yield* new ProviderNotFound({})
    const { tenantId } = yield* Actor
    const id = ProviderKeyId.make(yield* random.uuidV7())
    const insert = Effect.gen(function* () {
      yield* Queries.insert({
        id,
        provider,
        name,
        models: JSON.stringify(models),
        ...(yield* seal(key, { tenant: tenantId, kind: "provider key", id }))
      })
      yield* record("provider_key.created", { kind: "provider_key", id }, { provider, models })
      return yield* get(id)
    }).pipe(Effect.catchTags({ NoSuchElementError: Effect.die, ProviderKeyNotFound: Effect.die }))
    const made = yield* tenancy.transaction(attempt === undefined ? insert : once(attempt, ProviderKey, insert))
    recent.forget(tenantId, provider)
    return made
  })

  const list: ProviderKeys["Service"]["list"] = Effect.fn("ProviderKeys.list")(function* ({ cursor, limit }) {
    const rows = yield* tenancy.read(Queries.selectPage({ after: cursor ?? null, limit: limit + 1 }))
    return page(yield* Effect.forEach(rows, toKey), limit)
  })

  const change: ProviderKeys["Service"]["change"] = Effect.fn("ProviderKeys.change")(function* (id, changes) {
    const { tenantId } = yield* Actor
    const changed = yield* tenancy.transaction(
      Effect.gen(function* () {
        const updated = yield* Queries.update({ id, change: JSON.stringify(changes) })
        if (Option.isNone(updated)) return yield* new ProviderKeyNotFound({})
        const { disabled, models } = changes
        yield* record(
          "provider_key.changed",
          { kind: "provider_key", id },
          { members: Object.keys(changes), models, disabled }
        )
        return yield* get(id)
      })
    )
    recent.forget(tenantId, changed.provider)
    return changed
  })

  const remove: ProviderKeys["Service"]["remove"] = Effect.fn("ProviderKeys.remove")(function* (id) {
    const { tenantId } = yield* Actor
    const { provider } = yield* tenancy.transaction(
      Effect.gen(function* () {
        const removed = yield* Queries.remove(id)
        if (Option.isNone(removed)) return yield* new ProviderKeyNotFound({})
        yield* record("provider_key.deleted", { kind: "provider_key", id }, removed.value)
        return removed.value
      })
    )
    recent.forget(tenantId, provider)
  })

  const read = (tenantId: TenantId, provider: string) =>
    tenancy.read(Queries.selectUsable(provider)).pipe(
      Effect.tap((keys) => Effect.sync(() => recent.set(tenantId, provider, keys))),
      Effect.catchTag("Unavailable", (failed) => {
        const keys = recent.stale(tenantId, provider)
        return keys === undefined ? Effect.fail(failed) : Effect.succeed(keys)
      })
    )

  const find: ProviderKeys["Service"]["find"] = Effect.fnUntraced(function* (provider, model) {
    const { tenantId } = yield* Actor
    const keys = recent.fresh(tenantId, provider) ?? (yield* read(tenantId, provider))
    const chosen = choose(keys, model)
    if (chosen === undefined) return undefined
    return (
      (yield* encryption.open(chosen.sealed, chosen, { tenant: tenantId, kind: "provider key", id: chosen.id }))
      ?? "unusable"
    )
  })

  return ProviderKeys.of({ create, list, change, remove, find })
})

/** Keys are newest first. */
const choose = (keys: ReadonlyArray<Queries.UsableKey>, model: string): Queries.UsableKey | undefined =>
  keys.find(({ models }) => models?.includes(model) === true) ?? keys.find(({ models }) => models === null)

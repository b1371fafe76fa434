import { TenantId } from "@llm-saas/domain/Tenant"
import { Effect, type Redacted, Schema } from "effect"
import { connect, rows, transaction } from "./connections/Script.ts"
import { Roles } from "./logins/Roles.ts"

/** A tenant's data key as it is stored. Bytes are in hex. */
const DataKey = Schema.Struct({
  tenant_id: TenantId,
  version: Schema.Int,
  wrapped: Schema.String,
  wrapped_by: Schema.String
})
export type DataKey = typeof DataKey.Type

/** What became of data keys. */
export interface Rotation {
  /** Encrypted anew with the current key. */
  readonly rotated: number
  /** They were already. */
  readonly current: number
  /** They cannot be decrypted, and stay as they are. */
  readonly unreadable: number
}

/** Keys of one transaction: an interruption undoes as many at most. */
const BATCH = 100

const decodeKeys = Schema.decodeUnknownEffect(Schema.Array(DataKey))
const decodeCount = Schema.decodeUnknownEffect(Schema.Struct({ count: Schema.Int }))

/**
 * Encrypts all data keys with the installation's current key, a batch at a time, by an administrator, who acts as the role of `work`. Run
 * again, it goes on where it was interrupted. `rewrap`: a key encrypted anew; undefined where it cannot be decrypted. `progress` is told
 * the number of keys after each batch that is committed.
 */
export const rotateDataKeys = Effect.fn("DataKeys.rotate")(function* (
  adminUrl: Redacted.Redacted,
  currentKey: string,
  rewrap: (key: DataKey) => Pick<DataKey, "wrapped" | "wrapped_by"> | undefined,
  progress: (done: number) => Effect.Effect<void>
) {
  const connection = yield* connect(adminUrl)
  const { work } = yield* Roles
  const asWork = rows(connection, `set local role ${work}`)

  const batch = Effect.fnUntraced(function* (after: Pick<DataKey, "tenant_id" | "version">) {
    yield* asWork
    const found = yield* Effect.orDie(
      Effect.flatMap(
        rows(
          connection,
          `select tenant_id, version, encode(wrapped, 'hex') as wrapped, wrapped_by from app.tenant_keys
           where (tenant_id, version) > ($1::uuid, $2::int4) and wrapped_by <> $3::text
           order by tenant_id, version limit ${BATCH} for no key update`,
          [after.tenant_id, after.version, currentKey]
        ),
        decodeKeys
      )
    )
    let unreadable = 0
    for (const key of found) {
      const { tenant_id, version } = key
      const wrapped = rewrap(key)
      if (wrapped === undefined) unreadable++
      else
        yield* rows(
          connection,
          `update app.tenant_keys set wrapped = decode($3::text, 'hex'), wrapped_by = $4::text, wrapped_at = now()
           where tenant_id = $1::uuid and version = $2::int4`,
          [tenant_id, version, wrapped.wrapped, wrapped.wrapped_by]
        )
    }
    return { last: found.at(-1), rotated: found.length - unreadable, unreadable }
  })

  const [count] = yield* transaction(
    connection,
    Effect.andThen(
      asWork,
      rows(connection, "select count(*)::int4 as count from app.tenant_keys where wrapped_by = $1::text", [currentKey])
    )
  )
  const { count: current } = yield* Effect.orDie(decodeCount(count))
  let [rotated, unreadable] = [0, 0]
  let after: Pick<DataKey, "tenant_id" | "version"> = { tenant_id: FIRST, version: 0 }
  for (;;) {
    const done = yield* transaction(connection, batch(after))
    if (done.last === undefined) break
    after = done.last
    rotated += done.rotated
    unreadable += done.unreadable
    yield* progress(rotated + unreadable)
  }
  const rotation: Rotation = { rotated, current, unreadable }
  return rotation
}, Effect.scoped)

/** Before every tenant's id. */
const FIRST = TenantId.make("00000000-0000-0000-0000-000000000000")

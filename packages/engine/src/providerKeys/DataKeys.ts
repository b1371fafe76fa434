import { TenantSql } from "@llm-saas/database/Tenancy"
import { Effect, Option, type Redacted, Schema } from "effect"
import { SqlSchema } from "effect/sql"
import type { Encryption, Place } from "./Encryption.ts"

// Data keys of tenants as rows of the room: what secrets are encrypted with, and encrypted themselves. Bytes are in hex.

/** A data key as it is read together with what it encrypts. */
export const Wrapped = Schema.Struct({ version: Schema.Int, wrapped: Schema.String, wrapped_by: Schema.String })

/** Its columns, of a row of `app.tenant_keys` that is called `w`. */
export const COLUMNS = "w.version, encode(w.wrapped, 'hex') as wrapped, w.wrapped_by"

/** Encrypts a secret under the tenant's newest data key: a new one, where there is none, or none that can be read. */
export const sealer = (encryption: Encryption["Service"]) =>
  Effect.fnUntraced(function* (secret: Redacted.Redacted, place: Place) {
    const newest = Option.getOrUndefined(yield* newestKey())
    const sealed = newest === undefined ? undefined : yield* encryption.seal(secret, newest, place)
    if (newest !== undefined && sealed !== undefined) return { version: newest.version, sealed }
    const version = (newest?.version ?? 0) + 1
    yield* insertKey(yield* encryption.makeKey(place.tenant, version))
    // Or that of another transaction that made it meanwhile.
    const made = yield* Effect.flatMap(newestKey(), Effect.fromOption)
    const again = yield* encryption.seal(secret, made, place)
    return again === undefined
      ? yield* Effect.die("a new data key cannot be read")
      : { version: made.version, sealed: again }
  })

/** The tenant's newest data key. */
const newestKey = SqlSchema.findOneOption({
  Request: Schema.Void,
  Result: Wrapped,
  execute: () =>
    TenantSql.use(
      (sql) => sql`select ${sql.literal(COLUMNS)} from app.tenant_keys w
        where w.tenant_id = app.tenant_id() order by w.version desc limit 1`
    )
})

/** Stores the tenant's first data key, unless another transaction was faster; then that one is read. */
const insertKey = SqlSchema.void({
  Request: Wrapped,
  execute: ({ version, wrapped, wrapped_by }) =>
    TenantSql.use(
      (sql) => sql`insert into app.tenant_keys (tenant_id, version, wrapped, wrapped_by)
        values (app.tenant_id(), ${version}::int4, decode(${wrapped}::text, 'hex'), ${wrapped_by}) on conflict do nothing`
    )
})

import { TenantSql } from "@llm-saas/database/Tenancy"
import { ProviderKeyId } from "@llm-saas/domain/ProviderKey"
import { TenantId } from "@llm-saas/domain/Tenant"
import { Schema } from "effect"
import { SqlSchema } from "effect/sql"
import { pageOnIndex } from "../Pages.ts"
import { COLUMNS as KEY, Wrapped } from "./DataKeys.ts"

// Keys at providers as rows of the room, encrypted. Bytes are read and written in hex.

const At = Schema.DateTimeUtcFromDate

const Row = Schema.Struct({
  id: ProviderKeyId,
  tenant_id: TenantId,
  provider: Schema.String,
  name: Schema.String,
  models: Schema.NullOr(Schema.Array(Schema.String)),
  sealed: Schema.String,
  created_at: At,
  disabled_at: Schema.NullOr(At),
  ...Wrapped.fields
})
export type ProviderKeyRow = typeof Row.Type

const COLUMNS = `k.id, k.tenant_id, k.provider, k.name, k.models, encode(k.sealed, 'hex') as sealed, k.created_at, k.disabled_at, ${KEY}`

/** Looked up by its key for each row, see `Pages.ts`. */
const DATA_KEY = `cross join lateral (
    select w.version, w.wrapped, w.wrapped_by from app.tenant_keys w
    where w.tenant_id = app.tenant_id() and w.version = k.key_version limit 1
  ) w`

/** Newest first, after the id `after`. */
export const selectPage = SqlSchema.findAll({
  Request: Schema.Struct({ after: Schema.NullOr(Schema.String), limit: Schema.Int }),
  Result: Row,
  execute: ({ after, limit }) =>
    TenantSql.use(
      (sql) => sql`select ${sql.literal(COLUMNS)}
        from (${pageOnIndex(sql, "provider_keys", undefined, after, limit)}) k ${sql.literal(DATA_KEY)} order by k.id desc`
    )
})

/** Most keys of one provider that are considered for a question. */
const CONSIDERED = 100

const Usable = Schema.Struct({
  id: ProviderKeyId,
  models: Schema.NullOr(Schema.Array(Schema.String)),
  sealed: Schema.String,
  ...Wrapped.fields
})
export type UsableKey = typeof Usable.Type

/** Those of a provider that are not disabled, newest first. */
export const selectUsable = SqlSchema.findAll({
  Request: Schema.String,
  Result: Usable,
  execute: (provider) =>
    TenantSql.use(
      (sql) => sql`select k.id, k.models, encode(k.sealed, 'hex') as sealed, ${sql.literal(KEY)}
        from (
          select k.provider, k.id, k.models, k.sealed, k.key_version from app.provider_keys k
          where k.tenant_id = app.tenant_id() and k.provider <= ${provider} and k.provider >= ${provider} and k.disabled_at is null
          order by k.provider desc, k.id desc limit (select ${CONSIDERED}::int8)
        ) k ${sql.literal(DATA_KEY)} order by k.provider desc, k.id desc`
    )
})

/** Models as an array that may be null, from JSON. */
const MODELS = (json: string) =>
  `case jsonb_typeof(${json}) when 'array' then array(select jsonb_array_elements_text(${json})) end`

export const insert = SqlSchema.void({
  Request: Schema.Struct({
    id: ProviderKeyId,
    provider: Schema.String,
    name: Schema.String,
    models: Schema.String,
    version: Schema.Int,
    sealed: Schema.String
  }),
  execute: ({ id, models, name, provider, sealed, version }) =>
    TenantSql.use(
      (sql) => sql`with given as (select ${models}::text::jsonb as models)
        insert into app.provider_keys (tenant_id, id, provider, name, models, key_version, sealed)
        select app.tenant_id(), ${id}, ${provider}, ${name}, ${sql.literal(MODELS("models"))}, ${version}::int4,
          decode(${sealed}::text, 'hex')
        from given`
    )
})

/** `change`: the members that change, as JSON. */
export const update = SqlSchema.findOneOption({
  Request: Schema.Struct({ id: ProviderKeyId, change: Schema.String }),
  Result: Schema.Struct({ id: ProviderKeyId }),
  execute: ({ change, id }) =>
    TenantSql.use(
      (sql) => sql`with given as (select ${change}::text::jsonb as c)
        update app.provider_keys k set
          name = coalesce(c ->> 'name', k.name),
          models = case when c ? 'models' then ${sql.literal(MODELS("c -> 'models'"))} else k.models end,
          disabled_at = case when not c ? 'disabled' then k.disabled_at
            when (c ->> 'disabled')::boolean then coalesce(k.disabled_at, now()) end
        from given where k.tenant_id = app.tenant_id() and k.id = ${id} returning k.id`
    )
})

export const find = SqlSchema.findOneOption({
  Request: ProviderKeyId,
  Result: Row,
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`select ${sql.literal(COLUMNS)} from app.provider_keys k ${sql.literal(DATA_KEY)}
        where k.tenant_id = app.tenant_id() and k.id = ${id}`
    )
})

export const remove = SqlSchema.findOneOption({
  Request: ProviderKeyId,
  Result: Schema.Struct({ provider: Schema.String }),
  execute: (id) =>
    TenantSql.use(
      (sql) =>
        sql`delete from app.provider_keys k where k.tenant_id = app.tenant_id() and k.id = ${id} returning k.provider`
    )
})

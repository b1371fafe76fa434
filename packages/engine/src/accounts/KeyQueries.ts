import { TenantSql } from "@llm-saas/database/Tenancy"
import { ApiKey, CurrentKey, KeyId } from "@llm-saas/domain/ApiKey"
import { Scope } from "@llm-saas/domain/Scope"
import { TenantId } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { SqlSchema } from "effect/sql"
import { pageOnIndex } from "../Pages.ts"
import * as Allowances from "./Allowances.ts"

// API keys as rows of the room. Their hashes are written here and never read.

const At = Schema.DateTimeUtcFromDate

/** A key as the room reads it. */
const KeyRow = Schema.Struct({
  id: KeyId,
  tenant_id: TenantId,
  user_id: UserId,
  kind: Schema.Literals(["person", "service"]),
  public_id: Schema.String,
  name: Schema.String,
  scopes: Schema.Array(Scope),
  models: Schema.NullOr(Schema.Array(Schema.String)),
  metadata: Schema.Record(Schema.String, Schema.String),
  status: Schema.Literals(["active", "disabled", "expired"]),
  created_at: At,
  expires_at: Schema.NullOr(At),
  disabled_at: Schema.NullOr(At),
  rotated_at: Schema.NullOr(At),
  previous_until: Schema.NullOr(At),
  last_used_at: Schema.NullOr(At),
  ...Allowances.allowanceColumn
})
export type KeyRow = typeof KeyRow.Type

/** The members of a key as clients see them. */
export const membersOf = ({ allowance, kind, public_id, user_id, ...row }: KeyRow) => ({
  ...row,
  ...Allowances.membersOf(allowance),
  owner: { kind: kind === "service" ? ("service_account" as const) : ("user" as const), id: user_id },
  begins_with: `sk-${public_id}`
})

export const toKey = (row: KeyRow): ApiKey => new ApiKey(membersOf(row))

const STORED = `k.id, k.tenant_id, k.user_id, k.public_id, k.name, k.scopes, k.models, k.metadata, k.created_at, k.expires_at, k.disabled_at,
  k.rotated_at, k.previous_until, k.last_used_at`

const COLUMNS = `k.id, k.tenant_id, k.user_id, u.kind, k.public_id, k.name, k.scopes, k.models, k.metadata,
  case when k.disabled_at is not null then 'disabled' when k.expires_at <= now() then 'expired' else 'active' end as status,
  k.created_at, k.expires_at, k.disabled_at, k.rotated_at, case when k.previous_until > now() then k.previous_until end as previous_until,
  k.last_used_at, l.allowance`

/** Its owner and its own limits, looked up by their keys for each row: without the limit PostgreSQL makes a join of it, and may read all users for each key. */
const OWNER = `cross join lateral (
    select u.kind from app.users u where u.tenant_id = app.tenant_id() and u.id = k.user_id limit 1
  ) u ${Allowances.allowanceOf("key", "k.id")}`

/** One key, if the actor may see it. */
export const findKey = SqlSchema.findOneOption({
  Request: KeyId,
  Result: KeyRow,
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`select ${sql.literal(COLUMNS)} from app.api_keys k ${sql.literal(OWNER)}
        where k.tenant_id = app.tenant_id() and k.id = ${id} and k.revoked_at is null`
    )
})

/** The same, locked: of two changes at once, the second sees the first. */
export const lockKey = SqlSchema.findOneOption({
  Request: KeyId,
  Result: KeyRow,
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`with k as (
          select ${sql.literal(STORED)} from app.api_keys k
          where k.tenant_id = app.tenant_id() and k.id = ${id} and k.revoked_at is null for no key update
        )
        select ${sql.literal(COLUMNS)} from k ${sql.literal(OWNER)}`
    )
})

/** Newest first, after the id `after`: the actor's own, or all that row-level security lets the actor see. */
export const selectKeys = SqlSchema.findAll({
  Request: Schema.Struct({
    of: Schema.Literals(["own", "tenant"]),
    after: Schema.NullOr(Schema.String),
    limit: Schema.Int
  }),
  Result: KeyRow,
  execute: ({ after, limit, of }) =>
    TenantSql.use((sql) => {
      const owned = of === "own" ? { column: "user_id" as const, value: sql`app.user_id()` } : undefined
      return sql`select ${sql.literal(COLUMNS)}
        from (${pageOnIndex(sql, "api_keys", owned, after, limit)}) k ${sql.literal(OWNER)} order by k.id desc`
    })
})

/** Texts of a JSON list as an array; the driver has no way to send an array that may be null. */
const TEXTS = (list: string) => `array(select jsonb_array_elements_text(${list}))`

/** A new key. `owner` null: the actor's. `key`: the rest, as JSON. */
export const insertKey = SqlSchema.findOne({
  Request: Schema.Struct({
    id: KeyId,
    owner: Schema.NullOr(UserId),
    public_id: Schema.String,
    hash: Schema.String,
    key: Schema.String
  }),
  Result: KeyRow,
  execute: ({ hash, id, key, owner, public_id }) =>
    TenantSql.use(
      (sql) => sql`with given as (select ${key}::text::jsonb as key), k as (
          insert into app.api_keys as k (tenant_id, id, user_id, public_id, secret_hash, name, scopes, models, metadata, expires_at)
          select app.tenant_id(), ${id}, coalesce(${owner}::uuid, app.user_id()), ${public_id}, decode(${hash}::text, 'hex'),
            key ->> 'name', ${sql.literal(TEXTS("key -> 'scopes'"))},
            case jsonb_typeof(key -> 'models') when 'array' then ${sql.literal(TEXTS("key -> 'models'"))} end,
            key -> 'metadata', (key ->> 'expires_at')::timestamptz
          from given
          returning ${sql.literal(STORED)}
        )
        select ${sql.literal(COLUMNS)} from k ${sql.literal(OWNER)}`
    )
})

/** A changed key. `change`: the members that change, as JSON. */
export const updateKey = SqlSchema.findOneOption({
  Request: Schema.Struct({ id: KeyId, change: Schema.String }),
  Result: KeyRow,
  execute: ({ change, id }) =>
    TenantSql.use(
      (sql) => sql`with given as (select ${change}::text::jsonb as c), k as (
          update app.api_keys k set
            name = coalesce(c ->> 'name', k.name),
            scopes = case when c ? 'scopes' then ${sql.literal(TEXTS("c -> 'scopes'"))} else k.scopes end,
            models = case when not c ? 'models' then k.models when jsonb_typeof(c -> 'models') = 'array'
              then ${sql.literal(TEXTS("c -> 'models'"))} end,
            metadata = coalesce(c -> 'metadata', k.metadata),
            expires_at = case when c ? 'expires_at' then (c ->> 'expires_at')::timestamptz else k.expires_at end,
            disabled_at = case when not c ? 'disabled' then k.disabled_at
              when (c ->> 'disabled')::boolean then coalesce(k.disabled_at, now()) end
          from given
          where k.tenant_id = app.tenant_id() and k.id = ${id} and k.revoked_at is null
          returning ${sql.literal(STORED)}
        )
        select ${sql.literal(COLUMNS)} from k ${sql.literal(OWNER)}`
    )
})

/** A key with a new secret. The trigger keeps the one before, which works for `grace` seconds more. */
export const rotateKey = SqlSchema.findOneOption({
  Request: Schema.Struct({ id: KeyId, hash: Schema.String, grace: Schema.Int }),
  Result: KeyRow,
  execute: ({ grace, hash, id }) =>
    TenantSql.use(
      (sql) => sql`with k as (
          update app.api_keys k set secret_hash = decode(${hash}::text, 'hex'), rotated_at = now(),
            previous_until = now() + make_interval(secs => ${grace})
          where k.tenant_id = app.tenant_id() and k.id = ${id} and k.revoked_at is null
          returning ${sql.literal(STORED)}
        )
        select ${sql.literal(COLUMNS)} from k ${sql.literal(OWNER)}`
    )
})

/** Ends a key for good. What its owner wrote about it goes at once. */
export const revokeKey = SqlSchema.findOneOption({
  Request: KeyId,
  Result: Schema.Struct({ id: KeyId }),
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`update app.api_keys k set revoked_at = now(), metadata = '{}'
        where k.tenant_id = app.tenant_id() and k.id = ${id} and k.revoked_at is null returning k.id`
    )
})

const Count = Schema.Struct({
  requests: Schema.Int,
  tokens_in: Schema.Int,
  tokens_out: Schema.Int,
  cost_usd: Schema.NullOr(Schema.Finite)
})

/** Since the beginning of the UTC day or month. Tokens that the provider did not count are estimates. */
const SPENT = (since: string) => `json_build_object(
  'requests', count(*) filter (where g.created_at >= ${since}),
  'tokens_in', coalesce(sum(coalesce(g.tokens_in, g.approx_tokens_in)) filter (where g.created_at >= ${since}), 0),
  'tokens_out', coalesce(sum(coalesce(g.tokens_out, g.approx_tokens_out)) filter (where g.created_at >= ${since}), 0),
  'cost_usd', case when count(*) filter (where g.created_at >= ${since}) = 0 then 0
    else sum(g.cost_usd) filter (where g.created_at >= ${since}) end)`

/** A key, and what was asked with it. Ordered as only one index is, see `Pages.ts`: it is read from now to the beginning of the month. */
export const keyWithUsage = SqlSchema.findOneOption({
  Request: KeyId,
  Result: Schema.Struct({ ...KeyRow.fields, today: Count, this_month: Count, left: CurrentKey.fields.left }),
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`select ${sql.literal(COLUMNS)}, spent.today, spent.this_month,
          (select to_jsonb(s) from work.standing(app.tenant_id(), k.id) s where s.scope = 'key') as left
        from app.api_keys k ${sql.literal(OWNER)} cross join lateral (
          select ${sql.literal(SPENT("date_trunc('day', now(), 'UTC')"))} as today,
            ${sql.literal(SPENT("date_trunc('month', now(), 'UTC')"))} as this_month
          from (
            select g.created_at, g.tokens_in, g.tokens_out, g.approx_tokens_in, g.approx_tokens_out, g.cost_usd from app.generations g
            where g.tenant_id = app.tenant_id() and g.key_id = ${id} and g.created_at >= date_trunc('month', now(), 'UTC')
            order by g.created_at desc limit (select 1000000000::int8)
          ) g
        ) spent
        where k.tenant_id = app.tenant_id() and k.id = ${id} and k.revoked_at is null`
    )
})

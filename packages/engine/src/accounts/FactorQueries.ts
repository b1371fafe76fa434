import { TenantSql } from "@llm-saas/database/Tenancy"
import { FactorId, FactorKind } from "@llm-saas/domain/Factor"
import { LoginPolicy } from "@llm-saas/domain/LoginPolicy"
import { MOST_FAILURES } from "@llm-saas/domain/Totp"
import { Email, Role, UserId } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { SqlSchema } from "effect/sql"
import { COLUMNS as KEY, Wrapped } from "../providerKeys/DataKeys.ts"

// The second factors of the actor's own account as rows of the room. Bytes are in hex.

const At = Schema.DateTimeUtcFromDate

const Row = Schema.Struct({
  id: FactorId,
  kind: FactorKind,
  name: Schema.String,
  created_at: At,
  last_used_at: Schema.NullOr(At),
  backed_up: Schema.NullOr(Schema.Boolean)
})
export type FactorRow = typeof Row.Type

const COLUMNS = "f.id, f.kind, f.name, f.created_at, f.last_used_at, f.backed_up"
const OWN = "f.tenant_id = app.tenant_id() and f.user_id = app.user_id()"
const COUNTS = "f.confirmed_at is not null"

/** Those of a user that count, oldest first. */
export const list = SqlSchema.findAll({
  Request: UserId,
  Result: Row,
  execute: (user) =>
    TenantSql.use(
      (sql) => sql`select ${sql.literal(COLUMNS)} from app.factors f
        where f.tenant_id = app.tenant_id() and f.user_id = ${user} and ${sql.literal(COUNTS)} order by f.id`
    )
})

/** What the tenant asks of the actor's logins, and what the account has. */
export const standing = SqlSchema.findOne({
  Request: Schema.Void,
  Result: Schema.Struct({
    role: Role,
    email: Email,
    tenant: Schema.String,
    has_password: Schema.Boolean,
    kinds: Schema.Array(FactorKind),
    recovery_codes: Schema.Int,
    ...LoginPolicy.fields
  }),
  execute: () =>
    TenantSql.use(
      (
        sql
      ) => sql`select u.role, u.email, t.name as tenant, t.second_factor, t.second_factor_after_sso, t.tenant_switch, t.link_by_email,
          auth.has_password() as has_password,
          array(select distinct f.kind from app.factors f where ${sql.literal(OWN)} and ${sql.literal(COUNTS)}) as kinds,
          (
            select count(*)::int4 from app.recovery_codes r
            where r.tenant_id = u.tenant_id and r.user_id = u.id and r.used_at is null
          ) as recovery_codes
        from app.users u join app.tenants t on t.id = u.tenant_id
        where u.tenant_id = app.tenant_id() and u.id <= app.user_id() and u.id >= app.user_id()`
    )
})

/** Where a user of the tenant gets mail; for admins. */
export const addressOf = SqlSchema.findOne({
  Request: UserId,
  Result: Schema.Struct({ email: Email }),
  execute: (user) =>
    TenantSql.use(
      (sql) => sql`select u.email from app.users u
        where u.tenant_id = app.tenant_id() and u.id <= ${user}::uuid and u.id >= ${user}::uuid`
    )
})

/** Holds the account: changes of its factors follow one another. */
export const hold = SqlSchema.void({
  Request: Schema.Void,
  execute: () =>
    TenantSql.use(
      (sql) =>
        sql`select from app.users u where u.tenant_id = app.tenant_id() and u.id = app.user_id() for no key update`
    )
})

/** Puts one-time codes in the place of those that were being set up. */
export const beginTotp = SqlSchema.void({
  Request: Schema.Struct({ id: FactorId, name: Schema.String, version: Schema.Int, sealed: Schema.String }),
  execute: ({ id, name, sealed, version }) =>
    TenantSql.use(
      (sql) => sql`with former as (
          delete from app.factors f where ${sql.literal(OWN)} and f.kind = 'totp' and f.confirmed_at is null
        ), made as (
          insert into app.factors (tenant_id, id, user_id, kind, name)
          values (app.tenant_id(), ${id}, app.user_id(), 'totp', ${name}) returning tenant_id, id, user_id
        )
        insert into app.totp_secrets (tenant_id, factor_id, user_id, key_version, sealed)
        select tenant_id, id, user_id, ${version}::int4, decode(${sealed}::text, 'hex') from made`
    )
})

const Totp = Schema.Struct({
  id: FactorId,
  sealed: Schema.String,
  ...Wrapped.fields,
  last_step: Schema.Int,
  locked: Schema.Boolean,
  /** Seconds since 1970, by the clock that all processes share. */
  now: Schema.Finite,
  /** Seconds until all tries are there again. */
  filled: Schema.Finite
})
export type TotpRow = typeof Totp.Type

/** Minutes in which one-time codes are set up. */
const SETTING_UP = 15

/** The one-time codes that count, or those being set up; held until the transaction's end. */
export const lockTotp = SqlSchema.findOneOption({
  Request: Schema.Literals(["counts", "begun"]),
  Result: Totp,
  execute: (which) =>
    TenantSql.use(
      (
        sql
      ) => sql`select f.id, encode(s.sealed, 'hex') as sealed, ${sql.literal(KEY)}, s.last_step::float8 as last_step,
          s.failures >= ${MOST_FAILURES}::int4 as locked, extract(epoch from clock_timestamp())::float8 as now,
          extract(epoch from greatest(s.whole_at, clock_timestamp()) - clock_timestamp())::float8 as filled
        from app.factors f
        join app.totp_secrets s on s.tenant_id = f.tenant_id and s.factor_id = f.id
        join app.tenant_keys w on w.tenant_id = s.tenant_id and w.version = s.key_version
        where ${sql.literal(OWN)} and f.kind = 'totp' and (
          ${which}::text = 'counts' and ${sql.literal(COUNTS)}
          or ${which}::text = 'begun' and f.confirmed_at is null and f.created_at > now() - make_interval(mins => ${SETTING_UP}::int4)
        )
        for update of s`
    )
})

/** A code was wrong. `filled`: see {@link lockTotp}. Returns whether no code is taken from now on. */
export const totpFailed = SqlSchema.findOne({
  Request: Schema.Struct({ id: FactorId, filled: Schema.Finite }),
  Result: Schema.Struct({ locks: Schema.Boolean }),
  execute: ({ filled, id }) =>
    TenantSql.use(
      (sql) => sql`update app.totp_secrets s
        set failures = s.failures + 1, whole_at = clock_timestamp() + make_interval(secs => ${filled}::float8)
        where s.tenant_id = app.tenant_id() and s.factor_id = ${id} returning s.failures = ${MOST_FAILURES}::int4 as locks`
    )
})

/** The code of this step was taken. */
export const totpTaken = SqlSchema.void({
  Request: Schema.Struct({ id: FactorId, step: Schema.Int }),
  execute: ({ id, step }) =>
    TenantSql.use(
      (sql) => sql`with taken as (
          update app.totp_secrets s set failures = 0, last_step = ${step}::int8
          where s.tenant_id = app.tenant_id() and s.factor_id = ${id}
        )
        update app.factors f set last_used_at = now() where f.tenant_id = app.tenant_id() and f.id = ${id}`
    )
})

/** Another factor proved who it is: codes are taken again. */
export const unlockTotp = SqlSchema.void({
  Request: Schema.Void,
  execute: () =>
    TenantSql.use(
      (sql) => sql`update app.totp_secrets s set failures = 0
        where s.tenant_id = app.tenant_id() and s.user_id = app.user_id() and s.failures > 0`
    )
})

/** From now on these one-time codes count, and no others. */
export const confirmTotp = SqlSchema.findOne({
  Request: FactorId,
  Result: Row,
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`with former as (
          delete from app.factors f where ${sql.literal(OWN)} and f.kind = 'totp' and f.id <> ${id}
        )
        update app.factors f set confirmed_at = now() where ${sql.literal(OWN)} and f.id = ${id}
        returning ${sql.literal(COLUMNS)}`
    )
})

/** Removes a factor of a user. */
export const remove = SqlSchema.findOneOption({
  Request: Schema.Struct({ id: FactorId, user: UserId }),
  Result: Schema.Struct({ kind: FactorKind }),
  execute: ({ id, user }) =>
    TenantSql.use(
      (sql) => sql`delete from app.factors f
        where f.tenant_id = app.tenant_id() and f.user_id = ${user} and f.id = ${id} and ${sql.literal(COUNTS)} returning f.kind`
    )
})

/** Replaces the recovery codes. Hashes are separated by a comma; none: there are no codes any more. */
export const setRecoveryCodes = SqlSchema.void({
  Request: Schema.String,
  execute: (hashes) =>
    TenantSql.use(
      (sql) => sql`with former as (
          delete from app.recovery_codes r where r.tenant_id = app.tenant_id() and r.user_id = app.user_id()
        )
        insert into app.recovery_codes (tenant_id, user_id, code_hash)
        select app.tenant_id(), app.user_id(), decode(h, 'hex') from unnest(string_to_array(nullif(${hashes}::text, ''), ',')) h`
    )
})

/** Takes a recovery code, once. */
export const useRecoveryCode = SqlSchema.findOneOption({
  Request: Schema.String,
  Result: Schema.Struct({ used_at: At }),
  execute: (hash) =>
    TenantSql.use(
      (sql) => sql`update app.recovery_codes r set used_at = now()
        where r.tenant_id = app.tenant_id() and r.user_id = app.user_id() and r.code_hash = decode(${hash}::text, 'hex')
          and r.used_at is null returning r.used_at`
    )
})

const Passkey = Schema.Struct({
  id: FactorId,
  credential: Schema.String,
  publicKey: Schema.String,
  signCount: Schema.Int,
  transports: Schema.Array(Schema.String)
})
export type PasskeyRow = typeof Passkey.Type

/** Bytes in base64url (RFC 4648 §5), and back. */
const TO_URL = (column: string) => `translate(encode(${column}, 'base64'), E'+/=\\n', '-_')`
const FROM_URL = (text: string) =>
  `decode(translate(${text}, '-_', '+/') || repeat('=', (4 - length(${text}) % 4) % 4), 'base64')`

/** The account's passkeys, oldest first. */
export const passkeys = SqlSchema.findAll({
  Request: Schema.Void,
  Result: Passkey,
  execute: () =>
    TenantSql.use(
      (sql) => sql`select f.id, ${sql.literal(TO_URL("f.credential_id"))} as credential,
          ${sql.literal(TO_URL("f.public_key"))} as "publicKey", f.sign_count::float8 as "signCount", f.transports
        from app.factors f where ${sql.literal(OWN)} and f.kind = 'passkey' order by f.id`
    )
})

/** Adds one, unless the account has it. */
export const addPasskey = SqlSchema.findOneOption({
  Request: Schema.Struct({
    id: FactorId,
    name: Schema.String,
    credential: Schema.String,
    publicKey: Schema.String,
    signCount: Schema.Int,
    transports: Schema.String,
    backedUp: Schema.Boolean
  }),
  Result: Row,
  execute: ({ backedUp, credential, id, name, publicKey, signCount, transports }) =>
    TenantSql.use(
      (sql) => sql`with given as (select ${credential}::text as credential, ${publicKey}::text as public_key)
        insert into app.factors as f (
          tenant_id, id, user_id, kind, name, confirmed_at, credential_id, public_key, sign_count, transports, backed_up
        )
        select app.tenant_id(), ${id}, app.user_id(), 'passkey', ${name}, now(), ${sql.literal(FROM_URL("credential"))},
          ${sql.literal(FROM_URL("public_key"))}, ${signCount}::int8, coalesce(string_to_array(nullif(${transports}::text, ''), ','), '{}'),
          ${backedUp}::boolean
        from given on conflict do nothing returning ${sql.literal(COLUMNS)}`
    )
})

/** A passkey was used. None: another use of the same moment was counted before. */
export const passkeyUsed = SqlSchema.findOneOption({
  Request: Schema.Struct({ id: FactorId, before: Schema.Int, signCount: Schema.Int, backedUp: Schema.Boolean }),
  Result: Schema.Struct({ id: FactorId }),
  execute: ({ backedUp, before, id, signCount }) =>
    TenantSql.use(
      (sql) => sql`update app.factors f
        set sign_count = ${signCount}::int8, backed_up = ${backedUp}::boolean, last_used_at = now()
        where ${sql.literal(OWN)} and f.id = ${id} and f.sign_count = ${before}::int8 returning f.id`
    )
})

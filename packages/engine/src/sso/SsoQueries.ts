import { LoginConnection } from "@llm-saas/database/SsoAccess"
import { TenantSql } from "@llm-saas/database/Tenancy"
import { MailDomain, Slug } from "@llm-saas/domain/SingleSignOn"
import { TenantId } from "@llm-saas/domain/Tenant"
import { Schema } from "effect"
import { SqlSchema } from "effect/sql"

// A tenant's single sign-on as rows of the room. Bytes are read and written in hex.

const At = Schema.DateTimeUtcFromDate

const Row = Schema.Struct({
  ...LoginConnection.fields,
  proven: Schema.Array(Schema.String),
  jit: Schema.Boolean,
  required: Schema.Boolean,
  enabled: Schema.Boolean,
  created_at: At,
  updated_at: At
})
export type ConnectionRow = typeof Row.Type

/** The tenant's connection, with the domains that are proven. */
export const find = SqlSchema.findOneOption({
  Request: Schema.Void,
  Result: Row,
  execute: () =>
    TenantSql.use(
      (
        sql
      ) => sql`select c.id, c.tenant_id, c.slug, c.issuer, c.client_id, encode(c.sealed, 'hex') as sealed, c.key_version as version,
          encode(w.wrapped, 'hex') as wrapped, w.wrapped_by, c.domains, auth.proven_domains() as proven, c.trust_email, c.jit, c.role_claim,
          c.admin_values, c.required, c.enabled, c.created_at, c.updated_at
        from app.sso_connections c
        left join app.tenant_keys w on w.tenant_id = c.tenant_id and w.version = c.key_version
        where c.tenant_id = app.tenant_id() limit 1`
    )
})

/** Holds the tenant's row until the transaction ends: of two admins who set it up at once, the second finds what the first made. */
export const lockTenant = SqlSchema.findOneOption({
  Request: Schema.Void,
  Result: Schema.Struct({ id: TenantId }),
  execute: () => TenantSql.use((sql) => sql`select id from app.tenants where id = app.tenant_id() for no key update`)
})

const Texts = Schema.fromJsonString(Schema.Array(Schema.String))

/** Makes the connection, or replaces what it says. */
export const put = SqlSchema.void({
  Request: Schema.Struct({
    id: Schema.String,
    slug: Slug,
    issuer: Schema.String,
    client_id: Schema.String,
    version: Schema.NullOr(Schema.Int),
    sealed: Schema.NullOr(Schema.String),
    domains: Texts,
    trust_email: Schema.Boolean,
    jit: Schema.Boolean,
    role_claim: Schema.NullOr(Schema.String),
    admin_values: Texts,
    required: Schema.Boolean,
    enabled: Schema.Boolean
  }),
  execute: (c) =>
    TenantSql.use(
      (sql) => sql`insert into app.sso_connections as c (
          tenant_id, id, slug, issuer, client_id, key_version, sealed, domains, trust_email, jit, role_claim, admin_values, required, enabled
        ) values (
          app.tenant_id(), ${c.id}::uuid, ${c.slug}::text, ${c.issuer}::text, ${c.client_id}::text, ${c.version}::int4,
          decode(${c.sealed}::text, 'hex'), array(select jsonb_array_elements_text(${c.domains}::text::jsonb)), ${c.trust_email}::boolean,
          ${c.jit}::boolean, ${c.role_claim}::text, array(select jsonb_array_elements_text(${c.admin_values}::text::jsonb)),
          ${c.required}::boolean, ${c.enabled}::boolean
        ) on conflict (tenant_id, id) do update set slug = excluded.slug, issuer = excluded.issuer, client_id = excluded.client_id,
          key_version = excluded.key_version, sealed = excluded.sealed, domains = excluded.domains, trust_email = excluded.trust_email,
          jit = excluded.jit, role_claim = excluded.role_claim, admin_values = excluded.admin_values, required = excluded.required,
          enabled = excluded.enabled, updated_at = now()`
    )
})

export const remove = SqlSchema.findOneOption({
  Request: Schema.Void,
  Result: Schema.Struct({ id: Schema.String }),
  execute: () =>
    TenantSql.use((sql) => sql`delete from app.sso_connections where tenant_id = app.tenant_id() returning id`)
})

/** False: another tenant has the slug. */
export const claimSlug = SqlSchema.findOne({
  Request: Schema.Struct({ slug: Slug, connection: Schema.String }),
  Result: Schema.Struct({ claimed: Schema.Boolean }),
  execute: ({ connection, slug }) =>
    TenantSql.use((sql) => sql`select auth.claim_slug(${slug}, ${connection}::uuid) as claimed`)
})

export const claimDomain = SqlSchema.void({
  Request: Schema.Struct({ domain: MailDomain, connection: Schema.String }),
  execute: ({ connection, domain }) =>
    TenantSql.use((sql) => sql`select auth.claim_domain(${domain}, ${connection}::uuid)`)
})

/** Gives back proven domains that the connection does not name any more. */
export const keepDomains = SqlSchema.void({
  Request: Texts,
  execute: (domains) =>
    TenantSql.use(
      (sql) => sql`select auth.keep_domains(array(select jsonb_array_elements_text(${domains}::text::jsonb)))`
    )
})

/** Whether an admin has logged in at this issuer. */
export const triedByAdmin = SqlSchema.findOneOption({
  Request: Schema.String,
  Result: Schema.Struct({ user_id: Schema.String }),
  execute: (issuer) =>
    TenantSql.use(
      (sql) => sql`select i.user_id from app.sso_identities i
        join app.users u on u.tenant_id = i.tenant_id and u.id = i.user_id
        where i.tenant_id = app.tenant_id() and i.origin = 'tenant' and i.issuer = ${issuer} and i.last_login_at is not null and u.role = 'admin'
          and u.status = 'active' limit 1`
    )
})

/** Ends all tokens and sessions of the tenant's people: those by a password too. Keys and service accounts go on. */
export const endLogins = SqlSchema.void({
  Request: Schema.Void,
  execute: () =>
    TenantSql.use(
      (sql) =>
        sql`update app.users set token_epoch = token_epoch + 1 where tenant_id = app.tenant_id() and kind = 'person'`
    )
})

/** Accounts of another issuer: with it their link ends. */
export const forgetOthers = SqlSchema.void({
  Request: Schema.String,
  execute: (issuer) =>
    TenantSql.use(
      (sql) =>
        sql`delete from app.sso_identities where tenant_id = app.tenant_id() and origin = 'tenant' and issuer <> ${issuer}`
    )
})

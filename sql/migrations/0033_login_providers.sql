-- Providers of the whole installation beside tenants' own: a person there may have accounts of several tenants.
alter table app.sso_identities
  add column origin text not null default 'tenant' check (origin in ('tenant', 'installation')),
  drop constraint sso_identities_pkey,
  add primary key (tenant_id, origin, issuer, subject);
comment on column app.sso_identities.origin is 'Whose provider vouches: the tenant''s own, or one of the installation. Neither can stand in for the other.';
-- For auth.provider_accounts alone, which knows no tenant.
create index sso_identities_person on app.sso_identities (issuer, subject, tenant_id) where origin = 'installation';

alter table app.tenants add column link_by_email boolean not null default false;
comment on column app.tenants.link_by_email is 'Whether a provider of the installation leads to an account by its verified address. Else the user links it.';

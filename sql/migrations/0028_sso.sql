-- Single sign-on by OpenID Connect: a tenant's own provider, and which account belongs to whom there.

create table app.sso_connections (
  tenant_id uuid not null references app.tenants (id),
  id uuid not null,
  slug text not null check (slug ~ '^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$'),
  issuer text not null check (char_length(issuer) <= 500 and issuer ~ '^https?://[!-~]+$'),
  client_id text not null check (char_length(client_id) <= 300 and client_id ~ '^[!-~]+$'),
  key_version integer,
  sealed bytea check (octet_length(sealed) between 29 and 4096),
  domains text[] not null default '{}' check (cardinality(domains) <= 100),
  trust_email boolean not null default false,
  jit boolean not null default false,
  role_claim text check (char_length(role_claim) between 1 and 200),
  admin_values text[] not null default '{}' check (cardinality(admin_values) <= 100),
  required boolean not null default false,
  enabled boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, key_version) references app.tenant_keys (tenant_id, version),
  constraint sso_connections_sealed check (sealed is null or key_version is not null),
  constraint sso_connections_role check (role_claim is not null or admin_values = '{}')
);
comment on table app.sso_connections is 'A tenant''s own OpenID Connect provider. One at most: it is made with the tenant''s row locked.';
comment on column app.sso_connections.slug is 'The last part of /login/{slug}. Unique by meta.sso_slugs.';
comment on column app.sso_connections.sealed is 'The client''s secret by AES-256-GCM, as in app.provider_keys; null: a public client.';
comment on column app.sso_connections.domains is 'Of addresses that lead to an account or make one. They decide nothing about other tenants.';
comment on column app.sso_connections.trust_email is 'The provider''s addresses count as verified though it does not say so.';
comment on column app.sso_connections.jit is 'A login of an unknown person makes an account.';
comment on column app.sso_connections.role_claim is 'The claim that decides the role with every login; null: roles are the admins'' to give.';
comment on column app.sso_connections.required is 'While it is enabled, people of the tenant have no other way in.';

create table app.sso_identities (
  tenant_id uuid not null,
  issuer text not null check (char_length(issuer) <= 500),
  subject text not null check (char_length(subject) between 1 and 255),
  user_id uuid not null,
  created_at timestamptz not null default now(),
  last_login_at timestamptz,
  primary key (tenant_id, issuer, subject),
  foreign key (tenant_id, user_id) references app.users (tenant_id, id) on delete cascade
);
comment on table app.sso_identities is 'Whose account it is that a provider vouches for. Issuer and subject name a person (OpenID Connect Core §2), an address does not.';
create index sso_identities_of_user on app.sso_identities (tenant_id, user_id);

-- What is looked up before a tenant is known. No tenant's content: a slug is in a public address, and who proved a domain may be known.
create table meta.sso_slugs (
  slug text primary key,
  tenant_id uuid not null,
  connection_id uuid not null,
  unique (tenant_id, connection_id),
  foreign key (tenant_id, connection_id) references app.sso_connections (tenant_id, id) on delete cascade
);
create table meta.sso_domains (
  domain text primary key check (char_length(domain) <= 253),
  tenant_id uuid not null,
  connection_id uuid not null,
  proven_at timestamptz not null default now(),
  foreign key (tenant_id, connection_id) references app.sso_connections (tenant_id, id) on delete cascade
);
comment on table meta.sso_domains is 'Domains whose people are led to a tenant''s login, proven by DNS. It grants nothing.';
create index sso_domains_of_connection on meta.sso_domains (tenant_id, connection_id);

-- What can be used once: logins under way and one-time codes, which are sealed and stored nowhere.
create table meta.spent (
  hash bytea primary key check (octet_length(hash) = 32),
  until timestamptz not null
);
comment on column meta.spent.until is 'From then on it is refused by its own age.';
create index spent_until on meta.spent (until);

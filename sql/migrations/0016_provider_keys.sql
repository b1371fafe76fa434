-- Tenants' own keys at providers, encrypted: each under a data key of its tenant, and that one under a key of the installation.

create table app.tenant_keys (
  tenant_id uuid not null references app.tenants (id),
  version integer not null check (version > 0),
  wrapped bytea not null check (octet_length(wrapped) = 60),
  wrapped_by text not null check (wrapped_by ~ '^[0-9a-f]{16}$'),
  created_at timestamptz not null default now(),
  wrapped_at timestamptz not null default now(),
  primary key (tenant_id, version)
);
comment on table app.tenant_keys is 'Data keys: what secrets of a tenant are encrypted with. No database role can read one: they are encrypted themselves.';
comment on column app.tenant_keys.wrapped is 'The data key (32 bytes) by AES-256-GCM: nonce (12), encrypted key, tag (16). Associated data: tenant, version, wrapped_by.';
comment on column app.tenant_keys.wrapped_by is 'Which key of the installation: a hash of it, see packages/server/src/auth/EncryptionKeys.ts.';
comment on column app.tenant_keys.wrapped_at is 'When it was encrypted with that key: at first, or by keys:rotate.';

create table app.provider_keys (
  tenant_id uuid not null references app.tenants (id),
  id uuid not null,
  provider text not null check (char_length(provider) between 1 and 100),
  name text not null check (char_length(name) <= 200),
  models text[] check (cardinality(models) <= 100),
  key_version integer not null,
  sealed bytea not null check (octet_length(sealed) between 29 and 4096),
  created_at timestamptz not null default now(),
  disabled_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, key_version) references app.tenant_keys (tenant_id, version)
);
comment on table app.provider_keys is 'Keys of tenants'' own accounts at providers. They belong to the tenant, and stay when the admin who brought one leaves.';
comment on column app.provider_keys.provider is 'The provider''s name in the installation''s configuration.';
comment on column app.provider_keys.models is 'Models, as clients name them, that it is used for; null: all.';
comment on column app.provider_keys.sealed is 'The key by AES-256-GCM: nonce (12), encrypted key, tag (16). Associated data: tenant, id, key_version.';
-- For a question: the keys of a provider, newest first.
create index provider_keys_of_provider on app.provider_keys (tenant_id, provider, id);

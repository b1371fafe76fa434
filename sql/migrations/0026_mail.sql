-- Mails that wait to be sent, and the one-time tokens of their links.

-- The text of a token is not stored: it is derived from its id by SECRET_KEY when the mail is sent, and looked up by its hash.
create table app.one_time_tokens (
  tenant_id uuid not null references app.tenants (id),
  id uuid not null,
  purpose text not null check (purpose ~ '^[a-z_]{1,50}$'),
  subject_id uuid not null,
  address text not null check (char_length(address) >= 3 and char_length(address) <= 254),
  hash bytea not null check (octet_length(hash) = 32),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz,
  voided_at timestamptz,
  primary key (tenant_id, id)
);
comment on column app.one_time_tokens.subject_id is 'The user it is for, or the invitation. No foreign key: there is one table for each.';
comment on column app.one_time_tokens.address is 'Where it is sent, and nowhere else: to have it proves that one reads there.';
comment on column app.one_time_tokens.hash is 'SHA-256 of its text. It has 256 bits that cannot be guessed, so a slow hash would protect nothing more.';
comment on column app.one_time_tokens.voided_at is 'A newer one took its place, or it was taken back.';
-- For auth.take_one_time_token alone, which knows only a hash: see api_keys_secret.
create index one_time_tokens_hash on app.one_time_tokens (hash, tenant_id) where octet_length(hash) = 32;
-- Those that a newer one voids.
create index one_time_tokens_open on app.one_time_tokens (tenant_id, subject_id, purpose) where used_at is null and voided_at is null;
create index one_time_tokens_subject on app.one_time_tokens (tenant_id, subject_id, id);
-- For the removal of old ones, across tenants.
create index one_time_tokens_expired on app.one_time_tokens (expires_at, tenant_id);

-- Written in the transaction of the deed that the mail is about, sent in the background.
create table app.mails (
  tenant_id uuid not null references app.tenants (id),
  id uuid not null,
  subject_id uuid,
  address text not null check (char_length(address) >= 3 and char_length(address) <= 254),
  template text not null check (template ~ '^[a-z_]{1,50}$'),
  data jsonb not null default '{}' check (jsonb_typeof(data) = 'object' and octet_length(data::text) <= 4096),
  token_id uuid,
  created_at timestamptz not null default now(),
  attempts integer not null default 0,
  next_at timestamptz not null default now(),
  worker uuid,
  ended_at timestamptz,
  failure text check (char_length(failure) <= 200),
  primary key (tenant_id, id),
  foreign key (tenant_id, token_id) references app.one_time_tokens (tenant_id, id) on delete cascade
);
comment on column app.mails.id is 'Its Message-ID too: a mail that is sent twice is recognised.';
comment on column app.mails.subject_id is 'The user whose account it is about, with whom it is removed; null: there is none yet.';
comment on column app.mails.data is 'What the template says beside the tenant''s name and the link. No secret.';
comment on column app.mails.next_at is 'When it is due; while a process sends it, when another one may.';
comment on column app.mails.failure is 'Why it was given up; null: it was sent.';
create index mails_open on app.mails (tenant_id, next_at, id) where ended_at is null;
-- The foreign key's own look, where a token is removed.
create index mails_of_token on app.mails (tenant_id, token_id) where token_id is not null;
create index mails_subject on app.mails (tenant_id, subject_id, id) where subject_id is not null;
-- For the removal of old ones, across tenants.
create index mails_ended on app.mails (ended_at, tenant_id) where ended_at is not null;

alter table app.users add column email_verified_at timestamptz;
comment on column app.users.email_verified_at is 'When it was last proved that the address is read by this user; null: never.';

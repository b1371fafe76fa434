-- Addresses that admins invite. The link in the mail is a one-time token whose subject is the invitation.
create table app.invitations (
  tenant_id uuid not null references app.tenants (id),
  id uuid not null,
  email text not null
    check (char_length(email) >= 3 and char_length(email) <= 254 and email ~ '^[^@ ]+@[^@ ]+$' and email !~ '[A-Z]'),
  role text not null check (role in ('admin', 'user')),
  invited_by uuid not null,
  created_at timestamptz not null default now(),
  sent_at timestamptz not null default now(),
  expires_at timestamptz not null,
  accepted_at timestamptz,
  user_id uuid,
  revoked_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references app.users (tenant_id, id) on delete cascade,
  constraint invitations_one_end check (accepted_at is null or revoked_at is null)
);
comment on column app.invitations.invited_by is 'Who sent it last. It can be accepted while that one is an active admin. No foreign key: they may be deleted.';
comment on column app.invitations.sent_at is 'When its last mail was written.';
comment on column app.invitations.user_id is 'The account that accepting made; it is removed with that.';
-- One open invitation for an address. Inviting again changes it.
create unique index invitations_open on app.invitations (tenant_id, email) where accepted_at is null and revoked_at is null;
-- The foreign key's own look.
create index invitations_of_user on app.invitations (tenant_id, user_id) where user_id is not null;
-- For the removal of old ones, across tenants.
create index invitations_expired on app.invitations (expires_at, tenant_id);

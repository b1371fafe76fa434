-- People at psql, each with a login of their own: who let them in, to what, and since when. A login of a tenant's own auditor reads that
-- tenant; a setting would be no boundary for somebody with a prompt, the name they logged in with is one. The names say nothing:
-- pg_roles shows them to everybody.
create table meta.readers (
  role name primary key,
  tenant_id uuid references app.tenants (id),
  content boolean not null,
  note text check (char_length(note) <= 200),
  granted_at timestamptz not null default now(),
  revoked_at timestamptz,
  check (tenant_id is not null or not content)
);
comment on table meta.readers is 'Written by `npm run audit:grant` and `audit:revoke`, which make and drop the roles. A login ends with the role''s VALID UNTIL too.';
comment on column meta.readers.tenant_id is 'Null: an auditor of the whole installation, who reads metadata only.';
comment on column meta.readers.content is 'Whether they read questions and answers, and not only who asked when, and at what cost.';
alter table meta.readers enable row level security;

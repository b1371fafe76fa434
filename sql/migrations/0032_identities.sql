-- A user names an identity of theirs by an id: the subject is the provider's, of any form.
alter table app.sso_identities add column id uuid not null default gen_random_uuid(), add constraint sso_identities_id unique (tenant_id, id);

-- loses: which accounts people of the installation's providers log in to
drop index app.sso_identities_person;
-- The owner is held by row-level security too, and enters no tenant here.
alter table app.sso_identities no force row level security;
delete from app.sso_identities where origin = 'installation';
alter table app.sso_identities force row level security;
alter table app.sso_identities drop constraint sso_identities_pkey, drop column origin, add primary key (tenant_id, issuer, subject);
alter table app.tenants drop column link_by_email;

-- Whether a tenant has, or had, rows in app.limits: a question of one that has none looks for none.
alter table app.tenants add column limited boolean not null default false;
comment on column app.tenants.limited is 'Set by a trigger with the first row in app.limits, and never taken back.';
-- Forced again with the policies.
alter table app.tenants no force row level security;
alter table app.limits no force row level security;
update app.tenants t set limited = true where exists (select from app.limits l where l.tenant_id = t.id);

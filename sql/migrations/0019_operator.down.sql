-- loses: the operator's tokens, plans and events, receipts of erased tenants
drop index app.tenants_not_active;
alter table app.tenants
  drop constraint tenants_status_check,
  drop column content_days_at_most,
  drop column models,
  drop column plan_id;
alter table app.tenants no force row level security;
update app.tenants set status = 'suspended' where status = 'erased';
alter table app.tenants force row level security;
alter table app.tenants add constraint tenants_status_check check (status in ('active', 'suspended'));
drop table operator.erasures;
drop table operator.events;
drop table operator.plans;
drop table operator.tokens;

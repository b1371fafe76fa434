alter table app.generations
  drop constraint generations_status_check,
  drop constraint generations_check,
  add constraint generations_status_check check (status in ('queued', 'streaming', 'completed', 'failed', 'cancelled', 'interrupted')),
  add constraint generations_check check ((ended_at is null) = (status in ('queued', 'streaming')));
drop index app.generations_running;
create index generations_running on app.generations (lease_until, tenant_id) where status in ('queued', 'streaming');

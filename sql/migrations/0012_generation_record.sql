-- breaking
-- A generation that waits for its turn has no row, so no row was ever `queued`. And app.ask and work.finish take one record each instead of
-- 21 and 16 parameters: programs that call them in the old way do not find them any more.
alter table app.generations
  drop constraint generations_status_check,
  drop constraint generations_check,
  add constraint generations_status_check check (status in ('streaming', 'completed', 'failed', 'cancelled', 'interrupted')),
  add constraint generations_check check ((ended_at is null) = (status = 'streaming'));
drop index app.generations_running;
create index generations_running on app.generations (lease_until, tenant_id) where status = 'streaming';

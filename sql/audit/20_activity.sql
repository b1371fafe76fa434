-- What happened, for the installation's auditor: metadata of every tenant, read with the reader's own rights and policies.

create view audit.tenants with (security_invoker = true) as
select t.id, t.name, t.status, t.registration, t.created_at,
  (select count(*) from app.users u where u.tenant_id = t.id) as users,
  (select count(*) from app.users u where u.tenant_id = t.id and u.role = 'admin' and u.status = 'active') as active_admins,
  (select max(e.at) from app.audit_events e where e.tenant_id = t.id) as last_event_at
from app.tenants t
order by t.id;

create view audit.events with (security_invoker = true) as
select e.at, e.tenant_id, t.name as tenant, e.action, e.actor_user_id, a.email as actor, e.target_kind, e.target_id, e.request_id, e.detail
from app.audit_events e
join app.tenants t on t.id = e.tenant_id
left join app.users a on a.tenant_id = e.tenant_id and a.id = e.actor_user_id
order by e.at desc, e.id desc;

create view audit.migrations with (security_invoker = true) as
select version, name, breaking, applied_at from meta.migrations order by version;

-- What MLflow does not know yet, and what it refuses. Nothing of what is in it.
create view audit.tracking with (security_invoker = true) as
select o.tenant_id, count(*) filter (where o.parked_reason is null) as pending, count(*) filter (where o.parked_reason is not null) as parked,
  min(o.created_at) filter (where o.parked_reason is null) as oldest_pending_at, max(o.attempts) as most_attempts,
  count(*) filter (where o.claimed_until > now()) as being_sent,
  array_agg(distinct o.parked_reason) filter (where o.parked_reason is not null) as parked_reasons
from app.tracking_outbox o
group by o.tenant_id
order by oldest_pending_at;

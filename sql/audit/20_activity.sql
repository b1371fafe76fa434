-- Who did what and when, without any text. Read with the reader's own rights and policies: the installation's auditor sees every tenant
-- here, a tenant's own auditor their own tenant.

create view audit.tenants with (security_invoker = true) as
with people as (
  select u.tenant_id, count(*) as users, count(*) filter (where u.role = 'admin' and u.status = 'active') as active_admins,
    count(*) filter (where u.status = 'disabled') as disabled
  from app.users u where u.kind = 'person' group by 1
), answers as (
  select g.tenant_id, count(*) as generations, count(*) filter (where g.ended_at is null) as running,
    sum(g.tokens_in) as tokens_in, sum(g.tokens_out) as tokens_out, sum(g.cost_usd) as cost_usd, max(g.created_at) as last_at
  from app.generations g group by 1
), questions as (
  select m.tenant_id, count(*) as messages from app.messages m group by 1
), talks as (
  select c.tenant_id, count(*) as conversations from app.conversations c group by 1
), events as (
  select e.tenant_id, max(e.at) as last_at from app.audit_events e group by 1
)
select t.id, t.name, t.status, t.registration, t.created_at,
  coalesce(p.users, 0) as users, coalesce(p.active_admins, 0) as active_admins, coalesce(p.disabled, 0) as disabled_users,
  coalesce(c.conversations, 0) as conversations, coalesce(q.messages, 0) as messages,
  coalesce(a.generations, 0) as generations, coalesce(a.running, 0) as running,
  coalesce(a.tokens_in, 0) as tokens_in, coalesce(a.tokens_out, 0) as tokens_out, coalesce(a.cost_usd, 0) as cost_usd,
  e.last_at as last_event_at, greatest(a.last_at, e.last_at) as last_active_at
from app.tenants t
left join people p on p.tenant_id = t.id
left join answers a on a.tenant_id = t.id
left join questions q on q.tenant_id = t.id
left join talks c on c.tenant_id = t.id
left join events e on e.tenant_id = t.id
order by t.id;

create view audit.usage with (security_invoker = true) as
select g.tenant_id, t.name as tenant, g.created_at::date as day, g.provider, coalesce(g.response_model, g.model) as model,
  count(*) as generations, count(distinct g.user_id) as users, count(*) filter (where g.status = 'failed') as failed,
  sum(g.tokens_in) as tokens_in, sum(g.tokens_out) as tokens_out, sum(g.cost_usd) as cost_usd
from app.generations g join app.tenants t on t.id = g.tenant_id
group by 1, 2, 3, 4, 5
order by 3 desc, 1, 4, 5;

-- The account of every answer, also of those whose message was deleted.
create view audit.messages with (security_invoker = true) as
select g.created_at, g.tenant_id, t.name as tenant, g.user_id, u.email as asked_by, g.conversation_id, g.message_id, g.id as generation_id,
  g.source, g.provider, coalesce(g.response_model, g.model) as model, g.status, g.finish_reason, g.failure,
  g.prompt_length, g.response_length, g.tokens_in, g.tokens_out, g.cost_usd,
  extract(epoch from g.first_token_at - g.created_at) as seconds_to_first_token, extract(epoch from g.ended_at - g.created_at) as seconds,
  m.id is null as message_deleted, g.request_id, g.trace_id
from app.generations g
join app.tenants t on t.id = g.tenant_id
left join app.users u on u.tenant_id = g.tenant_id and u.id = g.user_id
left join app.messages m on m.tenant_id = g.tenant_id and m.id = g.message_id
order by g.created_at desc, g.id desc;

create view audit.events with (security_invoker = true) as
select e.at, e.tenant_id, t.name as tenant, e.action, e.actor_user_id, a.email as actor, e.target_kind, e.target_id, e.request_id, e.detail
from app.audit_events e
join app.tenants t on t.id = e.tenant_id
left join app.users a on a.tenant_id = e.tenant_id and a.id = e.actor_user_id
order by e.at desc, e.id desc;

-- Logins, and attempts to log in.
create view audit.logins with (security_invoker = true) as
select e.tenant_id, t.name as tenant, e.target_id as user_id, u.email, u.role, u.status,
  count(*) filter (where e.action = 'login.succeeded') as succeeded, max(e.at) filter (where e.action = 'login.succeeded') as last_succeeded_at,
  count(*) filter (where e.action = 'login.failed') as failed, max(e.at) filter (where e.action = 'login.failed') as last_failed_at
from app.audit_events e
join app.tenants t on t.id = e.tenant_id
left join app.users u on u.tenant_id = e.tenant_id and u.id = e.target_id
where e.action in ('login.succeeded', 'login.failed')
group by 1, 2, 3, 4, 5, 6
order by last_failed_at desc nulls last;

-- API keys, the deleted ones of the last 30 days too: whose they are, what they may, and whether they still work.
create view audit.keys with (security_invoker = true) as
select k.tenant_id, t.name as tenant, k.id, 'sk-' || k.public_id as begins_with, k.name, k.user_id, u.kind as owner_kind,
  coalesce(u.name, u.email) as owner, k.scopes, k.models,
  case when k.revoked_at is not null then 'deleted' when k.disabled_at is not null then 'disabled'
    when k.expires_at <= now() then 'expired' when u.status <> 'active' or t.status <> 'active' then 'refused' else 'active' end as state,
  k.created_at, k.expires_at, k.rotated_at, k.previous_until > now() as previous_secret_works, k.last_used_at,
  k.refused_at as last_refused_at
from app.api_keys k
join app.tenants t on t.id = k.tenant_id
left join app.users u on u.tenant_id = k.tenant_id and u.id = k.user_id
order by k.created_at desc, k.id desc;

-- Tenants' own keys at providers, without the keys, and which key of the installation is around each tenant's data key.
create view audit.provider_keys with (security_invoker = true) as
select k.tenant_id, t.name as tenant, k.id, k.provider, k.name, k.models, case when k.disabled_at is null then 'active' else 'disabled' end as state,
  k.created_at, k.disabled_at, w.wrapped_by, w.wrapped_at
from app.provider_keys k
join app.tenants t on t.id = k.tenant_id
join app.tenant_keys w on w.tenant_id = k.tenant_id and w.version = k.key_version
order by k.created_at desc, k.id desc;

-- Records that MLflow does not have yet or refuses, without their content.
create view audit.tracking with (security_invoker = true) as
select o.tenant_id, t.name as tenant, count(*) filter (where o.parked_reason is null) as pending,
  count(*) filter (where o.parked_reason is not null) as parked,
  min(o.created_at) filter (where o.parked_reason is null) as oldest_pending_at,
  now() - min(o.created_at) filter (where o.parked_reason is null) as behind, max(o.attempts) as most_attempts,
  count(*) filter (where o.claimed_until > now()) as being_sent,
  array_agg(distinct o.parked_reason) filter (where o.parked_reason is not null) as parked_reasons
from app.tracking_outbox o join app.tenants t on t.id = o.tenant_id
group by 1, 2
order by oldest_pending_at;

create view audit.migrations with (security_invoker = true) as
select version, name, breaking, applied_at from meta.migrations order by version;

-- Auditors at psql, present and former. A tenant's own auditor sees themselves here.
create view audit.readers with (security_invoker = true) as
select m.role, m.tenant_id, coalesce(t.name, '(every tenant)') as tenant, m.content as reads_content, m.note, m.granted_at,
  r.rolvaliduntil as expires_at, m.revoked_at, m.revoked_at is null and coalesce(r.rolvaliduntil > now(), false) as active
from meta.readers m
left join app.tenants t on t.id = m.tenant_id
left join pg_catalog.pg_roles r on r.rolname = m.role
order by m.granted_at desc;

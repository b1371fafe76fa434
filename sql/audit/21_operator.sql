-- What the operator of the installation did, made and erased: for auditors of the installation, and no tenant's own.

create view audit.operator_events with (security_invoker = true) as
select e.at, e.token_id, k.name as token, e.action, e.tenant_id, t.name as tenant, e.target_kind, e.target_id, e.request_id, e.detail
from operator.events e
left join operator.tokens k on k.id = e.token_id
left join app.tenants t on t.id = e.tenant_id
order by e.at desc, e.id desc;

create view audit.operator_tokens with (security_invoker = true) as
select k.id, k.name, k.created_at, k.expires_at, k.revoked_at, k.last_used_at,
  k.revoked_at is null and (k.expires_at is null or k.expires_at > now()) as active
from operator.tokens k
order by k.created_at desc;

-- Plans, and which tenants have them.
create view audit.plans with (security_invoker = true) as
select p.id, p.name, p.limits, p.models, p.markup, p.content_days_at_most, p.created_at, p.updated_at, t.id as tenant_id, t.name as tenant
from operator.plans p
left join app.tenants t on t.plan_id = p.id
order by p.name, t.id;

create view audit.erasures with (security_invoker = true) as
select e.tenant_id, e.begun_at, e.ended_at, e.ended_at is not null as done, e.counts, e.token_id, k.name as token
from operator.erasures e
left join operator.tokens k on k.id = e.token_id
order by e.begun_at desc;

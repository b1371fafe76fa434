-- The books. Read with the reader's own rights: the installation's auditor sees every tenant here; a tenant's own auditor sees what the
-- tenant owes, and neither what the provider is owed nor the margin, which are in the other views.

-- What each answer, or correction, cost its tenant.
create view audit.ledger with (security_invoker = true) as
select l.at, l.tenant_id, t.name as tenant, l.id, l.kind, l.generation_id, l.user_id, coalesce(u.name, u.email) as person, l.key_id, l.provider,
  l.model, g.status, l.units, l.tenant_amount as cost_usd, l.note
from app.ledger l
join app.tenants t on t.id = l.tenant_id
left join app.users u on u.tenant_id = l.tenant_id and u.id = l.user_id
left join app.generations g on g.tenant_id = l.tenant_id and g.id = l.generation_id
order by l.at desc, l.id desc;

-- Each entry as double-entry bookkeeping has it: what the tenant owes, what the provider is owed, the margin. The three sum to zero.
create view audit.postings with (security_invoker = true) as
select l.at, l.tenant_id, t.name as tenant, l.id as entry_id, l.kind, p.account, p.amount
from app.ledger l
join app.tenants t on t.id = l.tenant_id
cross join lateral (
  values ('tenant', l.tenant_amount), ('provider', l.provider_amount), ('margin', l.margin_amount)
) p (account, amount)
order by l.at desc, l.id desc, p.account;

-- Each tenant's balance and the sum of its postings, which is zero; and how many ended answers have no entry: those of before there was a
-- ledger, and no others.
create view audit.balances with (security_invoker = true) as
with entries as (
  select l.tenant_id, count(*) as entries, sum(l.tenant_amount) as owed_by_tenant, -sum(l.provider_amount) as owed_to_providers,
    -sum(l.margin_amount) as margin, sum(l.tenant_amount + l.provider_amount + l.margin_amount) as postings
  from app.ledger l group by 1
), answers as (
  select g.tenant_id, count(*) as answers,
    count(*) filter (where not exists (select from app.ledger l where l.tenant_id = g.tenant_id and l.id = g.id)) as without_entry
  from app.generations g where g.ended_at is not null group by 1
)
select t.id as tenant_id, t.name as tenant, coalesce(e.entries, 0) as entries, coalesce(e.owed_by_tenant, 0) as owed_by_tenant,
  coalesce(e.owed_to_providers, 0) as owed_to_providers, coalesce(e.margin, 0) as margin, coalesce(e.postings, 0) as sum_of_postings,
  coalesce(a.answers, 0) as answers, coalesce(a.without_entry, 0) as answers_without_entry
from app.tenants t
left join entries e on e.tenant_id = t.id
left join answers a on a.tenant_id = t.id
order by t.id;

-- What was used, line by line: each unit of each call of a provider, its price for one and its cost. Null: the price is not known, or the
-- tenant's own key paid.
create view audit.usage_items with (security_invoker = true) as
select l.at, l.tenant_id, t.name as tenant, l.id as entry_id, l.provider, l.model, i.attempt, i.unit, i.quantity, i.price, i.quantity * i.price as cost,
  i.price_id
from app.ledger l
join app.tenants t on t.id = l.tenant_id
cross join lateral jsonb_to_recordset(l.items) i (attempt integer, unit text, quantity numeric, price numeric, price_id uuid)
order by l.at desc, l.id desc, i.attempt, i.unit;

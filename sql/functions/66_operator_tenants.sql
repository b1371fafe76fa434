-- The operator's calls about tenants. LL404: there is no such tenant. LL409: it is erased.
set local role llm_operator;

-- Tenants with how many people they have, newest first. p_id: this one only; p_status, p_plan: those only.
create function operator.list_tenants(p_token bytea, p_id uuid, p_status text, p_plan uuid, p_after uuid, p_limit integer)
  returns table (
    id uuid, name text, status text, registration text, created_at timestamptz, plan_id uuid, plan text, markup text, models text[],
    content_days_at_most integer, users float8, sso_required boolean
  )
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform operator.admit(p_token);
  return query
  select t.id, t.name, t.status, t.registration, t.created_at, t.plan_id, p.name, trim_scale(t.markup)::text, t.models, t.content_days_at_most,
    (select count(*)::float8 from app.users u where u.tenant_id = t.id and u.kind = 'person' and u.deleted_at is null),
    exists (select from app.sso_connections c where c.tenant_id = t.id and c.enabled and c.required)
  from app.tenants t left join operator.plans p on p.id = t.plan_id
  where (p_id is null or t.id = p_id) and (p_status is null or t.status = p_status) and (p_plan is null or t.plan_id = p_plan)
    and (p_after is null or t.id < p_after)
  order by t.id desc limit p_limit;
end $$;

-- Locks a tenant's row, against its other changes. LL409 if it is erased.
create function operator.lock_tenant(p_tenant uuid) returns text
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_status text;
begin
  select t.status into v_status from app.tenants t where t.id = p_tenant for no key update;
  if v_status is null then raise exception 'no such tenant' using errcode = 'LL404'; end if;
  if v_status = 'erased' then raise exception 'the tenant is erased' using errcode = 'LL409'; end if;
  return v_status;
end $$;

create function operator.create_tenant(p_token bytea, p_id uuid, p_name text, p_registration text, p_plan uuid, p_request text) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_token constant uuid := operator.admit(p_token);
begin
  insert into app.tenants (id, name, registration) values (p_id, p_name, p_registration);
  perform operator.record(v_token, 'tenant.created', p_id, 'tenant', p_id, p_request, '{}');
  if p_plan is not null then perform operator.give_plan(v_token, p_id, p_plan, p_request); end if;
end $$;

-- Answers of a tenant that run are told to stop: their processes hear it within three seconds, and what they cost is settled as always.
create function operator.stop_answers(p_tenant uuid) returns integer
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_count integer;
begin
  update app.generations g set cancel_requested_at = now()
  where g.tenant_id = p_tenant and g.status = 'streaming' and g.cancel_requested_at is null;
  get diagnostics v_count = row_count;
  return v_count;
end $$;

-- Nobody of a suspended tenant enters, from the very next request, and its answers under way stop. A question that had entered before is
-- stopped by operator.carry_on.
create function operator.suspend(p_token bytea, p_tenant uuid, p_suspended boolean, p_request text) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_token constant uuid := operator.admit(p_token);
  v_wanted constant text := case when p_suspended then 'suspended' else 'active' end;
begin
  if operator.lock_tenant(p_tenant) = v_wanted then return; end if;
  update app.tenants t set status = v_wanted where t.id = p_tenant;
  perform operator.record(v_token, case when p_suspended then 'tenant.suspended' else 'tenant.resumed' end, p_tenant, 'tenant', p_tenant, p_request,
    case when p_suspended then jsonb_build_object('stopped', operator.stop_answers(p_tenant)) else '{}' end);
end $$;

-- People of the tenant may log in by a password again, where its provider is gone or was set up wrongly and nobody could change that from
-- within. Nothing else of it changes, and nobody is logged in by this.
create function operator.make_sso_optional(p_token bytea, p_tenant uuid, p_request text) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_token constant uuid := operator.admit(p_token);
begin
  perform operator.lock_tenant(p_tenant);
  update app.sso_connections c set required = false, updated_at = now() where c.tenant_id = p_tenant and c.required;
  if found then perform operator.record(v_token, 'tenant.sso_optional', p_tenant, 'tenant', p_tenant, p_request, '{}'); end if;
end $$;

-- How many rows of a tenant there are in each table whose rows go when it is erased.
create function operator.count_rows(p_tenant uuid) returns jsonb
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_table text;
  v_count bigint;
  v_counts jsonb := '{}';
begin
  foreach v_table in array array[
    'users', 'credentials', 'conversations', 'messages', 'generation_chunks', 'feedback', 'api_keys', 'provider_keys', 'tenant_keys',
    'idempotency_keys', 'idempotent_answers', 'deletions', 'limits', 'rates', 'budget_periods', 'counter_changes', 'tracking_outbox',
    'mails', 'one_time_tokens', 'invitations', 'sessions', 'session_tokens', 'factors', 'totp_secrets', 'recovery_codes', 'login_challenges', 'sso_connections', 'sso_identities'
  ] loop
    execute format('select count(*) from app.%I where tenant_id = $1', v_table) into v_count using p_tenant;
    v_counts := v_counts || jsonb_build_object(v_table, v_count);
  end loop;
  return v_counts;
end $$;

-- Erases a tenant for good: from now on no user enters; all content, users and keys are removed in batches (operator.carry_on and
-- work.purge). p_name: its name, against a mistaken id; with another one there is no such tenant. The ledger, accounts of answers, their calls and the audit log stay: ids, times, models, tokens, amounts.
create function operator.erase(p_token bytea, p_tenant uuid, p_name text, p_request text) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_token constant uuid := operator.admit(p_token);
  v_counts jsonb;
begin
  -- Not `no key update`: who is adding a row to the tenant now is waited for, so that the counts have it.
  perform from app.tenants t where t.id = p_tenant for update;
  perform operator.lock_tenant(p_tenant);
  if not exists (select from app.tenants t where t.id = p_tenant and t.name = p_name) then
    raise exception 'the tenant has another name' using errcode = 'LL404';
  end if;
  update app.tenants t set status = 'erased', name = 'erased', registration = 'closed', plan_id = null, models = null where t.id = p_tenant;
  perform operator.stop_answers(p_tenant);
  v_counts := operator.count_rows(p_tenant);
  insert into operator.erasures (tenant_id, token_id, counts) values (p_tenant, v_token, v_counts);
  perform operator.record(v_token, 'tenant.erased', p_tenant, 'tenant', p_tenant, p_request, '{}', jsonb_build_object('counts', v_counts));
end $$;

-- The receipt of a tenant that is erased, or is being erased.
create function operator.receipt(p_token bytea, p_tenant uuid)
  returns table (tenant_id uuid, begun_at timestamptz, ended_at timestamptz, counts jsonb)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp rows 1
as $$
#variable_conflict use_column
begin
  perform operator.admit(p_token);
  return query select e.tenant_id, e.begun_at, e.ended_at, e.counts from operator.erasures e where e.tenant_id = p_tenant;
end $$;

-- Continues what the operator ordered: stops answers of tenants that are not active, and removes rows of erased ones, p_limit of each table
-- at most where there can be many. Called by any process, again and again; it returns how many rows it changed, and nothing about them.
create function operator.carry_on(p_limit integer) returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  running record;
  erased record;
  v_table text;
  v_count integer;
  v_total integer := 0;
begin
  for running in
    -- One look at the answers that run, however many tenants were erased.
    select g.tenant_id, g.id from app.generations g
    where g.status = 'streaming' and g.cancel_requested_at is null
      and g.tenant_id = any (array(select t.id from app.tenants t where t.status <> 'active'))
    limit p_limit for no key update skip locked
  loop
    update app.generations g set cancel_requested_at = now() where g.tenant_id = running.tenant_id and g.id = running.id;
    v_total := v_total + 1;
  end loop;

  for erased in
    select e.tenant_id, e.token_id from operator.erasures e where e.ended_at is null order by e.begun_at for update skip locked
  loop
    -- Users with all that is theirs, by the way of every deletion.
    with due as (
      select u.tenant_id, u.id from app.users u
      where u.tenant_id = erased.tenant_id and u.deleted_at is null limit p_limit for no key update skip locked
    )
    insert into app.deletions (tenant_id, id, kind, user_id) select d.tenant_id, d.id, 'user', d.id from due d on conflict do nothing;
    get diagnostics v_count = row_count;
    v_total := v_total + v_count;
    -- What belongs to no user. Data keys go after what they encrypt.
    foreach v_table in array array[
      'provider_keys', 'totp_secrets', 'sso_connections', 'tenant_keys', 'idempotent_answers', 'limits', 'rates', 'budget_periods', 'counter_changes', 'mails', 'one_time_tokens', 'invitations'
    ] loop
      execute format('delete from app.%I d where d.tenant_id = $1', v_table) using erased.tenant_id;
      get diagnostics v_count = row_count;
      v_total := v_total + v_count;
    end loop;
    with due as (
      select o.tenant_id, o.generation_id from app.tracking_outbox o where o.tenant_id = erased.tenant_id limit p_limit for update skip locked
    )
    delete from app.tracking_outbox o using due d where o.tenant_id = d.tenant_id and o.generation_id = d.generation_id;
    get diagnostics v_count = row_count;
    v_total := v_total + v_count;
    -- Users go last of all, so that nothing is counted before.
    if v_total = 0 and not exists (select from app.users u where u.tenant_id = erased.tenant_id) and not exists (
      select from app.generations g where g.tenant_id = erased.tenant_id and g.status = 'streaming'
    ) and not exists (
      select from jsonb_each_text(operator.count_rows(erased.tenant_id)) left_over where left_over.value <> '0'
    ) then
      update operator.erasures e set ended_at = clock_timestamp() where e.tenant_id = erased.tenant_id;
      perform operator.record(erased.token_id, 'tenant.removed', erased.tenant_id, 'tenant', erased.tenant_id, null, '{}');
      v_total := v_total + 1;
    end if;
  end loop;
  return v_total;
end $$;

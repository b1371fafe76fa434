-- Ended generations, for MLflow. SECURITY DEFINER, owned by a role that reads these columns and nothing else, and only for the login of the
-- jobs: claimed records contain questions and answers of all tenants, which a process that serves requests must not read.
set local role llm_tracking;

-- Claims due records, oldest first, for p_seconds: until then no other process gets them. A record whose claim expired, or that was
-- returned as such, is `unsure`: part of it may have arrived. p_content false: questions, answers and comments are not read at all; nor are
-- texts that the tenant does not keep. A request or log of more than a quarter of a million bytes is left out: content and response say
-- what is shown of it. Times are in milliseconds since 1970.
create function tracking.claim(p_worker uuid, p_limit integer, p_seconds integer, p_content boolean)
  returns table (
    tenant_id uuid, generation_id uuid, revision integer, attempts integer, unsure boolean, run_id text, run_done boolean, trace_sent boolean,
    message_id uuid, user_id uuid, conversation_id uuid, source text, provider text, model text, response_model text, status text,
    finish_reason text, failure text, tokens_in integer, tokens_out integer, approx_tokens_in integer, approx_tokens_out integer,
    cost_usd double precision, prompt_length integer, response_length integer, request_id text, trace_id text, caller_trace_id text,
    caller_span_id text, created_at double precision, admitted_at double precision, started_at double precision,
    first_token_at double precision, model_ended_at double precision, ended_at double precision, content text, response text,
    request text, log text, token_lengths integer[], calls jsonb, feedback jsonb
  )
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_tenants uuid[];
  v_generations uuid[];
  v_unsure boolean[];
  named record;
begin
  with due as (
    select o.tenant_id, o.generation_id, o.unsure or o.claimed_by is not null as unsure from app.tracking_outbox o
    where o.parked_reason is null and o.next_attempt_at <= now() and (o.claimed_until is null or o.claimed_until < now())
    order by o.next_attempt_at limit p_limit for update skip locked
  ), mine as (
    update app.tracking_outbox o set claimed_by = p_worker, claimed_until = now() + make_interval(secs => p_seconds) from due d
    where o.tenant_id = d.tenant_id and o.generation_id = d.generation_id
    returning o.tenant_id, o.generation_id, d.unsure
  )
  select array_agg(m.tenant_id), array_agg(m.generation_id), array_agg(m.unsure) into v_tenants, v_generations, v_unsure from mine m;

  -- One claim at a time chooses the names of traces, for the few milliseconds until it is committed. An answer whose row another
  -- transaction has is returned: the others in the batch do not wait for it.
  perform from meta.locks l where l.name = 'traces' for update;
  for named in
    select m.tenant_id, m.id, g.trace_id from unnest(v_tenants, v_generations) m (tenant_id, id)
    cross join lateral (
      select g.trace_id, g.parent_span_id is not null and g.tracked_as is null as open from app.generations g
      where g.tenant_id = m.tenant_id and g.id = m.id limit 1
    ) g
    where g.open
  loop
    perform from app.generations g where g.tenant_id = named.tenant_id and g.id = named.id for no key update skip locked;
    if not found then
      update app.tracking_outbox o set claimed_by = null, claimed_until = null, next_attempt_at = now() + interval '1 second'
      where o.tenant_id = named.tenant_id and o.generation_id = named.id;
      continue;
    end if;
    update app.generations g set tracked_as = case
      when exists (
        select from app.generations o
        where o.trace_id = named.trace_id and (o.tenant_id, o.id) <> (named.tenant_id, named.id)
          and (o.parent_span_id is null or o.tracked_as = named.trace_id)
      ) then replace(gen_random_uuid()::text, '-', '')
      else named.trace_id
    end
    where g.tenant_id = named.tenant_id and g.id = named.id;
  end loop;

  return query
  select g.tenant_id, g.id, o.revision, o.attempts, c.unsure, o.run_id, o.run_done, o.trace_sent,
    m.id, g.user_id, g.conversation_id, g.source, g.provider, g.model, g.response_model, g.status,
    g.finish_reason, g.failure, g.tokens_in, g.tokens_out, g.approx_tokens_in, g.approx_tokens_out,
    g.cost_usd::double precision, g.prompt_length, g.response_length, g.request_id, coalesce(g.tracked_as, g.trace_id),
    case when g.parent_span_id is not null then g.trace_id end, g.parent_span_id,
    extract(epoch from g.created_at)::double precision * 1000, extract(epoch from g.admitted_at)::double precision * 1000,
    extract(epoch from g.started_at)::double precision * 1000, extract(epoch from g.first_token_at)::double precision * 1000,
    extract(epoch from g.model_ended_at)::double precision * 1000, extract(epoch from g.ended_at)::double precision * 1000,
    case when p_content and g.content = 'kept' then m.content end, case when p_content and g.content = 'kept' then m.response end,
    case when p_content and g.content = 'kept' and octet_length(m.request) <= 262144 then m.request end,
    case when p_content and g.content = 'kept' and octet_length(m.log) <= 262144 then m.log end,
    case when p_content and g.content = 'kept' and octet_length(m.log) <= 262144 then m.token_lengths end,
    coalesce((
      select jsonb_agg(jsonb_build_object('number', a.number, 'provider', a.provider, 'model', a.model, 'key_source', a.key_source,
        'response_model', a.response_model, 'http_status', a.http_status, 'failure', a.failure, 'tokens_in', a.tokens_in,
        'tokens_out', a.tokens_out, 'started_at', extract(epoch from a.started_at)::double precision * 1000,
        'ended_at', extract(epoch from a.ended_at)::double precision * 1000) order by a.number)
      from app.attempts a where a.tenant_id = g.tenant_id and a.generation_id = g.id
    ), '[]'),
    coalesce((
      select jsonb_agg(jsonb_build_object('user_id', f.user_id, 'rating', f.rating, 'revision', f.revision,
        'comment', case when p_content then f.comment end, 'at', extract(epoch from f.updated_at)::double precision * 1000) order by f.user_id)
      from app.feedback f where f.tenant_id = g.tenant_id and f.message_id = g.message_id and f.revision > f.sent_revision
    ), '[]')
  -- Each looked up by its key, whatever the statistics say: a LIMIT in a lateral join leaves the planner no other way.
  from unnest(v_tenants, v_generations, v_unsure) c (tenant_id, generation_id, unsure)
  cross join lateral (
    select o.* from app.tracking_outbox o
    where o.tenant_id = c.tenant_id and o.generation_id = c.generation_id and o.claimed_by = p_worker limit 1
  ) o
  cross join lateral (
    select g.tenant_id, g.id, g.message_id, g.user_id, g.conversation_id, g.source, g.provider, g.model, g.response_model, g.status,
      g.finish_reason, g.failure, g.tokens_in, g.tokens_out, g.approx_tokens_in, g.approx_tokens_out, g.cost_usd, g.prompt_length,
      g.response_length, g.request_id, g.trace_id, g.tracked_as, g.parent_span_id, g.created_at, g.admitted_at, g.started_at,
      g.first_token_at, g.model_ended_at, g.ended_at, g.content
    from app.generations g where g.tenant_id = c.tenant_id and g.id = c.generation_id limit 1
  ) g
  -- Missing once it is deleted: then only the account is sent.
  left join lateral (
    select m.id, m.content, m.response, m.request, m.log, m.token_lengths from app.messages m where m.tenant_id = g.tenant_id and m.id = g.message_id limit 1
  ) m on true
  order by g.ended_at;
end $$;

-- Stores the results of claimed records: a JSON list of tenant_id, generation_id, revision and
--   outcome    done; later, after delay_ms; parked, for good, with the reason
--   run_id, run_done, trace_sent, unsure    the delivery state
--   counts     whether the failure was the record's own
--   feedback   a list of user_id and revision that arrived
-- A claim that expired and was taken by another process is settled by that process. Nothing waits for a user who changes an opinion at that
-- moment: there is more to send, and it is claimed again when this claim expires.
create function tracking.settle(p_worker uuid, p_results jsonb) returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
  with given as (
    select * from jsonb_to_recordset(p_results) as given (
      tenant_id uuid, generation_id uuid, revision integer, outcome text, delay_ms double precision, reason text,
      run_id text, run_done boolean, trace_sent boolean, unsure boolean, counts boolean, feedback jsonb
    )
  ), opinions as (
    select f.tenant_id, f.message_id, f.user_id, arrived.revision
    from given v
    cross join lateral (
      select g.message_id from app.generations g where g.tenant_id = v.tenant_id and g.id = v.generation_id limit 1
    ) g
    cross join jsonb_to_recordset(coalesce(v.feedback, '[]')) as arrived (user_id uuid, revision integer)
    cross join lateral (
      select f.tenant_id, f.message_id, f.user_id from app.feedback f
      where f.tenant_id = v.tenant_id and f.message_id = g.message_id and f.user_id = arrived.user_id
      for no key update skip locked
    ) f
  ), told as (
    update app.feedback f set sent_revision = o.revision from opinions o
    where f.tenant_id = o.tenant_id and f.message_id = o.message_id and f.user_id = o.user_id
  ), mine as (
    select v.*, o.revision as kept from given v
    cross join lateral (
      select o.revision from app.tracking_outbox o
      where o.tenant_id = v.tenant_id and o.generation_id = v.generation_id and o.claimed_by = p_worker
      for update skip locked
    ) o
  ), finished as (
    delete from app.tracking_outbox o using mine v
    where o.tenant_id = v.tenant_id and o.generation_id = v.generation_id and v.outcome = 'done' and v.kept = v.revision
  )
  update app.tracking_outbox o set
    claimed_by = null, claimed_until = null, run_id = v.run_id, run_done = v.run_done, trace_sent = v.trace_sent, unsure = v.unsure,
    attempts = o.attempts + v.counts::integer, next_attempt_at = now() + make_interval(secs => coalesce(v.delay_ms, 0) / 1000),
    parked_reason = case when v.outcome = 'parked' then left(v.reason, 1000) end
  from mine v
  where o.tenant_id = v.tenant_id and o.generation_id = v.generation_id and not (v.outcome = 'done' and v.kept = v.revision);
end;

-- How far MLflow is behind.
create function tracking.lag() returns table (pending bigint, parked bigint, oldest_seconds double precision)
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select count(*) filter (where o.parked_reason is null), count(*) filter (where o.parked_reason is not null),
    coalesce(extract(epoch from now() - min(o.created_at) filter (where o.parked_reason is null)), 0)::double precision
  from app.tracking_outbox o;
end;

-- Tries parked records again, once the reason is gone. Returns how many.
create function tracking.unpark() returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_count integer;
begin
  update app.tracking_outbox o set parked_reason = null, attempts = 0, next_attempt_at = now() where o.parked_reason is not null;
  get diagnostics v_count = row_count;
  return v_count;
end $$;

-- With tracking switched off: discards records that will not be sent. Returns how many.
create function tracking.forget(p_limit integer) returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_count integer;
begin
  delete from app.tracking_outbox o using (
    select w.tenant_id, w.generation_id from app.tracking_outbox w where w.claimed_until is null or w.claimed_until < now()
    limit p_limit for update skip locked
  ) gone
  where o.tenant_id = gone.tenant_id and o.generation_id = gone.generation_id;
  get diagnostics v_count = row_count;
  return v_count;
end $$;

-- A changed opinion is sent too. While the answer still runs there is no record to add it to: the record of its end will include it. The
-- lock keeps that end from coming in between.
create function tracking.feedback_given() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  given_for record;
begin
  if tg_op = 'UPDATE' then
    new.revision := old.revision + 1;
    new.updated_at := now();
  end if;
  for given_for in
    select g.id, g.ended_at from app.generations g where g.tenant_id = new.tenant_id and g.message_id = new.message_id for share
  loop
    continue when given_for.ended_at is null;
    insert into app.tracking_outbox as o (tenant_id, generation_id, run_done, trace_sent) values (new.tenant_id, given_for.id, true, true)
    on conflict (tenant_id, generation_id) do update set revision = o.revision + 1;
  end loop;
  return new;
end $$;

-- The owner of a trigger must be allowed to call its function; the role that fires it need not be.
grant execute on function tracking.feedback_given() to llm_owner;
set local role llm_owner;

create trigger feedback_given before insert or update of rating, comment on app.feedback
  for each row execute function tracking.feedback_given();

-- Generation writes authorised by a lease: an answer outlives its client, its token and even its user, and must still be stored. SECURITY
-- DEFINER, owned by a role that has these columns and nothing else. Only the holder of a generation's lease, an unguessable id of one
-- process, writes it; no function here returns content.
set local role llm_work;

-- Why a generation could not be locked: its row is `busy`, or it is `lost`.
create function work.missed(p_lease uuid, p_tenant uuid, p_generation uuid) returns text
  language sql stable
  return case when exists (
    select from app.generations g
    where g.tenant_id = p_tenant and g.id = p_generation and g.lease_owner = p_lease and g.ended_at is null
  ) then 'busy' else 'lost' end;

-- Adds new chunks, for any number of generations of any tenants in one statement. p_tokens: a JSON list of strings each. Returns the
-- exceptions: `cancel`: it was asked to stop, or its question is deleted; `lost`: another process has the lease, or it has ended; `busy`:
-- another transaction has its row, so nothing was added, and the same must be sent again. Nothing here waits: one tenant's transaction
-- would delay all others whose chunks are in the same statement. The share lock keeps the end from coming in between: a chunk stored after
-- the end would stay for good. `ended_at is null` and not the status: the status would let the index of running generations replace the
-- primary key, and be read whole for each row. A plan made once for any number of rows may be a nested loop: so each row is looked up by
-- its key, which a locking subquery ensures, and `not in` is hashed whatever the planner expects. A chunk sent again with more tokens,
-- since the answer to it was lost, grows.
create function work.append(p_lease uuid, p_tenants uuid[], p_generations uuid[], p_seqs integer[], p_tokens text[])
  returns table (generation_id uuid, reason text)
  language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
  with given as (
    select * from unnest(p_tenants, p_generations, p_seqs, p_tokens) as given (tenant_id, id, seq, tokens) order by 1, 2
  ), mine as (
    select v.*, g.user_id, g.message_id, g.conversation_id, g.cancel_requested_at is not null as cancelled from given v
    cross join lateral (
      select g.user_id, g.message_id, g.conversation_id, g.cancel_requested_at from app.generations g
      where g.tenant_id = v.tenant_id and g.id = v.id and g.lease_owner = p_lease and g.ended_at is null
      for share skip locked
    ) g
  ), added as (
    insert into app.generation_chunks as c (tenant_id, generation_id, seq, user_id, message_id, conversation_id, tokens)
    select m.tenant_id, m.id, m.seq, m.user_id, m.message_id, m.conversation_id,
      array(select t.value from jsonb_array_elements_text(m.tokens::jsonb) with ordinality t (value, place) order by t.place)
    from mine m
    on conflict (tenant_id, generation_id, seq) do update set tokens = excluded.tokens
      where cardinality(excluded.tokens) > cardinality(c.tokens)
  )
  select m.id, 'cancel' from mine m
  where m.cancelled or m.message_id is null or exists (
    select from app.deletions d where d.tenant_id = m.tenant_id and d.id in (m.message_id, m.conversation_id, m.user_id)
  )
  union all
  select v.id, work.missed(p_lease, v.tenant_id, v.id) from given v
  where (v.tenant_id, v.id) not in (select m.tenant_id, m.id from mine m);
end;

-- Renews leases. Returns as above, and `followed` for generations read at another process. A lease that was `busy` is renewed with the next
-- round: a lease lasts ten rounds.
create function work.renew(p_lease uuid, p_tenants uuid[], p_generations uuid[])
  returns table (generation_id uuid, reason text)
  language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
  with given as (
    select * from unnest(p_tenants, p_generations) as given (tenant_id, id) order by 1, 2
  ), mine as (
    select v.* from given v
    cross join lateral (
      select from app.generations g
      where g.tenant_id = v.tenant_id and g.id = v.id and g.lease_owner = p_lease and g.ended_at is null
      for no key update skip locked
    ) g
  ), renewed as (
    update app.generations g set lease_until = now() + interval '30 seconds' from mine m
    where g.tenant_id = m.tenant_id and g.id = m.id
    returning g.tenant_id, g.id, g.followed_until,
      g.cancel_requested_at is not null or g.message_id is null or exists (
        select from app.deletions d where d.tenant_id = g.tenant_id and d.id in (g.message_id, g.conversation_id, g.user_id)
      ) as cancelled
  )
  select m.id, case when m.cancelled then 'cancel' else 'followed' end from renewed m
  where m.cancelled or m.followed_until > now()
  union all
  select v.id, work.missed(p_lease, v.tenant_id, v.id) from given v
  where (v.tenant_id, v.id) not in (select m.tenant_id, m.id from renewed m);
end;

-- What stays of an admission: which budgets it was counted in, for the check of the books. Null: in none.
create function work.taken_of(p_admission jsonb) returns jsonb
  language sql immutable parallel safe
  return case when p_admission -> 'taken' <> '[]' then p_admission - 'prices' end;

-- Ends generations, of any tenants, in one statement: each with its answer, its account and the record for tracking, or with none of them.
-- Returns the exceptions: `lost`: it had ended already, or another process has its lease; `busy`: another transaction has its row or its
-- message's, so nothing was written, and the same must be sent again. Nothing here waits, as in work.append. p_endings: a list of the
-- columns of app.generations that are known at the end, with tenant, id and lease; times as milliseconds since 1970 (GenerationEnding in
-- packages/domain/src/GenerationRecord.ts). p_responses and p_token_lengths in the same order; the lengths of one answer are an array of
-- integers as text, since arrays in an array have one length. Each has its row in the ledger: of `items`, what was used at which price; `priced`,
-- whether all prices and counts are known; `tokens_used`, of all calls. p_logs: the whole log of an answer that is more than its text, else empty. The
-- settings: each row is looked up by its key, however many the planner
-- expects. One costs 410 µs, each further one 85.
create function work.finish_many(p_endings jsonb, p_responses text[], p_token_lengths text[], p_logs text[] default '{}')
  returns table (generation_id uuid, reason text)
  language sql volatile security definer set search_path = pg_catalog, pg_temp
  set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
begin atomic
  with given as (
    select * from rows from (
      jsonb_to_recordset(p_endings) as (
        tenant_id uuid, id uuid, lease_owner uuid, status text, finish_reason text, failure text, response_model text, tokens_in integer,
        tokens_out integer, approx_tokens_out integer, cost_usd float8, started_at float8, first_token_at float8, model_ended_at float8,
        usage jsonb, attempts jsonb, tool_calls text, items jsonb, priced boolean, tokens_used bigint
      ), unnest(p_responses), unnest(p_token_lengths), unnest(p_logs)
    ) as given (
      tenant_id, id, lease_owner, status, finish_reason, failure, response_model, tokens_in, tokens_out, approx_tokens_out, cost_usd,
      started_at, first_token_at, model_ended_at, usage, attempts, tool_calls, items, priced, tokens_used,
      response, token_lengths, log
    )
  ), mine as (
    select v.*, g.message_id, g.user_id, g.key_id, g.provider, g.model, g.approx_tokens_in, g.created_at, g.admission, c.cost, c.cost * t.markup as amount
    from given v
    cross join lateral (
      select g.message_id, g.user_id, g.key_id, g.provider, g.model, g.approx_tokens_in, g.created_at, g.admission from app.generations g
      where g.tenant_id = v.tenant_id and g.id = v.id and g.lease_owner = v.lease_owner and g.ended_at is null
      for no key update skip locked
    ) g
    left join lateral (
      select m.id from app.messages m where m.tenant_id = v.tenant_id and m.id = g.message_id for no key update skip locked
    ) m on true
    cross join lateral (select t.markup from app.tenants t where t.id = v.tenant_id) t
    cross join lateral (
      select coalesce(sum(i.quantity * i.price), 0) as cost from jsonb_to_recordset(v.items) i (quantity numeric, price numeric)
    ) c
    where g.message_id is null or m.id is not null
  ), ended as (
    update app.generations g set
      status = e.status, finish_reason = e.finish_reason, failure = e.failure, response_model = left(e.response_model, 200),
      tokens_in = e.tokens_in, tokens_out = e.tokens_out, approx_tokens_out = e.approx_tokens_out, usage = e.usage,
      admission = work.taken_of(e.admission),
      cost_usd = case when e.items is null then e.cost_usd::numeric when e.priced then e.amount end,
      response_length = char_length(e.response), started_at = to_timestamp(e.started_at / 1000),
      first_token_at = to_timestamp(e.first_token_at / 1000), model_ended_at = to_timestamp(e.model_ended_at / 1000),
      -- Times by the process's clock, as all times of a generation; this duration by the database's: no difference of two clocks.
      ended_at = coalesce(to_timestamp(e.model_ended_at / 1000), g.created_at) + (clock_timestamp() - statement_timestamp())
    from mine e where g.tenant_id = e.tenant_id and g.id = e.id
    returning g.tenant_id, g.id
  ), answered as (
    update app.messages m set response = e.response, token_lengths = e.token_lengths::integer[], log = nullif(e.log, ''),
      tool_calls = e.tool_calls, account = app.account_members(e.id, coalesce(left(e.response_model, 200), e.model), e.status, e.finish_reason, e.failure, e.tokens_in,
        e.tokens_out, e.approx_tokens_in, e.approx_tokens_out, e.created_at, to_timestamp(e.first_token_at / 1000),
        to_timestamp(e.model_ended_at / 1000))
    from mine e where m.tenant_id = e.tenant_id and m.id = e.message_id
  ), called as (
    insert into app.attempts (
      tenant_id, generation_id, number, user_id, provider, model, key_source, response_model, upstream_id, http_status, failure, tokens_in,
      tokens_out, usage, started_at, first_token_at, ended_at
    )
    select e.tenant_id, e.id, a.number, e.user_id, left(a.provider, 100), left(a.model, 200), a.key_source, left(a.response_model, 200),
      left(a.upstream_id, 200), a.http_status, left(a.failure, 50), a.tokens_in, a.tokens_out, a.usage, to_timestamp(a.started_at / 1000),
      to_timestamp(a.first_token_at / 1000), to_timestamp(a.ended_at / 1000)
    from mine e cross join lateral jsonb_to_recordset(e.attempts) as a (
      number smallint, provider text, model text, key_source text, response_model text, upstream_id text, http_status smallint, failure text,
      tokens_in integer, tokens_out integer, usage jsonb, started_at float8, first_token_at float8, ended_at float8
    )
  ), booked as (
    insert into app.ledger (
      tenant_id, id, kind, generation_id, user_id, key_id, provider, model, items, tenant_amount, provider_amount, margin_amount
    )
    select e.tenant_id, e.id, 'usage', e.id, e.user_id, e.key_id, e.provider, e.model, coalesce(e.items, '[]'), e.amount, -e.cost, e.cost - e.amount
    from mine e
  ), queued as (
    insert into app.usage_queue (tenant_id, ledger_id) select e.tenant_id, e.id from mine e
  ), settled as (
    insert into app.counter_changes (tenant_id, subject, period, generation_id, starts_at, released, spent, tokens)
    select e.tenant_id, t.subject, t.period, e.id, t.starts_at, coalesce(t.reserved, 0), case when t.period = 'minute' then 0 else e.amount end,
      case when t.period = 'minute' then coalesce(e.tokens_used, 0) - t.tokens else 0 end
    from mine e
    cross join lateral jsonb_to_recordset(e.admission -> 'taken') t (subject text, period text, starts_at timestamptz, reserved numeric, tokens bigint)
  ), given_back as (
    delete from app.idempotency_keys k using mine e
    where e.status in ('failed', 'interrupted') and e.response = '' and coalesce(e.log, '') = '' and k.tenant_id = e.tenant_id and k.message_id = e.message_id
  ), unneeded as (
    delete from app.generation_chunks c using mine e where c.tenant_id = e.tenant_id and c.generation_id = e.id
  ), tracked as (
    insert into app.tracking_outbox (tenant_id, generation_id) select e.tenant_id, e.id from ended e
  )
  select v.id, work.missed(v.lease_owner, v.tenant_id, v.id) from given v
  where (v.tenant_id, v.id) not in (select m.tenant_id, m.id from mine m);
end;

-- Ends one, for programs of before work.finish_many. False: it had ended already. A row that another transaction has fails with 55P03.
create function work.finish(p_ending jsonb, p_response text, p_token_lengths integer[]) returns boolean
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_reason text;
begin
  select m.reason into v_reason
  from work.finish_many(jsonb_build_array(p_ending), array[p_response], array[p_token_lengths::text]) m;
  if v_reason = 'busy' then raise exception 'another transaction has this generation' using errcode = '55P03'; end if;
  return v_reason is null;
end $$;

-- What an entry of a log adds to the visible text: itself, or the text of a refusal or of a provider's own event; see visibleText in
-- packages/domain/src/ModelEvent.ts. An event with a NUL in its text has none that could be stored.
create function work.visible_text(p_entry text) returns text
  language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
begin
  if not starts_with(p_entry, E'\x1e{') then return p_entry; end if;
  return case
    when substr(p_entry, 2)::json ->> 'type' in ('refusal', 'raw') and coalesce(substr(p_entry, 2)::json ->> 'choice', '0') = '0'
    then coalesce(substr(p_entry, 2)::json ->> 'text', '') else ''
  end;
exception when data_exception then
  return '';
end $$;

-- Books an answer of a lost process: the provider did what is stored of it, as far as we know. An answer without a token costs nothing.
create function work.book_lost(
  p_tenant uuid, p_id uuid, p_user uuid, p_key uuid, p_provider text, p_model text, p_admission jsonb, p_tokens_in integer, p_tokens_out integer
) returns void
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_items jsonb := '[]';
  v_cost numeric := 0;
  v_amount numeric;
  -- All that the model was sent, and no more than the answer could be: what was reserved is enough.
  v_tokens_in constant bigint := coalesce((p_admission #>> '{prices,input,tokens}')::bigint, p_tokens_in);
  v_tokens_out constant bigint := least(p_tokens_out, (p_admission #>> '{prices,output,tokens}')::bigint);
begin
  if p_tokens_out > 0 then
    select jsonb_agg(jsonb_build_object('attempt', 1, 'unit', u.unit, 'quantity', u.quantity, 'price_id', p.price ->> 'price_id',
        'price', p.price ->> 'price', 'estimated', true)),
      coalesce(sum(u.quantity * (p.price ->> 'price')::numeric), 0)
      into v_items, v_cost
    from (values ('input', v_tokens_in), ('output', v_tokens_out)) u (unit, quantity)
    cross join lateral (select p_admission -> 'prices' -> u.unit as price) p;
  end if;
  select v_cost * t.markup into v_amount from app.tenants t where t.id = p_tenant;
  insert into app.ledger (
    tenant_id, id, kind, generation_id, user_id, key_id, provider, model, items, tenant_amount, provider_amount, margin_amount
  )
  values (p_tenant, p_id, 'usage', p_id, p_user, p_key, p_provider, p_model, v_items, v_amount, -v_cost, v_cost - v_amount);
  insert into app.usage_queue (tenant_id, ledger_id) values (p_tenant, p_id);
  insert into app.counter_changes (tenant_id, subject, period, generation_id, starts_at, released, spent, tokens)
  select p_tenant, t.subject, t.period, p_id, t.starts_at, coalesce(t.reserved, 0), case when t.period = 'minute' then 0 else v_amount end,
    case when t.period = 'minute' then case when p_tokens_out > 0 then v_tokens_in + v_tokens_out else 0 end - t.tokens else 0 end
  from jsonb_to_recordset(p_admission -> 'taken') t (subject text, period text, starts_at timestamptz, reserved numeric, tokens bigint);
  update app.generations g set cost_usd = v_amount
  where g.tenant_id = p_tenant and g.id = p_id and (p_tokens_out = 0 or p_admission -> 'prices' is not null);
end $$;

-- Ends generations of lost processes, with the text there is; removes idempotency keys older than a day. Any process may call it at any
-- time: rows locked by another process are skipped. Returns how many generations were ended.
create function work.sweep(p_limit integer) returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  lost record;
  old record;
  v_response text;
  v_log text;
  v_lengths integer[];
  v_words integer;
  v_count integer := 0;
begin
  for lost in
    select g.tenant_id, g.id, g.message_id, g.user_id, g.key_id, g.provider, g.model, g.admitted_at, g.approx_tokens_in, g.admission
    from app.generations g
    where g.status = 'streaming' and g.lease_until < now()
    order by g.lease_until limit p_limit
  loop
    -- First the message, see above; without waiting.
    perform from app.messages m where m.tenant_id = lost.tenant_id and m.id = lost.message_id for no key update skip locked;
    continue when lost.message_id is not null and not found;
    perform from app.generations g
    where g.tenant_id = lost.tenant_id and g.id = lost.id and g.ended_at is null and g.lease_until < now()
      and g.message_id is not distinct from lost.message_id
    for update skip locked;
    continue when not found;

    select coalesce(string_agg(work.visible_text(t.token), '' order by c.seq, t.place), ''),
      case when bool_or(starts_with(t.token, E'\x1e{')) then string_agg(t.token, '' order by c.seq, t.place) end,
      coalesce(array_agg(char_length(t.token) order by c.seq, t.place), '{}')
      into v_response, v_log, v_lengths
    from app.generation_chunks c cross join unnest(c.tokens) with ordinality as t (token, place)
    where c.tenant_id = lost.tenant_id and c.generation_id = lost.id;

    v_words := octet_length(coalesce(v_log, v_response));
    perform work.book_lost(lost.tenant_id, lost.id, lost.user_id, lost.key_id, lost.provider, lost.model, lost.admission, lost.approx_tokens_in,
      (v_words + 3) / 4);
    update app.generations g set status = 'interrupted', failure = 'process_lost', response_length = char_length(v_response),
      admission = work.taken_of(lost.admission),
      approx_tokens_out = (octet_length(v_response) + 3) / 4, ended_at = greatest(clock_timestamp(), g.created_at)
    where g.tenant_id = lost.tenant_id and g.id = lost.id;
    update app.messages m set response = v_response, token_lengths = v_lengths, log = v_log
    where m.tenant_id = lost.tenant_id and m.id = lost.message_id;
    -- The call that was under way. Earlier ones that failed were known to the lost process only.
    insert into app.attempts (tenant_id, generation_id, number, user_id, provider, model, key_source, failure, started_at)
    values (lost.tenant_id, lost.id, 1, lost.user_id, lost.provider, lost.model, 'installation', 'process_lost', lost.admitted_at);
    if v_response = '' and v_log is null then
      delete from app.idempotency_keys k where k.tenant_id = lost.tenant_id and k.message_id = lost.message_id;
    end if;
    delete from app.generation_chunks c where c.tenant_id = lost.tenant_id and c.generation_id = lost.id;
    insert into app.tracking_outbox (tenant_id, generation_id) values (lost.tenant_id, lost.id);
    v_count := v_count + 1;
  end loop;

  -- Row by row: joined with its old rows, the table was read whole for each of them by a plan from when it was empty, which connections
  -- keep until the next ANALYZE. With 100,000 young keys a sweep took 1.5 s, and 1,000 old ones among them ran into the time limit.
  for old in
    select a.tenant_id, a.owner, a.key from app.idempotent_answers a where a.created_at < now() - interval '1 day'
    order by a.created_at limit 1000
  loop
    delete from app.idempotent_answers a where a.tenant_id = old.tenant_id and a.owner = old.owner and a.key = old.key;
  end loop;
  for old in
    select k.tenant_id, k.user_id, k.key from app.idempotency_keys k where k.created_at < now() - interval '1 day'
    order by k.created_at limit 1000 for update skip locked
  loop
    delete from app.idempotency_keys k where k.tenant_id = old.tenant_id and k.user_id = old.user_id and k.key = old.key;
  end loop;

  -- At the end: admissions wait for the rows that it locks.
  perform work.take_in_old(p_limit);
  return v_count;
end $$;

-- The result of the request with this key. No row: the key was not used. outcome null: its message is deleted, and the key may be used
-- again. p_retry: the request is another try of the same one, whose sender has no answer: what ended otherwise than whole, is not kept or is
-- older than ten minutes is asked again.
create function app.key_used(p_tenant uuid, p_user uuid, p_key text, p_body_hash text, p_retry boolean)
  returns table (outcome text, message_id uuid, generation_id uuid, status text)
  language sql stable
begin atomic
  select
    case
      when m.id is null then null
      when k.body_hash <> p_body_hash then 'mismatch'
      when p_retry and not (
        g.status = 'streaming' or g.status = 'completed' and g.content <> 'removed' and k.created_at > now() - interval '10 minutes'
      ) then null
      else 'known'
    end,
    case when m.id is null or k.body_hash = p_body_hash then k.message_id end,
    case when m.id is null or k.body_hash = p_body_hash then k.generation_id end, g.status
  from (
    select k.* from app.idempotency_keys k where k.tenant_id = p_tenant and k.user_id = p_user and k.key = p_key
  ) k
  left join lateral (select m.id from app.messages m where m.tenant_id = p_tenant and m.id = k.message_id) m on true
  left join lateral (select g.status, g.content from app.generations g where g.tenant_id = p_tenant and g.id = k.generation_id) g on true;
end;

-- The ids of the calls of tools in the last answer of a conversation, in order. Null: it calls none.
create function app.calls_of(p_tenant uuid, p_conversation uuid) returns text[]
  language sql stable
begin atomic
  select (select array_agg(c.call ->> 'id' order by (c.call ->> 'id') collate "C") from json_array_elements(l.tool_calls::json) c (call))
  from (
    select e.id, e.tool_calls
    from (
      -- As in app.ask.
      select n.id, n.response, n.tool_calls from app.messages n
      where n.tenant_id = p_tenant and n.conversation_id <= p_conversation and n.conversation_id >= p_conversation
      order by n.conversation_id desc, n.id desc limit 300
    ) e
    where e.response <> '' or e.tool_calls is not null order by e.id desc limit 1
  ) l;
end;

-- Asks, with the user's own rights: enters as app.enter does, then stores the question, its place in a conversation, the generation with
-- its lease and the idempotency key. One statement that is a transaction of its own: separate BEGIN, enter and COMMIT statements were a
-- tenth of the program's work per question.
--
-- p_question: the columns of app.generations that are known now, times as milliseconds since 1970, and also `idempotency_key`, `body_hash`,
-- `history_characters`, the most characters of earlier turns to return, `keep`, false where the client wants no content kept, and `tries`:
-- null for a key that a client gave, which names one request for good; `first` for a key made of the request's body, which the latest such
-- request takes over; `again` for another try of that one (AskedQuestion in packages/database/src/Tenancy.ts). Named fields, so that a
-- compiler finds two ids that are swapped. `takes_model`: the question names no model, and the conversation's is meant where it has one.
-- `answers`: the ids of the calls of tools that it has results for.
-- p_request: the body as it was sent, of requests under /v1; of questions the members that they have, where that is more than the text.
--
-- `estimate`, `worst`, `prices`: what work.admit takes of it, and what it costs if this process is lost; `may_wait`: whether it may wait for
-- other admissions.
--
-- outcome: `asked`; `known`: this key was used for the same request, here is its result; `mismatch`: it was used for another one;
-- `no_conversation`; `other_model`: nothing was stored, since the conversation has another model, which `model` names; `other_calls`:
-- likewise, since the last answer of the conversation calls other tools than these; `not_allowed`: likewise, since the tenant's plan does not
-- have the model; and those of work.admit, by which nothing was stored either, with its refusal. standing: see there. unflushed: limits hold, and what this stored may be on disk only
-- after work.flush. history: earlier turns
-- of the conversation, oldest first, within history_characters, and in any case the one whose calls are answered; `request` and `tool_calls` where they are more than texts, the latest ones up
-- to 4 MB: a tenant may have a hundred questions at once, and each holds what it is sent with. system: the conversation's instructions.
create function app.ask(p_tenant uuid, p_user uuid, p_epoch integer, p_needs text, p_question jsonb, p_content text, p_request text default null, p_session uuid default null)
  returns table (
    outcome text, message_id uuid, generation_id uuid, status text, history jsonb, model text, system text, refusal jsonb, standing jsonb, unflushed boolean
  )
  language plpgsql volatile
as $$
declare
  p_message constant uuid := p_question ->> 'message_id';
  p_generation constant uuid := p_question ->> 'id';
  p_conversation constant uuid := p_question ->> 'conversation_id';
  p_key constant text := p_question ->> 'idempotency_key';
  p_body_hash constant text := p_question ->> 'body_hash';
  p_tries constant text := p_question ->> 'tries';
  p_takes_model constant boolean := coalesce((p_question ->> 'takes_model')::boolean, false);
  v_keep boolean;
  v_limited boolean;
  v_allowed boolean;
  v_other_calls boolean := false;
  v_outcome text;
  v_message uuid;
  v_generation uuid;
  v_status text;
  v_model text;
  v_system text;
  v_refusal jsonb;
  v_standing jsonb;
  v_taken jsonb;
  v_counted boolean := false;
  v_unflushed boolean := false;
  turns jsonb := '[]';
begin
  perform app.enter(p_tenant, p_user, p_epoch, p_needs, p_session);
  if p_key is not null then
    select k.outcome, k.message_id, k.generation_id, k.status into v_outcome, v_message, v_generation, v_status
    from app.key_used(p_tenant, p_user, p_key, p_body_hash, p_tries is not null) k;
    if v_outcome is not null and p_tries is distinct from 'first' then
      return query select v_outcome, v_message, v_generation, v_status, turns, v_model, v_system, v_refusal, v_standing, v_unflushed;
      return;
    end if;
  end if;

  select t.content_retention <> 'none' and (p_question ->> 'keep') is distinct from 'false', t.limited,
    t.models is null or p_question ->> 'model' = any (t.models)
    into v_keep, v_limited, v_allowed
  from app.tenants t where t.id = p_tenant;

  -- By itself: a condition with a query in it is planned and run as one, which each question would pay for.
  if p_question ? 'answers' then
    select app.calls_of(p_tenant, p_conversation) is distinct from array_agg(a.id order by a.id collate "C") into v_other_calls
    from jsonb_array_elements_text(p_question -> 'answers') a (id);
  end if;
  if v_other_calls then
    return query select case when exists (
        select from app.conversations c where c.tenant_id = p_tenant and c.id = p_conversation and c.user_id = p_user
      ) then 'other_calls' else 'no_conversation' end, null::uuid, null::uuid, null::text, turns, v_model, v_system, v_refusal, v_standing, v_unflushed;
    return;
  end if;

  if p_conversation is not null then
    select c.system into v_system from app.conversations c
    where c.tenant_id = p_tenant and c.id = p_conversation and c.user_id = p_user
      and (not p_takes_model or c.model is null or c.model = p_question ->> 'model')
    for no key update;
    if not found then
      select c.model into v_model from app.conversations c
      where p_takes_model and c.tenant_id = p_tenant and c.id = p_conversation and c.user_id = p_user;
      return query select case when found then 'other_model' else 'no_conversation' end, null::uuid, null::uuid, null::text, turns, v_model,
        v_system, v_refusal, v_standing, v_unflushed;
      return;
    end if;
    select coalesce(jsonb_agg(
      case
        when t.request is null and t.tool_calls is null then jsonb_build_object('content', t.content, 'response', t.response)
        else jsonb_build_object('content', t.content, 'response', t.response, 'tool_calls', t.tool_calls,
          'request', case when t.bytes <= 4000000 then t.request end)
      end order by t.id), '[]') into turns
    from (
      select m.id, m.content, m.response, m.request, m.tool_calls,
        sum(char_length(m.content) + char_length(m.response) + coalesce(char_length(m.tool_calls), 0)) over latest as total,
        sum(octet_length(m.request)) over latest as bytes, row_number() over latest as place
      from (
        select e.id, e.content, e.response, e.request, e.tool_calls
        from (
          -- Two bounds and no `=`: then only one index has this order, see packages/engine/src/Pages.ts.
          select n.id, n.content, n.response, n.request, n.tool_calls from app.messages n
          where n.tenant_id = p_tenant and n.conversation_id <= p_conversation and n.conversation_id >= p_conversation
          order by n.conversation_id desc, n.id desc limit 300
        ) e
        where e.response <> '' or e.tool_calls is not null order by e.id desc limit 100
      ) m
      window latest as (order by m.id desc)
    ) t
    where t.total <= (p_question ->> 'history_characters')::integer or p_question ? 'answers' and t.place = 1;
  end if;

  if not v_allowed then
    return query select 'not_allowed', null::uuid, null::uuid, null::text, '[]'::jsonb, v_model, v_system, v_refusal, v_standing, v_unflushed;
    return;
  end if;

  if v_limited then
    select a.outcomes[1], a.refusals[1], a.standings[1], a.taken[1], a.counted, a.locked
      into v_outcome, v_refusal, v_standing, v_taken, v_counted, v_unflushed
    -- With the conversation's instructions, which the process does not know yet: at most a token for two bytes.
    from work.admit(p_tenant, p_user, (p_question ->> 'key_id')::uuid, p_question ->> 'model',
      array[(p_question ->> 'estimate')::bigint + coalesce(octet_length(v_system) / 4, 0)],
      array[(p_question ->> 'worst')::numeric + coalesce(octet_length(v_system) / 2 * (p_question #>> '{prices,input,price}')::numeric, 0)],
      coalesce((p_question ->> 'may_wait')::boolean, true)) a;
    if v_outcome <> 'admitted' then
      return query select v_outcome, null::uuid, null::uuid, null::text, '[]'::jsonb, v_model, v_system, v_refusal, v_standing, v_unflushed;
      return;
    end if;
  end if;

  if p_conversation is not null then
    update app.conversations c set updated_at = now(),
      title = coalesce(c.title, nullif(btrim(left(regexp_replace(case when v_keep then p_content else '' end, '[[:cntrl:][:space:]]+', ' ', 'g'), 80)), ''))
    where c.tenant_id = p_tenant and c.id = p_conversation;
  end if;

  -- The key first: of two requests with one key at once, the second waits for the first at the key's row, and then finds it there. All
  -- three in one statement, because foreign keys are checked at its end.
  with mine as (
    insert into app.idempotency_keys as k (tenant_id, user_id, key, body_hash, message_id, generation_id)
    select p_tenant, p_user, p_key, p_body_hash, p_message, p_generation where p_key is not null
    on conflict (tenant_id, user_id, key) do update
      set body_hash = excluded.body_hash, message_id = excluded.message_id, generation_id = excluded.generation_id, created_at = now()
      where k.message_id = v_message or p_tries = 'first'
    returning k.generation_id
  ), taken as (
    select m.generation_id from mine m union all select p_generation where p_key is null
  ), question as (
    insert into app.messages (tenant_id, id, user_id, conversation_id, content, request)
    select p_tenant, p_message, p_user, p_conversation, p_content, p_request from taken
  )
  insert into app.generations (
    tenant_id, id, message_id, user_id, conversation_id, source, provider, model, lease_owner, approx_tokens_in, prompt_length,
    request_id, trace_id, parent_span_id, created_at, admitted_at, key_id, content, admission, counted
  )
  select p_tenant, t.generation_id, p_message, p_user, p_conversation, q.source, q.provider, q.model, q.lease_owner, q.approx_tokens_in,
    char_length(p_content), q.request_id, q.trace_id, q.parent_span_id, to_timestamp(q.created_at / 1000), to_timestamp(q.admitted_at / 1000),
    q.key_id, case when v_keep then 'kept' else 'leaving' end,
    case when v_taken is not null or p_question ? 'prices' then jsonb_build_object('taken', coalesce(v_taken, '[]'), 'prices', p_question -> 'prices') end,
    v_counted
  from taken t, jsonb_to_record(p_question) as q (
    source text, provider text, model text, lease_owner uuid, approx_tokens_in integer, request_id text, trace_id text,
    parent_span_id text, created_at float8, admitted_at float8, key_id uuid
  );
  if found then
    return query select 'asked', p_message, p_generation, 'streaming', turns, v_model, v_system, v_refusal, v_standing, v_unflushed;
  else
    return query select k.outcome, k.message_id, k.generation_id, k.status, '[]'::jsonb, v_model, v_system, v_refusal, v_standing, v_unflushed
      from app.key_used(p_tenant, p_user, p_key, p_body_hash, p_tries is not null) k where k.outcome is not null;
    if not found then
      raise exception 'the key was given back meanwhile' using errcode = '40001';
    end if;
    perform work.give_back(p_tenant, p_generation, v_taken);
  end if;
end $$;

-- As app.ask, for questions to one model that have neither a conversation nor an idempotency key, asked with one key: p_key, or null. One
-- statement stores them all: what each adds to it is a fifth of what it costs alone. A row for each, in their order; outcome: `asked`,
-- `not_allowed`, or one of work.admit. p_requests: '' for none.
create function app.ask_many(
  p_tenant uuid, p_user uuid, p_epoch integer, p_needs text, p_key uuid, p_model text, p_may_wait boolean, p_questions jsonb, p_contents text[],
  p_requests text[], p_session uuid default null
) returns table (outcome text, message_id uuid, generation_id uuid, refusal jsonb, standing jsonb, unflushed boolean)
  language plpgsql volatile
as $$
declare
  v_keep boolean;
  v_limited boolean;
  v_allowed boolean;
  v_outcomes text[];
  v_refusals jsonb[];
  v_standings text[];
  v_taken text[];
  v_tokens bigint[];
  v_worst numeric[];
  v_counted boolean := false;
  v_unflushed boolean := false;
begin
  perform app.enter(p_tenant, p_user, p_epoch, p_needs, p_session);
  select t.content_retention <> 'none', t.limited, t.models is null or p_model = any (t.models)
    into v_keep, v_limited, v_allowed
  from app.tenants t where t.id = p_tenant;
  if not v_allowed then
    return query select 'not_allowed', null::uuid, null::uuid, null::jsonb, null::jsonb, false from generate_subscripts(p_contents, 1);
    return;
  end if;
  if v_limited then
    select array_agg((q.value ->> 'estimate')::bigint order by q.place), array_agg((q.value ->> 'worst')::numeric order by q.place)
      into v_tokens, v_worst
    from jsonb_array_elements(p_questions) with ordinality q (value, place);
    select a.outcomes, a.refusals, a.standings, a.taken, a.counted, a.locked
      into v_outcomes, v_refusals, v_standings, v_taken, v_counted, v_unflushed
    from work.admit(p_tenant, p_user, p_key, p_model, v_tokens, v_worst, p_may_wait) a;
  end if;

  -- Both in one statement, because foreign keys are checked at its end.
  return query
  with given as (
    select q.*, coalesce(v_outcomes[q.place], 'admitted') as outcome
    from rows from (
      jsonb_to_recordset(p_questions) as (
        id uuid, message_id uuid, source text, provider text, lease_owner uuid, approx_tokens_in integer, request_id text, trace_id text,
        parent_span_id text, created_at float8, admitted_at float8, keep boolean, prices jsonb
      ),
      unnest(p_contents), unnest(p_requests)
    ) with ordinality q (
      id, message_id, source, provider, lease_owner, approx_tokens_in, request_id, trace_id, parent_span_id, created_at, admitted_at, keep, prices,
      content, request, place
    )
  ), question as (
    insert into app.messages (tenant_id, id, user_id, content, request)
    select p_tenant, g.message_id, p_user, g.content, nullif(g.request, '') from given g where g.outcome = 'admitted'
  ), generation as (
    insert into app.generations (
      tenant_id, id, message_id, user_id, source, provider, model, lease_owner, approx_tokens_in, prompt_length,
      request_id, trace_id, parent_span_id, created_at, admitted_at, key_id, content, admission, counted
    )
    select p_tenant, g.id, g.message_id, p_user, g.source, g.provider, p_model, g.lease_owner, g.approx_tokens_in,
      char_length(g.content), g.request_id, g.trace_id, g.parent_span_id, to_timestamp(g.created_at / 1000), to_timestamp(g.admitted_at / 1000),
      p_key, case when v_keep and g.keep is distinct from false then 'kept' else 'leaving' end,
      case when v_taken[g.place] is not null or g.prices is not null then
        jsonb_build_object('taken', coalesce(v_taken[g.place]::jsonb, '[]'), 'prices', g.prices) end,
      v_counted
    from given g where g.outcome = 'admitted'
  )
  select case when g.outcome = 'admitted' then 'asked' else g.outcome end, case when g.outcome = 'admitted' then g.message_id end,
    case when g.outcome = 'admitted' then g.id end, v_refusals[g.place], v_standings[g.place]::jsonb, v_unflushed
  from given g order by g.place;
end $$;

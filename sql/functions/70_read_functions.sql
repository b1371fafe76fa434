-- The most frequent reads, each in one statement that is a transaction of its own: enter, then read behind the wall as llm_tenant. Four
-- statements in one write cost the program twice as much CPU (GET /me 207 µs against 425, log line included). The answer is JSON as the
-- contract has it, which the program sends as it is: decoding and encoding it again cost 30 µs a row. Like app.enter: not SECURITY DEFINER,
-- and no search_path of its own.

-- A time as the contract writes it: UTC, with milliseconds.
create function app.contract_time(p_time timestamptz) returns text language sql stable parallel safe
  return to_char(p_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

create function app.own_profile(p_tenant uuid, p_user uuid, p_epoch integer, p_needs text) returns json
  language plpgsql volatile
as $$
declare
  answer json;
begin
  perform app.enter(p_tenant, p_user, p_epoch, p_needs);
  select json_build_object(
      'id', u.id, 'tenant_id', u.tenant_id, 'email', u.email, 'role', u.role, 'status', u.status,
      'created_at', app.contract_time(u.created_at),
      'tenant', json_build_object('id', t.id, 'name', t.name, 'registration', t.registration,
        'created_at', app.contract_time(t.created_at)))
    into answer
    from app.users u join app.tenants t on t.id = u.tenant_id
    where u.tenant_id = p_tenant and u.id = p_user;
  return answer;
end $$;

-- A page of messages with their generations' accounts, newest first: {"data": […], "next_cursor": …} (MessagePage in
-- packages/api/src/MessagesApi.ts). p_of: `own`: the user's; `tenant`: all that row-level security lets the user see; `conversation`:
-- p_conversation's. Null: the user may not see that conversation. p_after: the id after which the page begins, or null.
--
-- The planner has no statistics of rows, and its guesses may be wrong by any factor: for a user who had ten messages yesterday and has
-- 100,000 today it would sort the whole history for a page, 1 s instead of 1 ms. So it is left no choice, as in
-- packages/engine/src/Pages.ts: an owner is two bounds, so that only one index has the order; the length is behind a subquery; and each row
-- is looked up by its key, behind a limit.
create function app.message_page(
  p_tenant uuid, p_user uuid, p_epoch integer, p_needs text, p_of text, p_conversation uuid, p_after uuid, p_limit integer
) returns text
  language plpgsql volatile
as $$
declare
  v_after constant uuid := coalesce(p_after, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
  v_ids uuid[];
  v_data text;
begin
  perform app.enter(p_tenant, p_user, p_epoch, p_needs);
  -- One more than the page has: it says whether another one follows.
  if p_of = 'own' then
    v_ids := array(
      select m.id from app.messages m
      where m.tenant_id = p_tenant and m.user_id <= p_user and m.user_id >= p_user and m.id < v_after
      order by m.user_id desc, m.id desc limit (select p_limit + 1)
    );
  elsif p_of = 'tenant' then
    v_ids := array(
      select m.id from app.messages m where m.tenant_id = p_tenant and m.id < v_after
      order by m.id desc limit (select p_limit + 1)
    );
  else
    if not exists (select from app.conversations c where c.tenant_id = p_tenant and c.id = p_conversation) then return null; end if;
    v_ids := array(
      select m.id from app.messages m
      where m.tenant_id = p_tenant and m.conversation_id <= p_conversation and m.conversation_id >= p_conversation and m.id < v_after
      order by m.conversation_id desc, m.id desc limit (select p_limit + 1)
    );
  end if;

  select string_agg(row_to_json(r)::text, ',' order by r.id desc) into v_data
  from (
    select m.id, m.conversation_id, g.id as generation_id, m.user_id, m.content, m.response, coalesce(g.response_model, g.model) as model,
      g.status, g.finish_reason, g.failure, g.tokens_in, g.tokens_out, g.approx_tokens_in, g.approx_tokens_out,
      round(extract(epoch from g.model_ended_at - g.created_at) * 1000, 1)::float8 as latency_ms,
      round(extract(epoch from g.first_token_at - g.created_at) * 1000, 1)::float8 as ttft_ms,
      app.contract_time(g.created_at) as created_at
    from unnest(v_ids[:p_limit]) as i (id)
    cross join lateral (
      select m.id, m.conversation_id, m.user_id, m.content, m.response from app.messages m where m.tenant_id = p_tenant and m.id = i.id limit 1
    ) m
    cross join lateral (
      select g.id, g.response_model, g.model, g.status, g.finish_reason, g.failure, g.tokens_in, g.tokens_out, g.approx_tokens_in,
        g.approx_tokens_out, g.model_ended_at, g.first_token_at, g.created_at
      from app.generations g
      where g.tenant_id = p_tenant and g.message_id <= m.id and g.message_id >= m.id
      order by g.message_id desc limit 1
    ) g
  ) r;
  return '{"data":[' || coalesce(v_data, '') || '],"next_cursor":'
    || case when cardinality(v_ids) > p_limit then '"' || replace(v_ids[p_limit]::text, '-', '') || '"' else 'null' end || '}';
end $$;

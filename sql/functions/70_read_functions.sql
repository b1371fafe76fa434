-- The most frequent reads, each in one statement that is a transaction of its own: enter, then read behind the wall as llm_tenant. Four
-- statements in one write cost the program twice as much CPU (GET /me 207 µs against 425, log line included). The answer is JSON as the
-- contract has it, which the program sends as it is: decoding and encoding it again cost 30 µs a row. Like app.enter: not SECURITY DEFINER,
-- and no search_path of its own.

-- A time as the contract writes it: UTC, with milliseconds.
create function app.contract_time(p_time timestamptz) returns text language sql stable parallel safe
  return to_char(p_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

-- The milliseconds from one time to another, to a tenth.
create function app.milliseconds_to(p_end timestamptz, p_begin timestamptz) returns float8 language sql stable parallel safe
  return round(date_part('epoch', p_end - p_begin) * 10000) / 10;

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

-- The account of a message as the contract has it: members of a JSON object. One row; the planner puts it into the query that calls it.
-- The two bounds and the limit leave the planner no other way than the index on the message, whatever it was told of the table. Written as
-- text: row_to_json looks up every column's type for every row, 8 µs a row instead of 2.
create function app.account_of(p_tenant uuid, p_message uuid) returns table (members text) language sql stable
begin atomic
  select concat(
    '"generation_id":"', g.id, '","model":', to_json(coalesce(g.response_model, g.model)), ',"status":"', g.status,
    '","finish_reason":', coalesce('"' || g.finish_reason || '"', 'null'), ',"failure":', coalesce('"' || g.failure || '"', 'null'),
    ',"tokens_in":', coalesce(g.tokens_in::text, 'null'), ',"tokens_out":', coalesce(g.tokens_out::text, 'null'),
    ',"approx_tokens_in":', coalesce(g.approx_tokens_in::text, 'null'), ',"approx_tokens_out":', coalesce(g.approx_tokens_out::text, 'null'),
    ',"latency_ms":', coalesce(app.milliseconds_to(g.model_ended_at, g.created_at)::text, 'null'),
    ',"ttft_ms":', coalesce(app.milliseconds_to(g.first_token_at, g.created_at)::text, 'null'),
    ',"created_at":"', app.contract_time(g.created_at), '"'
  )
  from app.generations g
  where g.tenant_id = p_tenant and g.message_id <= p_message and g.message_id >= p_message
  order by g.message_id desc limit 1;
end;

-- A message as the contract has it, with the members of its account.
create function app.message_json(
  p_message uuid, p_conversation uuid, p_user uuid, p_content text, p_response text, p_account text
) returns text language sql stable parallel safe
  return concat(
    '{"id":"', p_message, '","conversation_id":', coalesce('"' || p_conversation::text || '"', 'null'), ',"user_id":"', p_user,
    '","content":', to_json(p_content), ',"response":', coalesce(to_json(p_response)::text, 'null'), ',', p_account, '}'
  );

-- A page of messages with their generations' accounts, newest first: {"data": […], "next_cursor": …} (MessagePage in
-- packages/api/src/MessagesApi.ts). p_of: `own`: the user's; `tenant`: all that row-level security lets the user see; `conversation`:
-- p_conversation's. Null: the user may not see that conversation. p_after: the id after which the page begins, or null.
--
-- The planner has no statistics of rows, and its guesses may be wrong by any factor: for a user who had ten messages yesterday and has
-- 100,000 today it would sort the whole history for a page, 1 s instead of 1 ms. So it is left no choice, as in
-- packages/engine/src/Pages.ts: an owner is two bounds, so that only one index has the order, and the length is behind a subquery.
create function app.message_page(
  p_tenant uuid, p_user uuid, p_epoch integer, p_needs text, p_of text, p_conversation uuid, p_after uuid, p_limit integer
) returns text
  language plpgsql volatile
as $$
declare
  v_after constant uuid := coalesce(p_after, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
  -- One row more than the page has: it says whether another page follows.
  v_ids uuid[];
  v_rows text[];
begin
  perform app.enter(p_tenant, p_user, p_epoch, p_needs);
  if p_of = 'own' then
    select array_agg(m.id), array_agg(app.message_json(m.id, m.conversation_id, m.user_id, m.content, m.response, a.members))
      into v_ids, v_rows from (
        select p.id, p.conversation_id, p.user_id, p.content, p.response from app.messages p
        where p.tenant_id = p_tenant and p.user_id <= p_user and p.user_id >= p_user and p.id < v_after
        order by p.user_id desc, p.id desc limit (select p_limit + 1)
      ) m cross join lateral app.account_of(p_tenant, m.id) a;
  elsif p_of = 'tenant' then
    select array_agg(m.id), array_agg(app.message_json(m.id, m.conversation_id, m.user_id, m.content, m.response, a.members))
      into v_ids, v_rows from (
        select p.id, p.conversation_id, p.user_id, p.content, p.response from app.messages p
        where p.tenant_id = p_tenant and p.id < v_after
        order by p.id desc limit (select p_limit + 1)
      ) m cross join lateral app.account_of(p_tenant, m.id) a;
  else
    if not exists (select from app.conversations c where c.tenant_id = p_tenant and c.id = p_conversation) then return null; end if;
    select array_agg(m.id), array_agg(app.message_json(m.id, m.conversation_id, m.user_id, m.content, m.response, a.members))
      into v_ids, v_rows from (
        select p.id, p.conversation_id, p.user_id, p.content, p.response from app.messages p
        where p.tenant_id = p_tenant and p.conversation_id <= p_conversation and p.conversation_id >= p_conversation and p.id < v_after
        order by p.conversation_id desc, p.id desc limit (select p_limit + 1)
      ) m cross join lateral app.account_of(p_tenant, m.id) a;
  end if;
  return '{"data":[' || coalesce(array_to_string(v_rows[:p_limit], ','), '') || '],"next_cursor":'
    || case when cardinality(v_ids) > p_limit then '"' || replace(v_ids[p_limit]::text, '-', '') || '"' else 'null' end || '}';
end $$;

-- The most frequent reads, each in one statement that is a transaction of its own: enter, then read behind the wall as llm_tenant. Four
-- statements in one write cost the program twice as much CPU (GET /me 207 µs against 425, log line included). The answer is JSON as the
-- contract has it, which the program sends as it is: decoding and encoding it again cost 30 µs a row. Like app.enter: not SECURITY DEFINER,
-- and no search_path of its own.

create function app.own_profile(p_tenant uuid, p_user uuid, p_epoch integer, p_needs text, p_session uuid default null) returns json
  language plpgsql volatile
as $$
declare
  answer json;
begin
  perform app.enter(p_tenant, p_user, p_epoch, p_needs, p_session);
  select json_build_object(
      'id', u.id, 'tenant_id', u.tenant_id, 'email', u.email, 'role', u.role, 'status', u.status,
      'created_at', app.contract_time(u.created_at),
      'tenant', json_build_object('id', t.id, 'name', t.name, 'registration', t.registration,
        'created_at', app.contract_time(t.created_at)))
    into answer
    from (
      select o.* from app.users o where o.tenant_id = p_tenant and o.id <= p_user and o.id >= p_user order by o.id limit 1
    ) u join app.tenants t on t.id = u.tenant_id;
  return answer;
end $$;

-- The account of a message, computed. One row; the planner puts it into the query that calls it. The two bounds and the limit leave the
-- planner no other way than the index on the message, whatever it was told of the table.
create function app.account_of(p_tenant uuid, p_message uuid) returns text language sql stable
begin atomic
  select app.account_members(g.id, coalesce(g.response_model, g.model), g.status, g.finish_reason, g.failure, g.tokens_in, g.tokens_out,
    g.approx_tokens_in, g.approx_tokens_out, g.created_at, g.first_token_at, g.model_ended_at)
  from app.generations g
  where g.tenant_id = p_tenant and g.message_id <= p_message and g.message_id >= p_message
  order by g.message_id desc limit 1;
end;

-- A message as the contract has it, with the members of its account.
create function app.message_json(
  p_message uuid, p_conversation uuid, p_user uuid, p_content text, p_response text, p_tool_calls text, p_account text
) returns text language sql stable parallel safe
  return concat(
    '{"id":"', p_message, '","conversation_id":', coalesce('"' || p_conversation::text || '"', 'null'), ',"user_id":"', p_user,
    '","content":', to_json(p_content), ',"response":', coalesce(to_json(p_response)::text, 'null'),
    ',"tool_calls":', coalesce(p_tool_calls, 'null'), ',', p_account, '}'
  );

-- A page of messages with the accounts of their answers, newest first: {"data": […], "next_cursor": …} (MessagePage in
-- packages/api/src/MessagesApi.ts). p_of: `own`: the user's; `tenant`: all that row-level security lets the user see; `conversation`:
-- p_conversation's. Null: the user may not see that conversation. p_after: the id after which the page begins, or null.
--
-- The planner has no statistics of rows, and its guesses may be wrong by any factor: for a user who had ten messages yesterday and has
-- 100,000 today it would sort the whole history for a page, 1 s instead of 1 ms. So it is left no choice, as in
-- packages/engine/src/Pages.ts: an owner is two bounds, so that only one index has the order, and the length is behind a subquery.
create function app.message_page(
  p_tenant uuid, p_user uuid, p_epoch integer, p_needs text, p_of text, p_conversation uuid, p_after uuid, p_limit integer,
  p_session uuid default null
) returns text
  language plpgsql volatile
as $$
declare
  v_after constant uuid := coalesce(p_after, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
  -- One row more than the page has: it says whether another page follows.
  v_ids uuid[];
  v_rows text[];
begin
  perform app.enter(p_tenant, p_user, p_epoch, p_needs, p_session);
  if p_of = 'own' then
    select array_agg(m.id), array_agg(app.message_json(m.id, m.conversation_id, m.user_id, m.content, m.response, m.tool_calls, m.account))
      into v_ids, v_rows from (
        select p.id, p.conversation_id, p.user_id, p.content, p.response, p.tool_calls,
          coalesce(p.account, app.account_of(p_tenant, p.id)) as account
        from app.messages p
        where p.tenant_id = p_tenant and p.user_id <= p_user and p.user_id >= p_user and p.id < v_after
        order by p.user_id desc, p.id desc limit (select p_limit + 1)
      ) m;
  elsif p_of = 'tenant' then
    select array_agg(m.id), array_agg(app.message_json(m.id, m.conversation_id, m.user_id, m.content, m.response, m.tool_calls, m.account))
      into v_ids, v_rows from (
        select p.id, p.conversation_id, p.user_id, p.content, p.response, p.tool_calls,
          coalesce(p.account, app.account_of(p_tenant, p.id)) as account
        from app.messages p
        where p.tenant_id = p_tenant and p.id < v_after
        order by p.id desc limit (select p_limit + 1)
      ) m;
  else
    if not exists (select from app.conversations c where c.tenant_id = p_tenant and c.id = p_conversation) then return null; end if;
    select array_agg(m.id), array_agg(app.message_json(m.id, m.conversation_id, m.user_id, m.content, m.response, m.tool_calls, m.account))
      into v_ids, v_rows from (
        select p.id, p.conversation_id, p.user_id, p.content, p.response, p.tool_calls,
          coalesce(p.account, app.account_of(p_tenant, p.id)) as account
        from app.messages p
        where p.tenant_id = p_tenant and p.conversation_id <= p_conversation and p.conversation_id >= p_conversation and p.id < v_after
        order by p.conversation_id desc, p.id desc limit (select p_limit + 1)
      ) m;
  end if;
  return '{"data":[' || coalesce(array_to_string(v_rows[:p_limit], ','), '') || '],"next_cursor":'
    || case when cardinality(v_ids) > p_limit then '"' || replace(v_ids[p_limit]::text, '-', '') || '"' else 'null' end || '}';
end $$;

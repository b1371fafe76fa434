-- Asking, with the user's own rights: enters as app.enter does, then the question, its place in a conversation, the generation with its
-- lease and the idempotency key. One statement that is a transaction of its own: BEGIN, enter and COMMIT as statements beside it were a
-- tenth of what the program does for a question.
--
-- outcome: `asked`; `known`: this key was used for the same request, here is what came of it; `mismatch`: it was used for another one;
-- `no_conversation`. history: earlier turns of the conversation, oldest first, within p_history_chars characters.
create function app.ask(
  p_tenant uuid, p_user uuid, p_epoch integer, p_needs text,
  p_message uuid, p_generation uuid, p_content text, p_conversation uuid, p_source text, p_provider text, p_model text, p_lease uuid,
  p_request text, p_trace text, p_parent_span text, p_arrived timestamptz, p_admitted timestamptz,
  p_approx_tokens_in integer, p_key text, p_body_hash text, p_history_chars integer
) returns table (outcome text, message_id uuid, generation_id uuid, status text, history jsonb)
  language plpgsql volatile
as $$
declare
  known app.idempotency_keys;
  turns jsonb := '[]';
begin
  perform app.enter(p_tenant, p_user, p_epoch, p_needs);
  if p_key is not null then
    -- Two requests with one key at once: the second waits here until the first is in, and then finds it.
    perform pg_advisory_xact_lock(hashtextextended(format('%s %s %s', p_tenant, p_user, p_key), 1));
    select * into known from app.idempotency_keys k where k.user_id = p_user and k.key = p_key;
    if found then
      if known.body_hash <> p_body_hash then
        return query select 'mismatch', null::uuid, null::uuid, null::text, '[]'::jsonb;
      else
        return query select 'known', known.message_id, known.generation_id, g.status, '[]'::jsonb
          from app.generations g where g.id = known.generation_id;
      end if;
      return;
    end if;
  end if;

  if p_conversation is not null then
    update app.conversations c set updated_at = now(),
      title = coalesce(c.title, nullif(btrim(left(regexp_replace(p_content, '[[:cntrl:][:space:]]+', ' ', 'g'), 80)), ''))
    where c.id = p_conversation and c.user_id = p_user;
    if not found then
      return query select 'no_conversation', null::uuid, null::uuid, null::text, '[]'::jsonb;
      return;
    end if;
    select coalesce(jsonb_agg(jsonb_build_object('content', t.content, 'response', t.response) order by t.id), '[]') into turns
    from (
      select m.id, m.content, m.response,
        sum(char_length(m.content) + char_length(m.response)) over (order by m.id desc) as total
      from (
        select e.id, e.content, e.response from app.messages e
        where e.conversation_id = p_conversation and e.response <> '' order by e.id desc limit 100
      ) m
    ) t
    where t.total <= p_history_chars;
  end if;

  insert into app.messages (tenant_id, id, user_id, conversation_id, content)
  values (p_tenant, p_message, p_user, p_conversation, p_content);
  insert into app.generations (
    tenant_id, id, message_id, user_id, conversation_id, source, provider, model, lease_owner, approx_tokens_in, prompt_length,
    request_id, trace_id, parent_span_id, created_at, admitted_at
  ) values (
    p_tenant, p_generation, p_message, p_user, p_conversation, p_source, p_provider, p_model, p_lease, p_approx_tokens_in,
    char_length(p_content), p_request, p_trace, p_parent_span, p_arrived, p_admitted
  );
  if p_key is not null then
    insert into app.idempotency_keys (tenant_id, user_id, key, body_hash, message_id, generation_id)
    values (p_tenant, p_user, p_key, p_body_hash, p_message, p_generation);
  end if;
  return query select 'asked', p_message, p_generation, 'streaming', turns;
end $$;

-- Removes what is marked as deleted, in batches: a question that had 100,000 rows cascade in one statement blocked every user who needed
-- one of them. Any process may call it at any time; it waits for no row, and skips rows that another process is removing. Children go
-- before their parents, so it can stop anywhere and continue later. Locks are taken as everywhere: order, parent, message, generation.
set local role llm_work;

-- One message with its dependent rows; the account of its answers stays, without it. False: another transaction holds one of the rows.
create function work.remove_message(p_tenant uuid, p_message uuid) returns boolean
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_generation uuid;
begin
  perform from app.messages m where m.tenant_id = p_tenant and m.id = p_message for update skip locked;
  if not found then return false; end if;
  for v_generation in select g.id from app.generations g where g.tenant_id = p_tenant and g.message_id = p_message loop
    perform from app.generations g where g.tenant_id = p_tenant and g.id = v_generation for no key update skip locked;
    if not found then return false; end if;
    update app.generations g set message_id = null where g.tenant_id = p_tenant and g.id = v_generation;
  end loop;
  delete from app.idempotency_keys k where k.tenant_id = p_tenant and k.message_id = p_message;
  delete from app.feedback f where f.tenant_id = p_tenant and f.message_id = p_message;
  delete from app.messages m where m.tenant_id = p_tenant and m.id = p_message;
  return true;
end $$;

-- The newest messages of a conversation (p_conversation) or of a user, which lists would have to skip first. Compared as rows, so that only
-- one index has this order, whatever the statistics say.
create function work.newest_messages(p_tenant uuid, p_user uuid, p_conversation uuid, p_limit integer) returns setof uuid
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  lowest constant uuid := '00000000-0000-0000-0000-000000000000';
  highest constant uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
begin
  if p_conversation is null then
    return query
    select m.id from app.messages m
    where (m.tenant_id, m.user_id, m.id) between (p_tenant, p_user, lowest) and (p_tenant, p_user, highest)
    order by m.tenant_id desc, m.user_id desc, m.id desc limit p_limit for update skip locked;
  else
    return query
    select m.id from app.messages m
    where m.conversation_id is not null
      and (m.tenant_id, m.conversation_id, m.id) between (p_tenant, p_conversation, lowest) and (p_tenant, p_conversation, highest)
    order by m.tenant_id desc, m.conversation_id desc, m.id desc limit p_limit for update skip locked;
  end if;
end $$;

-- What a key or user that is gone might use, and used. Nothing is admitted for it any more, so nobody holds these rows.
create function work.remove_limits(p_tenant uuid, p_subject text) returns void
  language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
  delete from app.limits l where l.tenant_id = p_tenant and l.subject = p_subject;
  delete from app.counter_changes c where c.tenant_id = p_tenant and c.subject = p_subject;
  delete from app.budget_periods b where b.tenant_id = p_tenant and b.subject = p_subject;
  delete from app.rates r where r.tenant_id = p_tenant and r.subject = p_subject;
end;

-- A session with the refresh tokens it had. Returns how many rows were removed: of one with more than p_limit it is the tokens first.
create function work.remove_session(p_tenant uuid, p_session uuid, p_limit integer) returns integer
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_removed integer;
begin
  delete from app.session_tokens t where t.tenant_id = p_tenant and t.session_id = p_session and t.place in (
    select o.place from app.session_tokens o where o.tenant_id = p_tenant and o.session_id = p_session limit p_limit
  );
  get diagnostics v_removed = row_count;
  if v_removed >= p_limit then return v_removed; end if;
  delete from app.sessions s where s.tenant_id = p_tenant and s.id = p_session;
  return v_removed + 1;
end $$;

-- Works on one order: returns how many rows were removed, p_limit at most, and whether it is done. The deleted item itself goes last, once
-- nothing refers to it; a question added during the deletion is found by checking again under the lock.
create function work.carry_out(p_tenant uuid, p_id uuid, p_kind text, p_limit integer, out removed integer, out done boolean)
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
  v_key text;
begin
  removed := 0;
  done := false;
  if p_kind = 'message' then
    if work.remove_message(p_tenant, p_id) then removed := 1; end if;
    done := not exists (select from app.messages m where m.tenant_id = p_tenant and m.id = p_id);
    return;
  end if;

  if p_kind = 'conversation' then
    perform from app.conversations c where c.tenant_id = p_tenant and c.id = p_id for update skip locked;
    if not found then
      done := not exists (select from app.conversations c where c.tenant_id = p_tenant and c.id = p_id);
      return;
    end if;
    for v_id in select * from work.newest_messages(p_tenant, null, p_id, p_limit) loop
      removed := removed + work.remove_message(p_tenant, v_id)::integer;
    end loop;
    if removed = p_limit or exists (select from app.messages m where m.tenant_id = p_tenant and m.conversation_id = p_id) then return; end if;
    delete from app.conversations c where c.tenant_id = p_tenant and c.id = p_id;
    removed := removed + 1;
    done := true;
    return;
  end if;

  perform from app.users u where u.tenant_id = p_tenant and u.id = p_id for update skip locked;
  if not found then
    done := not exists (select from app.users u where u.tenant_id = p_tenant and u.id = p_id);
    return;
  end if;
  for v_id in select * from work.newest_messages(p_tenant, p_id, null, p_limit) loop
    removed := removed + work.remove_message(p_tenant, v_id)::integer;
  end loop;
  if removed = p_limit or exists (select from app.messages m where m.tenant_id = p_tenant and m.user_id = p_id) then return; end if;
  for v_id in
    select f.message_id from app.feedback f where f.tenant_id = p_tenant and f.user_id = p_id limit p_limit - removed
  loop
    delete from app.feedback f where f.tenant_id = p_tenant and f.message_id = v_id and f.user_id = p_id;
    removed := removed + 1;
  end loop;
  if removed = p_limit then return; end if;
  for v_id in
    select c.id from app.conversations c where c.tenant_id = p_tenant and c.user_id = p_id limit p_limit - removed for update skip locked
  loop
    delete from app.conversations c where c.tenant_id = p_tenant and c.id = v_id;
    removed := removed + 1;
  end loop;
  if removed = p_limit or exists (select from app.conversations c where c.tenant_id = p_tenant and c.user_id = p_id) then return; end if;
  for v_key in
    select a.key from app.idempotent_answers a where a.tenant_id = p_tenant and a.owner = p_id::text limit p_limit - removed
  loop
    delete from app.idempotent_answers a where a.tenant_id = p_tenant and a.owner = p_id::text and a.key = v_key;
    removed := removed + 1;
  end loop;
  if removed = p_limit then return; end if;
  for v_id in
    select k.id from app.api_keys k where k.tenant_id = p_tenant and k.user_id = p_id limit p_limit - removed for update skip locked
  loop
    delete from app.api_keys k where k.tenant_id = p_tenant and k.id = v_id;
    perform work.remove_limits(p_tenant, 'key:' || v_id);
    removed := removed + 1;
  end loop;
  if removed = p_limit or exists (select from app.api_keys k where k.tenant_id = p_tenant and k.user_id = p_id) then return; end if;
  -- A user has few of these: they are limited in number, and removed after a month.
  delete from app.mails m where m.tenant_id = p_tenant and m.subject_id = p_id;
  delete from app.one_time_tokens t where t.tenant_id = p_tenant and t.subject_id = p_id;
  for v_id in
    select s.id from app.sessions s where s.tenant_id = p_tenant and s.user_id = p_id limit p_limit - removed for update skip locked
  loop
    exit when removed >= p_limit;
    removed := removed + work.remove_session(p_tenant, v_id, p_limit - removed);
  end loop;
  if removed >= p_limit or exists (select from app.sessions s where s.tenant_id = p_tenant and s.user_id = p_id) then return; end if;
  delete from app.invitations i where i.tenant_id = p_tenant and i.user_id = p_id;
  delete from app.credentials c where c.tenant_id = p_tenant and c.user_id = p_id;
  delete from app.sso_identities i where i.tenant_id = p_tenant and i.user_id = p_id;
  delete from app.users u where u.tenant_id = p_tenant and u.id = p_id;
  perform work.remove_limits(p_tenant, 'user:' || p_id);
  removed := removed + 1;
  done := true;
end $$;

-- The smallest id of a time in UUIDv7 (RFC 9562 §5.7).
create function work.id_at(p_time timestamptz) returns uuid
  language sql immutable set search_path = pg_catalog, pg_temp
  return (lpad(to_hex(floor(extract(epoch from p_time) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid;

-- Removes the texts of a question and its answer; the account stays. The caller has locked the message.
create function work.remove_content(p_tenant uuid, p_message uuid) returns void
  language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
  update app.messages m set content = '', response = '', token_lengths = '{}', log = null, request = null, tool_calls = null
  where m.tenant_id = p_tenant and m.id = p_message;
  update app.generations g set content = 'removed' where g.tenant_id = p_tenant and g.message_id = p_message;
end;

-- Removes questions and answers that are not kept, or not any longer: a minute after the lease, which ends at most half a minute after
-- the answer and by this clock: until then the answer's readers at all processes have it; or after the tenant's days, by the order of ids, from where it stopped before: ids are of the time when the question
-- was stored. Returns how many. A row that another transaction has is left for the next round. Locks as everywhere: the message first.
create function work.forget_content(p_limit integer) returns integer
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  keeping record;
  old record;
  v_count integer := 0;
  v_until uuid;
begin
  for old in
    select g.tenant_id, g.id, g.message_id from app.generations g
    where g.content = 'leaving' and g.lease_until < now() - interval '1 minute' and g.ended_at is not null
    order by g.lease_until limit p_limit
  loop
    if old.message_id is null then
      update app.generations g set content = 'removed' where g.tenant_id = old.tenant_id and g.id = old.id;
    else
      perform from app.messages m where m.tenant_id = old.tenant_id and m.id = old.message_id for no key update skip locked;
      continue when not found;
      perform work.remove_content(old.tenant_id, old.message_id);
    end if;
    v_count := v_count + 1;
  end loop;
  for keeping in
    select t.id, work.id_at(now() - make_interval(days => t.content_days)) as upto,
      coalesce(t.content_removed_until, '00000000-0000-0000-0000-000000000000') as done
    from app.tenants t where t.content_retention = 'days'
  loop
    exit when v_count >= p_limit;
    v_until := null;
    for old in
      select m.id from app.messages m
      where m.tenant_id = keeping.id and m.id > keeping.done and m.id < keeping.upto
      order by m.tenant_id, m.id limit p_limit - v_count
    loop
      perform from app.messages m where m.tenant_id = keeping.id and m.id = old.id for no key update skip locked;
      exit when not found;
      perform work.remove_content(keeping.id, old.id);
      v_until := old.id;
      v_count := v_count + 1;
    end loop;
    if v_until is not null then
      update app.tenants t set content_removed_until = v_until where t.id = keeping.id;
    end if;
  end loop;
  return v_count;
end $$;

-- Invitations that expired 30 days ago, whatever came of them. Returns how many.
create function work.forget_invitations(p_limit integer) returns integer
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  v_removed integer;
begin
  with old as (
    select i.tenant_id, i.id from app.invitations i
    where i.expires_at < now() - interval '30 days' order by i.expires_at limit p_limit for update skip locked
  )
  delete from app.invitations i using old where i.tenant_id = old.tenant_id and i.id = old.id;
  get diagnostics v_removed = row_count;
  return v_removed;
end $$;

-- Removes p_limit rows at most, longest waiting first. Returns how many; none means that nothing is left, or that other transactions hold
-- all of it.
create function work.purge(p_limit integer) returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  marked record;
  one record;
  v_removed integer := 0;
begin
  for marked in
    select d.tenant_id, d.id, d.kind from app.deletions d
    order by d.worked_at, d.tenant_id, d.id limit p_limit for update skip locked
  loop
    exit when v_removed >= p_limit;
    select * into one from work.carry_out(marked.tenant_id, marked.id, marked.kind, p_limit - v_removed);
    v_removed := v_removed + one.removed;
    if one.done then
      delete from app.deletions d where d.tenant_id = marked.tenant_id and d.id = marked.id;
    else
      update app.deletions d set worked_at = clock_timestamp() where d.tenant_id = marked.tenant_id and d.id = marked.id;
    end if;
  end loop;
  -- Keys that were deleted 30 days ago: until then a use of them is noticed.
  for marked in
    select k.tenant_id, k.id from app.api_keys k
    where k.revoked_at < now() - interval '30 days' order by k.revoked_at limit p_limit - v_removed for update skip locked
  loop
    delete from app.api_keys k where k.tenant_id = marked.tenant_id and k.id = marked.id;
    perform work.remove_limits(marked.tenant_id, 'key:' || marked.id);
    v_removed := v_removed + 1;
  end loop;
  -- Sessions that were over 30 days ago: until then the user and admins can be told of them.
  for marked in
    select s.tenant_id, s.id from app.sessions s
    where coalesce(s.ended_at, s.idle_until) < now() - interval '30 days'
    order by coalesce(s.ended_at, s.idle_until) limit p_limit - v_removed for update skip locked
  loop
    exit when v_removed >= p_limit;
    v_removed := v_removed + work.remove_session(marked.tenant_id, marked.id, p_limit - v_removed);
  end loop;
  v_removed := v_removed + work.forget_mails(greatest(p_limit - v_removed, 0));
  v_removed := v_removed + work.forget_invitations(greatest(p_limit - v_removed, 0));
  return v_removed + work.forget_content(greatest(p_limit - v_removed, 0));
end $$;

-- A deleted user cannot enter any more, and their address is free.
create function work.deleted_user() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update app.users u set deleted_at = now() where u.tenant_id = new.tenant_id and u.id = new.id;
  return null;
end $$;

-- The owner of a trigger must be allowed to call its function; the role that fires it need not be.
grant execute on function work.deleted_user() to llm_owner;
set local role llm_owner;

create trigger deleted_user after insert on app.deletions
  for each row when (new.kind = 'user') execute function work.deleted_user();

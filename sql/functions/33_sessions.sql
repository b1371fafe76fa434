-- Sessions. They begin in the room (packages/engine/src/accounts/UserSessions.ts), and are renewed and ended by their refresh tokens here,
-- before a tenant is known.

-- What ends the user's tokens ends the sessions that renew them: a new epoch, all that are not of it (a password that is changed in a session
-- takes that session along, before); and disabling, all. Not definer: whoever may change a user so may end their sessions.
create function app.end_sessions() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  update app.sessions s set ended_at = now(), ended_reason = case new.status when 'active' then 'credentials_changed' else 'user_disabled' end
  where s.tenant_id = new.tenant_id and s.user_id = new.id and s.ended_at is null
    and (new.status <> 'active' or s.token_epoch <> new.token_epoch);
  return null;
end $$;

create trigger end_sessions after update of status, token_epoch on app.users
  for each row when (new.status <> 'active' or old.token_epoch <> new.token_epoch) execute function app.end_sessions();

set local role llm_auth;

-- The session that a refresh token is or was of, its row locked; place: null for the current token, else which earlier one it is. No row: it
-- is of none. Of two requests with one token, the second waits here for the first, and then finds the token among the earlier ones.
create function auth.session_of(p_hash bytea, out found_tenant uuid, out found_session uuid, out place integer)
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
begin
  select s.tenant_id, s.id into found_tenant, found_session
  from app.sessions s where s.secret_hash = p_hash and octet_length(s.secret_hash) = 32 limit 1;
  if not found then
    select t.tenant_id, t.session_id into found_tenant, found_session
    from app.session_tokens t where t.hash = p_hash and octet_length(t.hash) = 32 limit 1;
    if not found then return; end if;
  end if;
  perform from app.sessions s where s.tenant_id = found_tenant and s.id = found_session for no key update;
  if exists (
    select from app.sessions s where s.tenant_id = found_tenant and s.id = found_session and s.secret_hash = p_hash
  ) then return; end if;
  select t.place into place from app.session_tokens t
  where t.tenant_id = found_tenant and t.session_id = found_session and t.hash = p_hash;
  if not found then
    found_tenant := null;
    found_session := null;
  end if;
end $$;

-- Renews the session of a refresh token (p_hash: SHA-256 of it): from now on its successor's hash (p_next) is the session's. outcome:
-- `renewed`; `repeated`: it was renewed by the same token within p_grace_seconds, an answer was lost, and the successor is still the one
-- that the caller derived; `reused`: an earlier token came again, so that two hold the session: it is ended; `ended`: it was before, or
-- its user or tenant may not enter. No row: unknown, or the successor is not the one that was stored, since SECRET_KEY is another.
create function auth.renew_session(
  p_hash bytea, p_next bytea, p_idle_seconds integer, p_grace_seconds integer, p_address text, p_request text
) returns table (
  outcome text, tenant_id uuid, session_id uuid, user_id uuid, role text, token_epoch integer, idle_seconds double precision,
  left_seconds double precision
)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  -- Earlier tokens that are kept of a session. An older one is unknown, and refused.
  most_tokens constant integer := 500;
  v_tenant uuid;
  v_id uuid;
  v_place integer;
  v_now timestamptz;
  v_session record;
  v_user record;
  v_outcome text := 'renewed';
begin
  select f.found_tenant, f.found_session, f.place into v_tenant, v_id, v_place from auth.session_of(p_hash) f;
  if v_id is null then return; end if;
  select s.user_id, s.token_epoch, s.secret_hash, s.rotations, s.rotated_at, s.idle_until, s.ends_at, s.ended_at into v_session
  from app.sessions s where s.tenant_id = v_tenant and s.id = v_id;
  select u.role, u.token_epoch into v_user
  from app.users u join app.tenants t on t.id = u.tenant_id
  where u.tenant_id = v_tenant and u.id = v_session.user_id and u.status = 'active' and t.status = 'active';
  -- After the lock: the transaction may have waited for it.
  v_now := clock_timestamp();
  if v_session.ended_at is not null or v_session.idle_until <= v_now or v_user.token_epoch is distinct from v_session.token_epoch then
    v_outcome := 'ended';
  elsif v_place is not null then
    if v_place < v_session.rotations - 1 or v_session.rotated_at <= v_now - make_interval(secs => p_grace_seconds) then
      v_outcome := 'reused';
      update app.sessions s set ended_at = v_now, ended_reason = 'reused' where s.tenant_id = v_tenant and s.id = v_id;
      insert into app.audit_events (tenant_id, id, action, target_kind, target_id, request_id, detail)
      values (v_tenant, auth.uuid_v7(), 'session.reused', 'session', v_id, p_request,
        jsonb_build_object('user_id', v_session.user_id, 'rotations_ago', v_session.rotations - v_place));
    elsif v_session.secret_hash <> p_next then
      return;
    else
      v_outcome := 'repeated';
    end if;
  else
    insert into app.session_tokens (tenant_id, session_id, place, hash) values (v_tenant, v_id, v_session.rotations, p_hash);
    delete from app.session_tokens t where t.tenant_id = v_tenant and t.session_id = v_id and t.place <= v_session.rotations - most_tokens;
    v_session.idle_until := least(v_session.ends_at, v_now + make_interval(secs => p_idle_seconds));
    update app.sessions s set secret_hash = p_next, rotations = s.rotations + 1, rotated_at = v_now, last_used_at = v_now,
      idle_until = v_session.idle_until, address = p_address
    where s.tenant_id = v_tenant and s.id = v_id;
  end if;
  return query select v_outcome, v_tenant, v_id, v_session.user_id, v_user.role, v_user.token_epoch,
    extract(epoch from v_session.idle_until - v_now)::double precision, extract(epoch from v_session.ends_at - v_now)::double precision;
end $$;

-- Ends the session of a refresh token, also by an earlier one of it. Nothing tells whether there was one. p_reason: `logged_out`, or `replaced`
-- by another login of the browser.
create function auth.end_session(p_hash bytea, p_reason text, p_request text) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_tenant uuid;
  v_id uuid;
  v_user uuid;
begin
  select f.found_tenant, f.found_session into v_tenant, v_id from auth.session_of(p_hash) f;
  if p_reason not in ('logged_out', 'replaced') then raise exception 'no reason' using errcode = 'LL500'; end if;
  update app.sessions s set ended_at = clock_timestamp(), ended_reason = p_reason
  where s.tenant_id = v_tenant and s.id = v_id and s.ended_at is null returning s.user_id into v_user;
  if not found then return; end if;
  insert into app.audit_events (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail)
  values (v_tenant, auth.uuid_v7(), v_user, 'session.ended', 'session', v_id, p_request,
    jsonb_build_object('user_id', v_user, 'reason', p_reason));
end $$;

-- A code came again: the session that it began, or is about to begin, is in two hands (RFC 6749 §4.1.2). The code says its session's id. The
-- note is for one that is not begun yet, because a second factor is asked for.
create function auth.end_coded_session(p_tenant uuid, p_session uuid, p_request text) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_user uuid;
begin
  perform auth.spend(auth.coded_session_hash(p_session), now() + interval '10 minutes');
  update app.sessions s set ended_at = clock_timestamp(), ended_reason = 'reused'
  where s.tenant_id = p_tenant and s.id = p_session and s.ended_at is null returning s.user_id into v_user;
  if not found then return; end if;
  insert into app.audit_events (tenant_id, id, action, target_kind, target_id, request_id, detail)
  values (p_tenant, auth.uuid_v7(), 'session.reused', 'session', p_session, p_request, jsonb_build_object('user_id', v_user, 'by', 'code'));
end $$;

create function auth.coded_session_hash(p_session uuid) returns bytea
  language sql immutable set search_path = pg_catalog, pg_temp
  return sha256(convert_to('session of a code ' || p_session::text, 'UTF8'));

-- Whether the code of a session that begins now came again meanwhile.
create function auth.coded_session_reused(p_session uuid) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select exists (select from meta.spent s where s.hash = auth.coded_session_hash(p_session));
end;

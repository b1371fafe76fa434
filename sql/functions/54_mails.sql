-- Mails that wait to be sent, for the login of the jobs alone: they have the addresses of all tenants' users, which a process that serves
-- requests must not read.
set local role llm_work;

-- Claims due mails for p_seconds: until then no other process gets them, and after that any does, so that a mail is sent at least once.
-- Tenant by tenant, in the order of their ids, after p_after: two of each, so that one with many makes no other wait. A link goes only to
-- the address that its token is for. What would come too late, or has no use any more, is given up here.
create function work.claim_mails(p_worker uuid, p_after uuid, p_limit integer, p_seconds integer)
  returns table (
    tenant_id uuid, tenant_name text, id uuid, address text, template text, data text, token_id uuid, token_hash text, token_minutes integer,
    attempts integer, created_at timestamptz
  )
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_tenant uuid := p_after;
  v_next uuid;
  v_wrapped boolean := false;
  v_left integer := p_limit;
  v_address text;
  v_hash text;
  v_minutes integer;
  due record;
begin
  -- A claim ends, however many tenants have mails that are not due.
  for v_look in 1 .. 1000 loop
    exit when v_left <= 0;
    select m.tenant_id into v_next from app.mails m
    where m.ended_at is null and m.tenant_id > v_tenant order by m.tenant_id, m.next_at, m.id limit 1;
    if v_next is null then
      exit when v_wrapped;
      v_wrapped := true;
      v_tenant := '00000000-0000-0000-0000-000000000000';
      continue;
    end if;
    exit when v_wrapped and v_next > p_after;
    v_tenant := v_next;
    -- Mails of a suspended tenant wait, for as long as they are of use.
    for due in
      select m.tenant_id, n.name, n.status, m.id, m.subject_id, m.address, m.template, m.data, m.token_id, m.attempts, m.created_at
      from app.mails m join app.tenants n on n.id = m.tenant_id
      where m.tenant_id = v_tenant and m.ended_at is null and m.next_at <= now()
      order by m.tenant_id, m.next_at, m.id limit least(2, v_left) for no key update of m skip locked
    loop
      v_address := due.address;
      v_hash := null;
      v_minutes := null;
      if due.token_id is not null then
        select t.address, encode(t.hash, 'hex'), ceil(extract(epoch from t.expires_at - t.created_at) / 60)::integer
        into v_address, v_hash, v_minutes from app.one_time_tokens t
        where t.tenant_id = due.tenant_id and t.id = due.token_id and t.used_at is null and t.voided_at is null and t.expires_at > now();
      end if;
      if due.created_at < now() - interval '2 days' or due.token_id is not null and v_hash is null
        or exists (select from app.deletions d where d.tenant_id = due.tenant_id and d.id = due.subject_id)
      then
        update app.mails m set ended_at = now(), failure = 'of no use any more' where m.tenant_id = due.tenant_id and m.id = due.id;
        continue;
      end if;
      if due.status <> 'active' then
        update app.mails m set next_at = now() + interval '10 minutes' where m.tenant_id = due.tenant_id and m.id = due.id;
        continue;
      end if;
      update app.mails m set worker = p_worker, attempts = m.attempts + 1, next_at = clock_timestamp() + make_interval(secs => p_seconds)
      where m.tenant_id = due.tenant_id and m.id = due.id;
      v_left := v_left - 1;
      tenant_id := due.tenant_id;
      tenant_name := due.name;
      id := due.id;
      address := v_address;
      template := due.template;
      data := due.data::text;
      token_id := due.token_id;
      token_hash := v_hash;
      token_minutes := v_minutes;
      attempts := due.attempts + 1;
      created_at := due.created_at;
      return next;
    end loop;
  end loop;
end $$;

-- What became of a claimed mail: `sent`; `failed`, for good, with the reason; `later`, in so many seconds, and counted as an attempt or not.
-- A claim that expired and was taken by another process is settled by that process.
create function work.settle_mail(
  p_worker uuid, p_tenant uuid, p_mail uuid, p_outcome text, p_failure text, p_seconds integer, p_counts boolean
) returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
  update app.mails m set
    worker = null,
    ended_at = case when p_outcome = 'later' then null else now() end,
    failure = case when p_outcome = 'failed' then left(p_failure, 200) end,
    attempts = m.attempts - (p_outcome = 'later' and not p_counts)::integer,
    next_at = case when p_outcome = 'later' then clock_timestamp() + make_interval(secs => p_seconds) else m.next_at end
  where m.tenant_id = p_tenant and m.id = p_mail and m.worker = p_worker and m.ended_at is null;
end;

-- Removes mails a month after they ended, and tokens a month after they expired. Returns how many.
create function work.forget_mails(p_limit integer) returns integer
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
  old record;
  v_count integer := 0;
begin
  for old in
    select m.tenant_id, m.id from app.mails m where m.ended_at < now() - interval '30 days' order by m.ended_at limit p_limit for update skip locked
  loop
    delete from app.mails m where m.tenant_id = old.tenant_id and m.id = old.id;
    v_count := v_count + 1;
  end loop;
  for old in
    select t.tenant_id, t.id from app.one_time_tokens t
    where t.expires_at < now() - interval '30 days' order by t.expires_at limit greatest(p_limit - v_count, 0) for update skip locked
  loop
    delete from app.one_time_tokens t where t.tenant_id = old.tenant_id and t.id = old.id;
    v_count := v_count + 1;
  end loop;
  return v_count;
end $$;

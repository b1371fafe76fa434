-- Invitations before a tenant is known. Rows are locked in this order: tenant, invitation, token.
set local role llm_auth;

-- An invitation that can be accepted: open, in time, and sent by one who is an admin still. By its id, or by its address. Locked. Called by
-- functions of auth.
create function auth.open_invitation(p_tenant uuid, p_id uuid, p_email text, out id uuid, out email text, out role text)
  language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
  select i.id, i.email, i.role from app.invitations i
  where i.tenant_id = p_tenant and (i.id = p_id or p_id is null and i.email = p_email)
    and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
    and exists (
      select from app.users u where u.tenant_id = i.tenant_id and u.id = i.invited_by and u.role = 'admin' and u.status = 'active'
    )
  for update of i;
end;

-- It was accepted by this account, which exists already. Voids its link. Called by functions of auth.
create function auth.settle_invitation(p_tenant uuid, p_id uuid, p_user uuid, p_request text) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update app.invitations i set accepted_at = now(), user_id = p_user where i.tenant_id = p_tenant and i.id = p_id;
  update app.one_time_tokens t set voided_at = now()
  where t.tenant_id = p_tenant and t.subject_id = p_id and t.purpose = 'invitation' and t.used_at is null and t.voided_at is null;
  insert into app.audit_events (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail)
  values (p_tenant, auth.uuid_v7(), p_user, 'invitation.accepted', 'invitation', p_id, p_request, jsonb_build_object('user_id', p_user));
end $$;

-- What the link with this hash leads to, without using it. No row: it leads nowhere, or nowhere any more. sso_slug: where the tenant requires
-- single sign-on, of its login.
create function auth.find_invitation(p_hash bytea)
  returns table (tenant_id uuid, tenant_name text, email text, role text, expires_at timestamptz, sso_slug text)
  language sql stable security definer set search_path = pg_catalog, pg_temp rows 1
begin atomic
  select i.tenant_id, t.tenant_name, i.email, i.role, i.expires_at,
    (select c.slug from app.sso_connections c where c.tenant_id = i.tenant_id and c.required and c.enabled limit 1)
  from auth.find_one_time_token(p_hash, 'invitation') t
  join app.invitations i on i.tenant_id = t.tenant_id and i.id = t.subject_id and i.email = t.address
  where i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
    and exists (
      select from app.users u where u.tenant_id = i.tenant_id and u.id = i.invited_by and u.role = 'admin' and u.status = 'active'
    );
end;

-- Makes the invited account, with a password, whether registration is open or closed. No row: as above. outcome: `accepted`; `taken`: the
-- address has an account by now; `sso`: people of the tenant log in by single sign-on alone, and so the invitation waits for the person's first
-- login there (auth.sso_login). In both the link stays as it is. Of two at once with one link, the second waits, and then finds none.
create function auth.accept_invitation(p_hash bytea, p_user uuid, p_password_hash text, p_request text)
  returns table (outcome text, tenant_id uuid, role text, token_epoch integer)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_link record;
  v_open record;
  v_epoch integer;
begin
  select t.tenant_id, t.subject_id, t.address into v_link from auth.find_one_time_token(p_hash, 'invitation') t;
  if not found then return; end if;
  perform from app.tenants t where t.id = v_link.tenant_id for share;
  select * into v_open from auth.open_invitation(v_link.tenant_id, v_link.subject_id, null);
  if v_open.id is null or v_open.email <> v_link.address then return; end if;
  if auth.requires_sso(v_link.tenant_id) then
    return query select 'sso', null::uuid, null::text, null::integer;
    return;
  end if;
  begin
    -- Again, under the lock: it proves that the mail was read.
    perform from auth.take_one_time_token(p_hash, 'invitation') t where t.token_id is not null;
    if not found then return; end if;
    insert into app.users (tenant_id, id, email, role, email_verified_at)
    values (v_link.tenant_id, p_user, v_open.email, v_open.role, now()) returning users.token_epoch into v_epoch;
  exception when unique_violation then
    return query select 'taken', null::uuid, null::text, null::integer;
    return;
  end;
  insert into app.credentials (tenant_id, user_id, password_hash) values (v_link.tenant_id, p_user, p_password_hash);
  insert into app.audit_events (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail)
  values (
    v_link.tenant_id, auth.uuid_v7(), p_user, 'user.registered', 'user', p_user, p_request,
    jsonb_build_object('role', v_open.role, 'invitation_id', v_open.id)
  );
  perform auth.settle_invitation(v_link.tenant_id, v_open.id, p_user, p_request);
  return query select 'accepted', v_link.tenant_id, v_open.role, v_epoch;
end $$;

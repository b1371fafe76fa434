-- Single sign-on. First what an admin of a tenant claims for it, from inside its room: a slug, and domains that DNS has proven. Then what a
-- login needs before a tenant is known.
set local role llm_auth;

-- Takes a slug for the tenant of the room, and gives back its earlier one. False: another tenant has it.
create function auth.claim_slug(p_slug text, p_connection uuid) returns boolean
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_tenant constant uuid := app.tenant_id();
begin
  if v_tenant is null or app.role() is distinct from 'admin' then
    raise exception 'needs an admin' using errcode = 'LL403';
  end if;
  if exists (select from meta.sso_slugs s where s.slug = p_slug and s.tenant_id = v_tenant and s.connection_id = p_connection) then return true; end if;
  delete from meta.sso_slugs s where s.tenant_id = v_tenant and s.connection_id = p_connection;
  insert into meta.sso_slugs (slug, tenant_id, connection_id) values (p_slug, v_tenant, p_connection) on conflict (slug) do nothing;
  return found;
end $$;

-- Leads a domain's people to the login of the room's tenant. The caller has seen the proof in DNS, which is for this tenant and whoever can
-- write there now: so the last proof counts, and the tenant that had the domain is told by its audit log.
create function auth.claim_domain(p_domain text, p_connection uuid) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_tenant constant uuid := app.tenant_id();
  v_before uuid;
begin
  if v_tenant is null or app.role() is distinct from 'admin' then
    raise exception 'needs an admin' using errcode = 'LL403';
  end if;
  select d.tenant_id into v_before from meta.sso_domains d where d.domain = p_domain for update;
  insert into meta.sso_domains (domain, tenant_id, connection_id) values (p_domain, v_tenant, p_connection)
  on conflict (domain) do update set tenant_id = v_tenant, connection_id = p_connection, proven_at = now();
  if v_before <> v_tenant then
    insert into app.audit_events (tenant_id, id, action, target_kind, target_id, detail)
    values (v_before, auth.uuid_v7(), 'sso.domain_lost', 'tenant', v_before, jsonb_build_object('domain', p_domain));
  end if;
end $$;

-- Gives back the domains that the room's tenant no longer names.
create function auth.keep_domains(p_domains text[]) returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
  delete from meta.sso_domains d
  where d.tenant_id = app.tenant_id() and app.role() = 'admin' and not d.domain = any (p_domains);
end;

create function auth.proven_domains() returns text[]
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(array_agg(d.domain order by d.domain), '{}') from meta.sso_domains d where d.tenant_id = app.tenant_id();
end;

-- The connection with this slug, or with this id, with what its secret is encrypted with; only where a login may begin. Bytes in hex.
create function auth.sso_connection(p_slug text, p_tenant uuid, p_id uuid)
  returns table (
    tenant_id uuid, id uuid, slug text, issuer text, client_id text, sealed text, version integer, wrapped text, wrapped_by text,
    domains text[], trust_email boolean, role_claim text, admin_values text[]
  )
  language sql stable security definer set search_path = pg_catalog, pg_temp rows 1
begin atomic
  select c.tenant_id, c.id, c.slug, c.issuer, c.client_id, encode(c.sealed, 'hex'), k.version, encode(k.wrapped, 'hex'), k.wrapped_by,
    c.domains, c.trust_email, c.role_claim, c.admin_values
  from app.sso_connections c
  join app.tenants t on t.id = c.tenant_id
  left join app.tenant_keys k on k.tenant_id = c.tenant_id and k.version = c.key_version
  where c.tenant_id = coalesce(p_tenant, (select s.tenant_id from meta.sso_slugs s where s.slug = p_slug))
    and c.id = coalesce(p_id, (select s.connection_id from meta.sso_slugs s where s.slug = p_slug))
    and c.enabled and t.status = 'active';
end;

-- Where people with an address of this domain log in. Nothing about any account.
create function auth.sso_slug_of(p_domain text) returns text
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select s.slug from meta.sso_domains d
  join meta.sso_slugs s on s.tenant_id = d.tenant_id and s.connection_id = d.connection_id
  join app.sso_connections c on c.tenant_id = d.tenant_id and c.id = d.connection_id
  join app.tenants t on t.id = d.tenant_id
  where d.domain = p_domain and c.enabled and t.status = 'active';
end;

-- Before the owner of an address gets an account by it: if nobody had proven the address, anybody may have made the account by registering
-- with it, and waits there for the owner. True: so it is, and its keys are ended. Not of an admin, whom admins chose, and who may be needed
-- when the provider fails.
create function auth.end_foreign_keys(p_tenant uuid, p_user uuid) returns boolean
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select from app.users u where u.tenant_id = p_tenant and u.id = p_user and u.email_verified_at is null and u.role = 'user' and u.kind = 'person'
  ) then return false; end if;
  update app.api_keys k set revoked_at = now(), metadata = '{}' where k.tenant_id = p_tenant and k.user_id = p_user and k.revoked_at is null;
  return true;
end $$;

-- The account of a person that the tenant's provider vouches for. p_email: their address, if it is verified and its domain allowed, else
-- null; p_role: by the claim, or null. An unknown person gets the account with that address, one by invitation, or a new one. All of it is this tenant's: its
-- admins chose the provider, and could make or change every one of these accounts themselves. outcome:
--   known | linked | created   here is the account
--   no_account                 none, and none may be made; or it is disabled
--   address_taken              the account with the address belongs to another person of this provider: an address that was given anew
-- No row: there is no such connection (any more).
create function auth.sso_login(
  p_tenant uuid, p_connection uuid, p_issuer text, p_subject text, p_email text, p_role text, p_new_user uuid, p_request text
) returns table (outcome text, id uuid, role text, token_epoch integer)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_jit boolean;
  v_user uuid;
  v_outcome text := 'known';
  v_foreign boolean := false;
  v_found record;
  v_invited record;
begin
  -- The tenant first, as who sets the connection up locks it: a changed role may need the tenant's row later (app.keep_an_admin).
  perform from app.tenants t where t.id = p_tenant and t.status = 'active' for no key update;
  if not found then return; end if;
  -- Of two first logins of a person, the second waits here, and finds the account.
  select c.jit into v_jit from app.sso_connections c
  where c.tenant_id = p_tenant and c.id = p_connection and c.issuer = p_issuer and c.enabled for no key update;
  if not found then return; end if;

  select i.user_id into v_user from app.sso_identities i
  join app.users u on u.tenant_id = i.tenant_id and u.id = i.user_id
  where i.tenant_id = p_tenant and i.origin = 'tenant' and i.issuer = p_issuer and i.subject = p_subject;
  if v_user is null and p_email is not null then
    select u.id into v_user from app.users u where u.tenant_id = p_tenant and u.email = p_email and u.kind = 'person' and u.status = 'active';
    if v_user is not null then
      v_outcome := 'linked';
      if exists (
        select from app.sso_identities i where i.tenant_id = p_tenant and i.user_id = v_user and i.origin = 'tenant' and i.issuer = p_issuer
      ) then
        v_outcome := 'address_taken';
      end if;
    else
      select * into v_invited from auth.open_invitation(p_tenant, null, p_email);
      if v_jit or v_invited.id is not null then
        insert into app.users (tenant_id, id, email, role)
        values (p_tenant, p_new_user, p_email, coalesce(p_role, v_invited.role, 'user'))
        on conflict (tenant_id, email) where deleted_at is null do nothing;
      end if;
      if (v_jit or v_invited.id is not null) and found then
        v_user := p_new_user;
        v_outcome := 'created';
        if v_invited.id is not null then perform auth.settle_invitation(p_tenant, v_invited.id, v_user, p_request); end if;
        insert into app.audit_events (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail)
        values (p_tenant, auth.uuid_v7(), v_user, 'user.registered', 'user', v_user, p_request,
          jsonb_build_object('role', coalesce(p_role, v_invited.role, 'user'), 'method', 'sso'));
      end if;
    end if;
    if v_outcome = 'linked' and auth.end_foreign_keys(p_tenant, v_user) then
      -- Who registered it knows its password, and may be logged in.
      v_foreign := true;
      delete from app.credentials c where c.tenant_id = p_tenant and c.user_id = v_user;
      update app.users u set token_epoch = u.token_epoch + 1 where u.tenant_id = p_tenant and u.id = v_user;
    end if;
    if v_outcome in ('linked', 'created') then
      update app.users u set email_verified_at = now() where u.tenant_id = p_tenant and u.id = v_user;
      -- The row may be of a user who is deleted, and not removed yet.
      insert into app.sso_identities as i (tenant_id, id, issuer, subject, user_id)
      values (p_tenant, auth.uuid_v7(), p_issuer, p_subject, v_user)
      on conflict on constraint sso_identities_pkey do update set user_id = excluded.user_id;
      insert into app.audit_events (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail)
      values (p_tenant, auth.uuid_v7(), v_user, 'sso.linked', 'user', v_user, p_request,
        case when v_foreign then '{"address_was": "unproven"}'::jsonb else '{}'::jsonb end);
      if v_outcome = 'linked' then
        perform auth.new_mail(p_tenant, auth.uuid_v7(), v_user, p_email, 'identity_linked', jsonb_build_object('issuer', p_issuer), null);
      end if;
    end if;
  end if;

  if v_outcome = 'known' and v_user is null then v_outcome := 'no_account'; end if;
  if v_user is not null and v_outcome <> 'address_taken' then
    if p_role is not null then
      begin
        update app.users u set role = p_role where u.tenant_id = p_tenant and u.id = v_user and u.status = 'active' and u.role <> p_role;
        if found then
          insert into app.audit_events (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail)
          values (p_tenant, auth.uuid_v7(), v_user, 'user.changed', 'user', v_user, p_request,
            jsonb_build_object('role', p_role, 'method', 'sso'));
        end if;
      exception when sqlstate 'LL409' then
        null; -- The last active admin stays one, whatever the provider says.
      end;
    end if;
    select u.id, u.role, u.token_epoch into v_found from app.users u where u.tenant_id = p_tenant and u.id = v_user and u.status = 'active';
    if not found then v_outcome := 'no_account'; end if;
  end if;
  if v_outcome in ('no_account', 'address_taken') then
    perform auth.sso_refused(p_tenant, v_outcome, p_request);
    return query select v_outcome, null::uuid, null::text, null::integer;
    return;
  end if;
  update app.sso_identities i set last_login_at = now()
  where i.tenant_id = p_tenant and i.origin = 'tenant' and i.issuer = p_issuer and i.subject = p_subject;
  insert into app.audit_events (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail)
  values (p_tenant, auth.uuid_v7(), v_user, 'login.succeeded', 'user', v_user, p_request, '{"method": "sso"}');
  return query select v_outcome, v_found.id::uuid, v_found.role::text, v_found.token_epoch::integer;
end $$;

-- Notes a login that the provider vouched for and that led to nothing, so that admins can see why. No address, no claim.
create function auth.sso_refused(p_tenant uuid, p_reason text, p_request text) returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into app.audit_events (tenant_id, id, action, target_kind, target_id, request_id, detail)
  select t.id, auth.uuid_v7(), 'login.failed', 'tenant', t.id, p_request, jsonb_build_object('method', 'sso', 'reason', p_reason)
  from app.tenants t where t.id = p_tenant;
end;

-- Whether a login of this moment still holds: the account as it is now, if its epoch is the same.
create function auth.identity_of(p_tenant uuid, p_user uuid, p_epoch integer)
  returns table (id uuid, role text, token_epoch integer)
  language sql stable security definer set search_path = pg_catalog, pg_temp rows 1
begin atomic
  select u.id, u.role, u.token_epoch from app.users u join app.tenants t on t.id = u.tenant_id
  where u.tenant_id = p_tenant and u.id = p_user and u.token_epoch = p_epoch and u.kind = 'person' and u.status = 'active'
    and t.status = 'active';
end;

-- Whether the room's user has a password that counts: where single sign-on is required, none logs in and none proves anything.
create function auth.has_password() returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select not auth.requires_sso(app.tenant_id())
    and exists (select from app.credentials c where c.tenant_id = app.tenant_id() and c.user_id = app.user_id());
end;

-- Whether the room's user can log in: by a password, or as a person at a provider that the tenant has now, or the installation (p_issuers).
create function auth.has_way_in(p_issuers text[]) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select auth.has_password() or exists (
    select from app.sso_identities i join app.sso_connections c on c.tenant_id = i.tenant_id and c.issuer = i.issuer and c.enabled
    where i.tenant_id = app.tenant_id() and i.user_id = app.user_id() and i.origin = 'tenant'
  ) or not auth.requires_sso(app.tenant_id()) and exists (
    select from app.sso_identities i
    where i.tenant_id = app.tenant_id() and i.user_id = app.user_id() and i.origin = 'installation' and i.issuer = any (p_issuers)
  );
end;

-- Uses up what may be used once. False: it was used before.
create function auth.spend(p_hash bytea, p_until timestamptz) returns boolean
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_first boolean;
begin
  insert into meta.spent (hash, until) values (p_hash, p_until) on conflict do nothing;
  v_first := found;
  -- Each use removes up to two that are over: so there are no more than were used in their time. An hour late, for clocks that differ.
  delete from meta.spent s where s.hash in (
    select o.hash from meta.spent o where o.until < now() - interval '1 hour' order by o.until limit 2 for update skip locked
  );
  return v_first;
end $$;

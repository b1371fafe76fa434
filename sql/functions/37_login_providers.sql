-- Logins by a provider of the installation, before a tenant is known. People are found by issuer and subject, of identities whose origin is
-- the installation: a tenant's own provider makes none of these. An equal address alone leads to an account only where its tenant said so
-- (link_by_email), where the account has proven the address too, and after the person was asked.
set local role llm_auth;

-- The accounts that a person may log in to: those that are linked, and those that p_email (verified by the provider, or null) would link.
-- Not of a tenant that requires its own single sign-on.
create function auth.provider_accounts(p_issuer text, p_subject text, p_email text)
  returns table (tenant_id uuid, user_id uuid, name text, linked boolean)
  language sql stable security definer set search_path = pg_catalog, pg_temp rows 1
begin atomic
  select u.tenant_id, u.id, t.name, known.linked
  from (
    select i.tenant_id, i.user_id, true as linked from app.sso_identities i
    where i.origin = 'installation' and i.issuer = p_issuer and i.subject = p_subject
    union all
    select u.tenant_id, u.id, false from app.users u
    where u.email = p_email and u.email_verified_at is not null
      and exists (select from app.tenants t where t.id = u.tenant_id and t.link_by_email)
      -- Neither the account is another person's, nor the person another account's.
      and not exists (
        select from app.sso_identities i join app.users o on o.tenant_id = i.tenant_id and o.id = i.user_id
        where i.tenant_id = u.tenant_id and i.origin = 'installation' and i.issuer = p_issuer and (i.user_id = u.id or i.subject = p_subject)
      )
  ) known
  join app.users u on u.tenant_id = known.tenant_id and u.id = known.user_id
  join app.tenants t on t.id = u.tenant_id
  where u.kind = 'person' and u.status = 'active' and t.status = 'active' and not auth.requires_sso(t.id)
  -- Who makes many accounts with another's address hides none that is linked.
  order by known.linked desc, t.name, u.tenant_id limit 50;
end;

-- Logs a person in to one of these accounts, and links it if it is not. No row: it is none of these any more.
create function auth.provider_login(
  p_provider text, p_issuer text, p_subject text, p_email text, p_tenant uuid, p_user uuid, p_request text
) returns table (role text, token_epoch integer)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_user record;
begin
  -- The tenant first: who requires single sign-on holds it.
  perform from app.tenants t where t.id = p_tenant and t.status = 'active' for share;
  if not found or auth.requires_sso(p_tenant) then return; end if;
  select u.role, u.token_epoch into v_user from app.users u
  where u.tenant_id = p_tenant and u.id = p_user and u.kind = 'person' and u.status = 'active' for no key update;
  if not found then return; end if;
  if not exists (
    select from app.sso_identities i
    where i.tenant_id = p_tenant and i.origin = 'installation' and i.issuer = p_issuer and i.subject = p_subject and i.user_id = p_user
  ) then
    if not exists (
      select from auth.provider_accounts(p_issuer, p_subject, p_email) a where a.tenant_id = p_tenant and a.user_id = p_user
    ) or not auth.add_identity(p_tenant, p_user, p_issuer, p_subject) then return; end if;
    perform auth.tell_linked(p_tenant, p_user, p_provider, p_issuer, p_request);
  end if;
  update app.sso_identities i set last_login_at = now()
  where i.tenant_id = p_tenant and i.origin = 'installation' and i.issuer = p_issuer and i.subject = p_subject;
  insert into app.audit_events (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail)
  values (p_tenant, auth.uuid_v7(), p_user, 'login.succeeded', 'user', p_user, p_request,
    jsonb_build_object('method', 'provider', 'provider', p_provider));
  return query select v_user.role::text, v_user.token_epoch::integer;
end $$;

-- Links a person to the account of who is logged in there, and who has gone to the provider to be linked. `ended`: the account is not as it was
-- then; `taken`: the person logs in to another account of the tenant; `full`: it has twenty.
create function auth.link_identity(
  p_provider text, p_issuer text, p_subject text, p_tenant uuid, p_user uuid, p_epoch integer, p_request text
) returns text
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  most constant integer := 20;
begin
  perform from app.tenants t where t.id = p_tenant and t.status = 'active' for share;
  if not found or auth.requires_sso(p_tenant) then return 'ended'; end if;
  perform from app.users u
  where u.tenant_id = p_tenant and u.id = p_user and u.token_epoch = p_epoch and u.kind = 'person' and u.status = 'active' for no key update;
  if not found then return 'ended'; end if;
  if exists (
    select from app.sso_identities i
    where i.tenant_id = p_tenant and i.origin = 'installation' and i.issuer = p_issuer and i.subject = p_subject and i.user_id = p_user
  ) then return 'linked'; end if;
  if (select count(*) >= most from app.sso_identities i where i.tenant_id = p_tenant and i.user_id = p_user) then return 'full'; end if;
  if not auth.add_identity(p_tenant, p_user, p_issuer, p_subject) then return 'taken'; end if;
  perform auth.tell_linked(p_tenant, p_user, p_provider, p_issuer, p_request);
  return 'linked';
end $$;

-- False: the person logs in to another account of the tenant. A row may be of a user who is deleted, and not removed yet.
create function auth.add_identity(p_tenant uuid, p_user uuid, p_issuer text, p_subject text) returns boolean
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
begin
  insert into app.sso_identities as i (tenant_id, id, origin, issuer, subject, user_id)
  values (p_tenant, auth.uuid_v7(), 'installation', p_issuer, p_subject, p_user)
  on conflict on constraint sso_identities_pkey do update set user_id = excluded.user_id
  where not exists (select from app.users u where u.tenant_id = i.tenant_id and u.id = i.user_id);
  return found;
end $$;

-- The audit log, and a mail to the account's address.
create function auth.tell_linked(p_tenant uuid, p_user uuid, p_provider text, p_issuer text, p_request text) returns void
  language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
  insert into app.audit_events (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail)
  values (p_tenant, auth.uuid_v7(), p_user, 'sso.linked', 'user', p_user, p_request, jsonb_build_object('provider', p_provider));
  select auth.new_mail(u.tenant_id, auth.uuid_v7(), u.id, u.email, 'identity_linked', jsonb_build_object('issuer', p_issuer), null)
  from app.users u where u.tenant_id = p_tenant and u.id = p_user;
end;

-- Notes a login that led to nothing, in the tenants whose accounts the person is linked to, so that their admins can see why.
create function auth.provider_refused(p_issuer text, p_subject text, p_request text) returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into app.audit_events (tenant_id, id, action, target_kind, target_id, request_id, detail)
  select i.tenant_id, auth.uuid_v7(), 'login.failed', 'user', i.user_id, p_request, jsonb_build_object('method', 'provider',
    'reason', case when auth.requires_sso(i.tenant_id) then 'sso_required' else 'no_account' end)
  from app.sso_identities i where i.origin = 'installation' and i.issuer = p_issuer and i.subject = p_subject;
end;

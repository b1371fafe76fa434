-- What is done by links in mails, before a tenant is known: passwords are reset, addresses verified and changed. No function here says
-- whether an address has an account.

-- A new password, or a user who is disabled, ends links that would give the account another password or address: who had asked for them may
-- be whom the owner just locked out. Not definer: whoever may change a user so may void their links.
create function app.void_links() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  update app.one_time_tokens t set voided_at = now()
  where t.tenant_id = new.tenant_id and t.subject_id = new.id and t.purpose in ('password_reset', 'email_change')
    and t.used_at is null and t.voided_at is null;
  return null;
end $$;

create trigger void_links after update of status, token_epoch on app.users
  for each row when (new.status <> old.status or new.token_epoch <> old.token_epoch) execute function app.void_links();

set local role llm_auth;

-- Active people with this address, to whom a link may be sent, verified ones first. Ten of them: who creates tenants with another's address
-- cannot have any number of mails sent there, and with p_tenant each is found. p_unverified: those whose address is not verified.
create function auth.accounts_at(p_email text, p_tenant uuid, p_unverified boolean) returns table (tenant_id uuid, user_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp rows 1
begin atomic
  select u.tenant_id, u.id from app.users u join app.tenants t on t.id = u.tenant_id
  where u.email = p_email and (p_tenant is null or u.tenant_id = p_tenant) and u.kind = 'person' and u.status = 'active' and t.status = 'active'
    and not (p_unverified and u.email_verified_at is not null)
  order by u.email_verified_at is null, u.created_at, u.tenant_id limit 10;
end;

-- Writes a link for each of these accounts, by mail to this address. One without a password has none to reset, and where single sign-on is
-- required a password is good for nothing: its mail says so. Called
-- without accounts too, so that it takes as long.
create function auth.write_links(
  p_purpose text, p_email text, p_tenants uuid[], p_users uuid[], p_tokens uuid[], p_hashes text[], p_mails uuid[], p_seconds integer, p_request text
) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  wanted record;
begin
  if p_purpose not in ('password_reset', 'email_verify') then raise exception 'no purpose of a link' using errcode = 'LL500'; end if;
  for wanted in
    select g.*, exists (select from app.credentials c where c.tenant_id = g.tenant_id and c.user_id = g.user_id)
      and not auth.requires_sso(g.tenant_id) as has_password
    from unnest(p_tenants, p_users, p_tokens, p_hashes, p_mails) g (tenant_id, user_id, token, hash, mail)
    join app.users u on u.tenant_id = g.tenant_id and u.id = g.user_id and u.email = p_email and u.status = 'active'
  loop
    if p_purpose = 'password_reset' and not wanted.has_password then
      perform auth.new_mail(wanted.tenant_id, wanted.mail, wanted.user_id, p_email, 'password_reset_sso', '{}', null);
      continue;
    end if;
    perform auth.new_one_time_token(
      wanted.tenant_id, wanted.token, decode(wanted.hash, 'hex'), p_purpose, wanted.user_id, p_email, p_seconds);
    perform auth.new_mail(wanted.tenant_id, wanted.mail, wanted.user_id, p_email, p_purpose, '{}', wanted.token);
    insert into app.audit_events (tenant_id, id, action, target_kind, target_id, request_id)
    values (wanted.tenant_id, auth.uuid_v7(), case p_purpose when 'password_reset' then 'password.reset_asked' else 'email.verification_sent' end,
      'user', wanted.user_id, p_request);
  end loop;
end $$;

-- Sets the password by a link; false: it leads nowhere. Ends everything that logged in before, by a new epoch. Who reads the mail has proved
-- the address. The link is of the address that the account had then: after a change of it, it is good for nothing.
create function auth.reset_password(p_token text, p_hash text, p_mail uuid, p_request text) returns boolean
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_tenant uuid;
  taken record;
begin
  select t.tenant_id into v_tenant from auth.find_one_time_token(decode(p_token, 'hex'), 'password_reset') t;
  if not found then return false; end if;
  -- The tenant first: who requires single sign-on holds it, and ends links then.
  perform from app.tenants t where t.id = v_tenant for share;
  if auth.requires_sso(v_tenant) then return false; end if;
  select * into taken from auth.take_one_time_token(decode(p_token, 'hex'), 'password_reset');
  -- Credentials first, as a change of the password locks them.
  update app.credentials c set password_hash = p_hash, updated_at = now() where c.tenant_id = taken.tenant_id and c.user_id = taken.subject_id;
  perform auth.end_foreign_keys(taken.tenant_id, taken.subject_id);
  update app.users u set token_epoch = u.token_epoch + 1, email_verified_at = now()
  where found and u.tenant_id = taken.tenant_id and u.id = taken.subject_id and u.email = taken.address and u.kind = 'person' and u.status = 'active';
  if not found then
    -- Undone, since it was half done.
    if taken.tenant_id is not null then raise exception 'the account changed' using errcode = 'LL404'; end if;
    return false;
  end if;
  perform auth.new_mail(taken.tenant_id, p_mail, taken.subject_id, taken.address, 'password_changed', '{}', null);
  insert into app.audit_events (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id)
  values (taken.tenant_id, auth.uuid_v7(), taken.subject_id, 'password.reset', 'user', taken.subject_id, p_request);
  return true;
exception when sqlstate 'LL404' then
  return false;
end $$;

-- Verifies an address by a link. `refused`: it leads nowhere. p_proven: the account's password was given with it. Without that, an account that
-- has one stays as it is (`password_wanted`): a stranger may have registered it with the address of who reads the mail, and waits.
create function auth.verify_email(p_token text, p_proven boolean, p_request text) returns text
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  taken record;
begin
  if not p_proven and exists (
    select from auth.find_one_time_token(decode(p_token, 'hex'), 'email_verify') f
    join app.credentials c on c.tenant_id = f.tenant_id and c.user_id = f.subject_id
    where not auth.requires_sso(f.tenant_id)
  ) then return 'password_wanted'; end if;
  select * into taken from auth.take_one_time_token(decode(p_token, 'hex'), 'email_verify');
  update app.users u set email_verified_at = now()
  where u.tenant_id = taken.tenant_id and u.id = taken.subject_id and u.email = taken.address and u.status = 'active';
  if not found then return 'refused'; end if;
  insert into app.audit_events (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id)
  values (taken.tenant_id, auth.uuid_v7(), taken.subject_id, 'email.verified', 'user', taken.subject_id, p_request);
  return 'verified';
end $$;

-- Gives an account its new address by a link that was sent there. `taken`: another account of the tenant has it; the link stays. `refused`:
-- it leads nowhere. The earlier address is told, and links to it are void.
create function auth.change_email(p_token text, p_mail uuid, p_request text) returns text
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  taken record;
  v_old text;
begin
  select * into taken from auth.take_one_time_token(decode(p_token, 'hex'), 'email_change');
  select u.email into v_old from app.users u
  where u.tenant_id = taken.tenant_id and u.id = taken.subject_id and u.kind = 'person' and u.status = 'active' for no key update;
  if not found then return 'refused'; end if;
  update app.users u set email = taken.address, email_verified_at = now() where u.tenant_id = taken.tenant_id and u.id = taken.subject_id;
  update app.one_time_tokens t set voided_at = now()
  where t.tenant_id = taken.tenant_id and t.subject_id = taken.subject_id and t.used_at is null and t.voided_at is null;
  perform auth.new_mail(taken.tenant_id, p_mail, taken.subject_id, v_old, 'email_changed', jsonb_build_object('next', taken.address), null);
  insert into app.audit_events (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id)
  values (taken.tenant_id, auth.uuid_v7(), taken.subject_id, 'email.changed', 'user', taken.subject_id, p_request);
  return 'changed';
exception when unique_violation then
  return 'taken';
end $$;

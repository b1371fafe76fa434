-- One-time tokens and mails before a tenant is known. A deed that consumes a token is a function of its own, which calls
-- auth.take_one_time_token in its transaction: neither happens without the other.
set local role llm_auth;

-- A new token, which voids earlier ones for the same purpose and subject. Called by functions of auth.
create function auth.new_one_time_token(
  p_tenant uuid, p_id uuid, p_hash bytea, p_purpose text, p_subject uuid, p_address text, p_seconds integer
) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update app.one_time_tokens t set voided_at = now()
  where t.tenant_id = p_tenant and t.subject_id = p_subject and t.purpose = p_purpose and t.used_at is null and t.voided_at is null;
  insert into app.one_time_tokens (tenant_id, id, purpose, subject_id, address, hash, expires_at)
  values (p_tenant, p_id, p_purpose, p_subject, p_address, p_hash, now() + make_interval(secs => p_seconds));
end $$;

-- A mail to be sent. p_subject: the user whose account it is about, or null; p_token: whose link it has, or null. Called by functions of auth.
create function auth.new_mail(p_tenant uuid, p_id uuid, p_subject uuid, p_address text, p_template text, p_data jsonb, p_token uuid) returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into app.mails (tenant_id, id, subject_id, address, template, data, token_id)
  values (p_tenant, p_id, p_subject, p_address, p_template, p_data, p_token);
end;

-- The token with this SHA-256 of its text, if it can be used still: without using it. For what has to be known before a transaction: a
-- password is hashed with its address.
create function auth.find_one_time_token(p_hash bytea, p_purpose text)
  returns table (tenant_id uuid, tenant_name text, token_id uuid, subject_id uuid, address text, expires_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp rows 1
begin atomic
  select t.tenant_id, n.name, t.id, t.subject_id, t.address, t.expires_at
  from app.one_time_tokens t join app.tenants n on n.id = t.tenant_id
  where t.hash = p_hash and octet_length(t.hash) = 32 and t.purpose = p_purpose
    and t.used_at is null and t.voided_at is null and t.expires_at > now() and n.status = 'active'
  limit 1;
end;

-- Uses it. Of two at once, the second waits, and then finds none. Called by functions of auth.
create function auth.take_one_time_token(p_hash bytea, p_purpose text, out tenant_id uuid, out token_id uuid, out subject_id uuid, out address text)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update app.one_time_tokens t set used_at = now()
  where t.hash = p_hash and octet_length(t.hash) = 32 and t.purpose = p_purpose
    and t.used_at is null and t.voided_at is null and t.expires_at > now()
    and exists (select from app.tenants n where n.id = t.tenant_id and n.status = 'active')
  returning t.tenant_id, t.id, t.subject_id, t.address
    into take_one_time_token.tenant_id, take_one_time_token.token_id, take_one_time_token.subject_id, take_one_time_token.address;
end $$;

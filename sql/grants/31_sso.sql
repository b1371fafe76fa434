-- Single sign-on: see sql/policies/21_sso.sql.
grant select, delete, insert (
  tenant_id, id, slug, issuer, client_id, key_version, sealed, domains, trust_email, jit, role_claim, admin_values, required, enabled
), update (
  id, slug, issuer, client_id, key_version, sealed, domains, trust_email, jit, role_claim, admin_values, required, enabled, updated_at
) on app.sso_connections to llm_tenant;
grant select, delete on app.sso_identities to llm_tenant;

grant select, update (updated_at) on app.sso_connections to llm_auth;
grant select (tenant_id, version, wrapped, wrapped_by) on app.tenant_keys to llm_auth;
grant select, insert (tenant_id, id, origin, issuer, subject, user_id, last_login_at), update (user_id, last_login_at) on app.sso_identities to llm_auth;
grant update (role, email_verified_at) on app.users to llm_auth;
grant delete on app.credentials to llm_auth;
grant update (revoked_at, metadata) on app.api_keys to llm_auth;
grant select, insert, update, delete on meta.sso_slugs, meta.sso_domains, meta.spent to llm_auth;
grant execute on function app.tenant_id(), app.user_id(), app.role() to llm_auth;

grant select (tenant_id, user_id), delete on app.sso_identities to llm_work;
grant select (tenant_id, required, enabled), update (required, updated_at), delete on app.sso_connections to llm_operator;
grant select (tenant_id) on app.sso_identities to llm_operator;
grant select (
  tenant_id, id, slug, issuer, client_id, key_version, domains, trust_email, jit, role_claim, admin_values, required, enabled, created_at, updated_at
) on app.sso_connections to llm_auditor, llm_reader;
grant select on app.sso_identities to llm_auditor, llm_reader;

grant usage on schema auth to llm_tenant;
set local role llm_auth;

grant execute on function
  auth.claim_slug(text, uuid),
  auth.claim_domain(text, uuid),
  auth.proven_domains(),
  auth.keep_domains(text[]),
  auth.has_password(),
  auth.has_way_in(text[])
to llm_tenant;
grant execute on function
  auth.requires_sso(uuid),
  auth.sso_connection(text, uuid, uuid),
  auth.sso_slug_of(text),
  auth.sso_login(uuid, uuid, text, text, text, text, uuid, text),
  auth.sso_refused(uuid, text, text),
  auth.identity_of(uuid, uuid, integer),
  auth.provider_accounts(text, text, text),
  auth.provider_login(text, text, text, text, uuid, uuid, text),
  auth.link_identity(text, text, text, uuid, uuid, integer, text),
  auth.provider_refused(text, text, text),
  auth.spend(bytea, timestamptz)
to llm_api;

-- Second factors. The hash of a recovery code is read in the room to be compared, and so is the encrypted secret.
grant select (second_factor, second_factor_after_sso, tenant_switch, link_by_email), update (second_factor, second_factor_after_sso, tenant_switch, link_by_email)
  on app.tenants to llm_tenant;
grant select (second_factor, second_factor_after_sso, tenant_switch, link_by_email) on app.tenants to llm_auth;
grant select (second_factor, second_factor_after_sso, tenant_switch, link_by_email) on app.tenants to llm_reader;

grant select, insert (tenant_id, id, user_id, kind, name, confirmed_at, credential_id, public_key, sign_count, transports, backed_up),
  update (name, confirmed_at, last_used_at, sign_count, backed_up), delete on app.factors to llm_tenant;
grant select, insert (tenant_id, factor_id, user_id, key_version, sealed), update (last_step, failures, whole_at) on app.totp_secrets
  to llm_tenant;
grant select, insert (tenant_id, user_id, code_hash), update (used_at), delete on app.recovery_codes to llm_tenant;
grant select, insert (tenant_id, id, user_id, ends_at), update (tries), delete on app.login_challenges to llm_tenant;

grant select (tenant_id, user_id, confirmed_at) on app.factors to llm_auth;
grant select (tenant_id, id, user_id, kind, name, created_at, confirmed_at, last_used_at, backed_up) on app.factors to llm_auditor, llm_reader;
grant select (tenant_id) on app.factors, app.recovery_codes, app.login_challenges to llm_operator;
grant select (tenant_id), delete on app.totp_secrets to llm_operator;

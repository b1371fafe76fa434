-- Verbs and columns. No TRUNCATE, REFERENCES or TRIGGER for anybody: the first two look past row-level security.

grant select on app.tenants to llm_tenant;
grant update (name, registration) on app.tenants to llm_tenant;
grant select, delete on app.users to llm_tenant;
grant insert (tenant_id, id, email, role) on app.users to llm_tenant;
grant update (role, status, tokens_valid_after) on app.users to llm_tenant;
-- A hash can be written in the room, never read.
grant select (tenant_id, user_id, updated_at) on app.credentials to llm_tenant;
grant insert (tenant_id, user_id, password_hash) on app.credentials to llm_tenant;
grant update (password_hash, updated_at) on app.credentials to llm_tenant;
grant select on app.audit_events to llm_tenant;
-- Not `at`: when it happened is the database's to say.
grant insert (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail) on app.audit_events to llm_tenant;

grant select, insert (id, name, registration), update (bootstrapped_at) on app.tenants to llm_auth;
grant select (tenant_id, id, email, role, status, created_at), insert (tenant_id, id, email, role) on app.users to llm_auth;
grant select (tenant_id, user_id, password_hash), insert (tenant_id, user_id, password_hash), update (password_hash, updated_at)
  on app.credentials to llm_auth;
grant insert (tenant_id, id, actor_user_id, action, target_kind, target_id, request_id, detail) on app.audit_events to llm_auth;

grant select on app.tenants, app.audit_events to llm_auditor;
grant select (tenant_id, id, email, role, status, created_at) on app.users to llm_auditor;

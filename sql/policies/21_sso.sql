-- Single sign-on inside the wall: the connection is the admins' to see and to change. Identities are seen by whom they lead to, and made by
-- logins alone; a user or an admin may remove one.
create policy tenant_rows on app.sso_connections for all to llm_tenant using (true) with check (true);
create policy admins_only on app.sso_connections as restrictive for all to llm_tenant
  using ((select app.role()) = 'admin') with check ((select app.role()) = 'admin');
create policy tenant_rows on app.sso_identities for all to llm_tenant using (true) with check (true);
create policy own_or_admin on app.sso_identities as restrictive for all to llm_tenant
  using (user_id = (select app.user_id()) or (select app.role()) = 'admin')
  with check (false);

-- Outside: the definer functions of logins (sql/functions/33_sso.sql) and of the operator. A lock needs the right to update a column.
create policy auth_read on app.sso_connections for select to llm_auth using (true);
create policy auth_lock on app.sso_connections for update to llm_auth using (true) with check (false);
create policy auth_read on app.tenant_keys for select to llm_auth using (true);
create policy auth_rows on app.sso_identities for all to llm_auth using (true) with check (true);
-- What others left in an account whose address nobody had proven: see auth.end_foreign_keys and auth.sso_login.
create policy auth_end on app.credentials for delete to llm_auth using (exists (
  select from app.users u
  where u.tenant_id = credentials.tenant_id and u.id = credentials.user_id and u.email_verified_at is null and u.role = 'user'
));
-- The role by a claim. With the tenant's row locked: see app.keep_an_admin, which finds no tenant that it may not lock.
create policy auth_role on app.users for update to llm_auth using (kind = 'person') with check (kind = 'person');
create policy auth_lock on app.tenants for update to llm_auth using (true) with check (false);
create policy work_rows on app.sso_identities for select to llm_work using (true);
create policy operator_rows on app.sso_connections for all to llm_operator using (true) with check (not required);
create policy operator_read on app.sso_identities for select to llm_operator using (true);
create policy auditor_read on app.sso_connections for select to llm_auditor using ((select app.login_valid()));
create policy reader_read on app.sso_connections for select to llm_reader using (true);
create policy auditor_read on app.sso_identities for select to llm_auditor using ((select app.login_valid()));
create policy reader_read on app.sso_identities for select to llm_reader using (true);

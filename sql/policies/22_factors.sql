-- Second factors are their user's. Admins see which there are and remove them; they read no secret and no code, and add none. A login that
-- waits for a second factor enters its user's room for nothing but these tables.
create policy tenant_rows on app.factors for all to llm_tenant using (true) with check (true);
create policy own_or_admin on app.factors as restrictive for select to llm_tenant
  using (user_id = (select app.user_id()) or (select app.role()) = 'admin');
create policy own_add on app.factors as restrictive for insert to llm_tenant with check (user_id = (select app.user_id()));
create policy own_change on app.factors as restrictive for update to llm_tenant
  using (user_id = (select app.user_id())) with check (user_id = (select app.user_id()));
create policy own_or_admin_remove on app.factors as restrictive for delete to llm_tenant
  using (user_id = (select app.user_id()) or (select app.role()) = 'admin');

-- They go with their factor.
create policy tenant_rows on app.totp_secrets for all to llm_tenant using (true) with check (true);
create policy own on app.totp_secrets as restrictive for all to llm_tenant
  using (user_id = (select app.user_id())) with check (user_id = (select app.user_id()));

create policy tenant_rows on app.recovery_codes for all to llm_tenant using (true) with check (true);
create policy own on app.recovery_codes as restrictive for all to llm_tenant
  using (user_id = (select app.user_id())) with check (user_id = (select app.user_id()));

create policy tenant_rows on app.login_challenges for all to llm_tenant using (true) with check (true);
create policy own on app.login_challenges as restrictive for all to llm_tenant
  using (user_id = (select app.user_id())) with check (user_id = (select app.user_id()));

-- The record of a login says whether a second factor is still asked for.
create policy auth_read on app.factors for select to llm_auth using (true);

-- Auditors see which factors there are.
create policy auditor_read on app.factors for select to llm_auditor using ((select app.login_valid()));
create policy reader_read on app.factors for select to llm_reader using (true);

-- Rows are counted, of any tenant; secrets are removed before the data keys that they are encrypted under.
do $$
declare
  place regclass;
begin
  foreach place in array array['app.factors', 'app.totp_secrets', 'app.recovery_codes', 'app.login_challenges']::regclass[] loop
    execute format('create policy operator_read on %s for select to llm_operator using (true)', place);
  end loop;
end $$;
create policy operator_remove on app.totp_secrets for delete to llm_operator
  using (exists (select from app.tenants t where t.id = tenant_id and t.status = 'erased'));

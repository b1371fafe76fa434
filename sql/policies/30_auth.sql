-- Outside the wall: the definer functions read across tenants, and can read only this. The grants say which columns.

create policy auth_read on app.tenants for select to llm_auth using (true);
create policy auth_add on app.tenants for insert to llm_auth with check (true);
create policy auth_bootstrap on app.tenants for update to llm_auth
  using (bootstrapped_at is null) with check (bootstrapped_at is not null);
create policy auth_read on app.users for select to llm_auth using (true);
create policy auth_add on app.users for insert to llm_auth with check (true);
create policy auth_change on app.users for update to llm_auth using (true) with check (true);
create policy auth_read on app.credentials for select to llm_auth using (true);
create policy auth_add on app.credentials for insert to llm_auth with check (true);
create policy auth_rehash on app.credentials for update to llm_auth using (true) with check (true);
create policy auth_read on app.api_keys for select to llm_auth using (true);
create policy auth_use on app.api_keys for update to llm_auth using (true) with check (true);
create policy auth_rows on app.one_time_tokens for all to llm_auth using (true) with check (true);
create policy auth_add on app.mails for insert to llm_auth with check (true);
create policy auth_read on app.sessions for select to llm_auth using (true);
create policy auth_use on app.sessions for update to llm_auth using (true) with check (true);
create policy auth_rows on app.session_tokens for all to llm_auth using (true) with check (true);
create policy auth_read on app.invitations for select to llm_auth using (true);
create policy auth_accept on app.invitations for update to llm_auth using (true) with check (revoked_at is null);
create policy auth_add on app.audit_events for insert to llm_auth with check (true);
create policy auth_rows on app.idempotent_answers for all to llm_auth using (user_id is null) with check (user_id is null);

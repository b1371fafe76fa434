-- Deleted items are invisible to every reader from the moment they are marked (app.deletions), though their rows may exist for some seconds
-- more. The accounts of answers (app.generations) and the audit log stay. Costs one look per statement into a table that is nearly always empty, and one per row while it is not.
-- Which ids of a row may be marked is defined here and nowhere else.

create policy tenant_rows on app.deletions for select to llm_tenant using (true);
create policy tenant_add on app.deletions for insert to llm_tenant with check (true);
create policy own_or_admin on app.deletions as restrictive for select to llm_tenant
  using (user_id = (select app.user_id()) or (select app.role()) = 'admin');
create policy seen_add on app.deletions as restrictive for insert to llm_tenant
  with check (app.may_delete(tenant_id, id, kind, user_id));

-- The work role removes marked rows of these tables, and no others.
create policy work_rows on app.deletions for all to llm_work using (true) with check (true);
create policy tracking_rows on app.deletions for select to llm_tracking using (true);

create policy not_deleted on app.users as restrictive for select to llm_tenant, llm_auth, llm_auditor, llm_reader
  using (deleted_at is null);
create policy work_deleted on app.users for delete to llm_work using (deleted_at is not null);

do $$
declare
  place record;
  marked text;
begin
  for place in
    select * from (values
      ('credentials', 'credentials.user_id'),
      ('api_keys', 'api_keys.user_id'),
      ('sessions', 'sessions.user_id'),
      ('invitations', 'invitations.user_id'),
      ('conversations', 'conversations.id, conversations.user_id'),
      ('messages', 'messages.id, messages.conversation_id, messages.user_id'),
      ('generation_chunks', 'generation_chunks.message_id, generation_chunks.conversation_id, generation_chunks.user_id'),
      ('feedback', 'feedback.message_id, feedback.user_id'),
      ('factors', 'factors.user_id'),
      ('totp_secrets', 'totp_secrets.user_id'),
      ('recovery_codes', 'recovery_codes.user_id'),
      ('login_challenges', 'login_challenges.user_id'),
      ('sso_identities', 'sso_identities.user_id')
    ) as place (name, ids)
  loop
    marked := format('exists (select from app.deletions d where d.tenant_id = %I.tenant_id and d.id in (%s))', place.name, place.ids);
    -- The first condition is computed once per statement: where nothing is marked, no row is looked up (2 µs a row).
    execute format(
      'create policy not_deleted on app.%I as restrictive for select to llm_tenant, llm_tracking, llm_auditor, llm_reader
        using ((select not exists (select from app.deletions)) or not %s)',
      place.name, marked);
    if place.name in ('credentials', 'conversations', 'messages', 'sso_identities') then
      execute format('create policy work_deleted on app.%I for delete to llm_work using (%s)', place.name, marked);
    end if;
  end loop;
end $$;

-- An opinion is deleted with its message, which may be deleted with its conversation.
create policy of_message on app.feedback as restrictive for select to llm_tenant, llm_tracking, llm_auditor, llm_reader
  using (exists (select from app.messages m where m.tenant_id = feedback.tenant_id and m.id = feedback.message_id));

-- A key is removed with its user, or 30 days after it was deleted itself.
create policy work_deleted on app.api_keys for delete to llm_work using (
  revoked_at < now() - interval '30 days'
  or exists (select from app.deletions d where d.tenant_id = api_keys.tenant_id and d.id = api_keys.user_id)
);

-- A session is removed with its user, or 30 days after it was over.
create policy work_deleted on app.sessions for delete to llm_work using (
  coalesce(ended_at, idle_until) < now() - interval '30 days'
  or exists (select from app.deletions d where d.tenant_id = sessions.tenant_id and d.id = sessions.user_id)
);

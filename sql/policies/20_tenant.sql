-- Inside the wall. First what llm_tenant may do at all (permissive; the grants say which verbs and columns), then the limits of a user's
-- role (restrictive). The program checks roles too; this holds when it forgets.

create policy tenant_rows on app.tenants for select to llm_tenant using (true);
create policy tenant_change on app.tenants for update to llm_tenant using (true) with check (true);
create policy tenant_rows on app.users for all to llm_tenant using (true) with check (true);
create policy tenant_rows on app.credentials for all to llm_tenant using (true) with check (true);
create policy tenant_rows on app.audit_events for select to llm_tenant using (true);
create policy tenant_add on app.audit_events for insert to llm_tenant with check (true);

-- Only admins change their tenant.
create policy admins_change on app.tenants as restrictive for update to llm_tenant
  using ((select app.role()) = 'admin') with check ((select app.role()) = 'admin');

-- Users see themselves; admins see, create and change all users of the tenant. A user may change their own row (a changed password
-- increases token_epoch) as long as role and status stay: the role as it is in the database, and active.
create policy own_or_admin on app.users as restrictive for select to llm_tenant
  using (id = (select app.user_id()) or (select app.role()) = 'admin');
create policy admins_add on app.users as restrictive for insert to llm_tenant
  with check ((select app.role()) = 'admin');
create policy own_or_admin_change on app.users as restrictive for update to llm_tenant
  using (id = (select app.user_id()) or (select app.role()) = 'admin')
  with check (
    (select app.role()) = 'admin'
    or (id = (select app.user_id()) and role = (select app.role()) and status = 'active')
  );

-- Admins give a new user their first password; from then on only the user changes it.
create policy own_or_admin on app.credentials as restrictive for select to llm_tenant
  using (user_id = (select app.user_id()) or (select app.role()) = 'admin');
create policy own_or_admin_add on app.credentials as restrictive for insert to llm_tenant
  with check (user_id = (select app.user_id()) or (select app.role()) = 'admin');
create policy own_change on app.credentials as restrictive for update to llm_tenant
  using (user_id = (select app.user_id())) with check (user_id = (select app.user_id()));

-- Events are written in one's own name, and read by admins.
create policy own_name on app.audit_events as restrictive for insert to llm_tenant
  with check (actor_user_id = (select app.user_id()));
create policy admins_read on app.audit_events as restrictive for select to llm_tenant
  using ((select app.role()) = 'admin');

-- Keys are made for oneself, and by admins for service accounts: never for another person, as whom they would act. Admins see and change
-- all keys of the tenant. A key that was deleted stays so.
create policy tenant_rows on app.api_keys for all to llm_tenant using (true) with check (true);
create policy own_or_admin on app.api_keys as restrictive for select to llm_tenant
  using (user_id = (select app.user_id()) or (select app.role()) = 'admin');
create policy own_or_service_add on app.api_keys as restrictive for insert to llm_tenant
  with check (
    user_id = (select app.user_id())
    or (
      (select app.role()) = 'admin'
      and exists (select from app.users u where u.tenant_id = api_keys.tenant_id and u.id = api_keys.user_id and u.kind = 'service')
    )
  );
create policy own_or_admin_change on app.api_keys as restrictive for update to llm_tenant
  using (revoked_at is null and (user_id = (select app.user_id()) or (select app.role()) = 'admin'))
  with check (user_id = (select app.user_id()) or (select app.role()) = 'admin');

-- Links in mails are made for oneself, to prove an address; by admins, for invitations; never, in the room, to reset a password. They are
-- read by no one: the mail has the text. Of mails, users see whether those to them were sent, and admins those of all.
create policy tenant_rows on app.one_time_tokens for select to llm_tenant using (true);
create policy tenant_add on app.one_time_tokens for insert to llm_tenant with check (true);
create policy tenant_void on app.one_time_tokens for update to llm_tenant using (used_at is null) with check (voided_at is not null);
create policy own_or_admin on app.one_time_tokens as restrictive for all to llm_tenant
  using (subject_id = (select app.user_id()) or (select app.role()) = 'admin')
  with check (subject_id = (select app.user_id()) or (select app.role()) = 'admin');
create policy own_or_invitation_add on app.one_time_tokens as restrictive for insert to llm_tenant
  with check (
    subject_id = (select app.user_id()) and purpose in ('email_verify', 'email_change')
    or (select app.role()) = 'admin' and purpose = 'invitation'
  );
create policy tenant_add on app.mails for insert to llm_tenant with check (true);
create policy tenant_rows on app.mails for select to llm_tenant using (true);
create policy own_or_admin on app.mails as restrictive for select to llm_tenant
  using (subject_id = (select app.user_id()) or (select app.role()) = 'admin');

-- A session is begun by its user and no one else, and ended by its user or an admin; one that has ended stays so.
create policy tenant_rows on app.sessions for all to llm_tenant using (true) with check (true);
create policy own_or_admin on app.sessions as restrictive for select to llm_tenant
  using (user_id = (select app.user_id()) or (select app.role()) = 'admin');
create policy own_add on app.sessions as restrictive for insert to llm_tenant
  with check (user_id = (select app.user_id()));
create policy own_or_admin_change on app.sessions as restrictive for update to llm_tenant
  using (ended_at is null and (user_id = (select app.user_id()) or (select app.role()) = 'admin'))
  with check (user_id = (select app.user_id()) or (select app.role()) = 'admin');

-- Refresh tokens that were replaced are seen with their session, without their hash.
create policy tenant_rows on app.session_tokens for select to llm_tenant using (true);
create policy of_session on app.session_tokens as restrictive for select to llm_tenant
  using (exists (select from app.sessions s where s.tenant_id = session_tokens.tenant_id and s.id = session_tokens.session_id));

-- Invitations are the admins'.
create policy tenant_rows on app.invitations for select to llm_tenant using (true);
create policy tenant_add on app.invitations for insert to llm_tenant with check (invited_by = (select app.user_id()));
create policy tenant_change on app.invitations for update to llm_tenant
  using (accepted_at is null and revoked_at is null) with check (accepted_at is null);
create policy admins on app.invitations as restrictive for all to llm_tenant
  using ((select app.role()) = 'admin') with check ((select app.role()) = 'admin');

-- Keys at providers are used by the questions of all of the tenant's users, and are the admins' to bring, change and remove. They are
-- encrypted, and so is what they are encrypted with.
create policy tenant_rows on app.provider_keys for all to llm_tenant using (true) with check (true);
create policy admins_add on app.provider_keys as restrictive for insert to llm_tenant with check ((select app.role()) = 'admin');
create policy admins_change on app.provider_keys as restrictive for update to llm_tenant
  using ((select app.role()) = 'admin') with check ((select app.role()) = 'admin');
create policy admins_remove on app.provider_keys as restrictive for delete to llm_tenant using ((select app.role()) = 'admin');
create policy tenant_rows on app.tenant_keys for select to llm_tenant using (true);
-- Users too: their second factors are encrypted under one.
create policy tenant_add on app.tenant_keys for insert to llm_tenant with check (true);

-- Conversations and messages belong to their user; admins may read them. No policy deletes rows here: see 25_deleted.sql.
create policy tenant_rows on app.conversations for all to llm_tenant using (true) with check (true);
create policy own_or_admin on app.conversations as restrictive for select to llm_tenant
  using (user_id = (select app.user_id()) or (select app.role()) = 'admin');
create policy own_add on app.conversations as restrictive for insert to llm_tenant
  with check (user_id = (select app.user_id()));
create policy own_change on app.conversations as restrictive for update to llm_tenant
  using (user_id = (select app.user_id())) with check (user_id = (select app.user_id()));

create policy tenant_rows on app.messages for all to llm_tenant using (true) with check (true);
create policy own_or_admin on app.messages as restrictive for select to llm_tenant
  using (user_id = (select app.user_id()) or (select app.role()) = 'admin');
create policy own_add on app.messages as restrictive for insert to llm_tenant
  with check (user_id = (select app.user_id()));

-- A user can ask a generation to stop, or say that it is being read: the grants name these two columns.
create policy tenant_rows on app.generations for all to llm_tenant using (true) with check (true);
create policy own_or_admin on app.generations as restrictive for select to llm_tenant
  using (user_id = (select app.user_id()) or (select app.role()) = 'admin');
create policy own_add on app.generations as restrictive for insert to llm_tenant
  with check (user_id = (select app.user_id()));
create policy own_or_admin_change on app.generations as restrictive for update to llm_tenant
  using (user_id = (select app.user_id()) or (select app.role()) = 'admin')
  with check (user_id = (select app.user_id()) or (select app.role()) = 'admin');

-- Calls of providers are seen by whom the answer belongs to.
create policy tenant_rows on app.attempts for select to llm_tenant using (true);
create policy own_or_admin on app.attempts as restrictive for select to llm_tenant
  using (user_id = (select app.user_id()) or (select app.role()) = 'admin');

-- The chunks of an answer belong to the answer's user.
create policy tenant_rows on app.generation_chunks for select to llm_tenant using (true);
create policy own_or_admin on app.generation_chunks as restrictive for select to llm_tenant
  using (user_id = (select app.user_id()) or (select app.role()) = 'admin');

create policy tenant_rows on app.idempotency_keys for all to llm_tenant using (true) with check (true);
create policy own on app.idempotency_keys as restrictive for all to llm_tenant
  using (user_id = (select app.user_id())) with check (user_id = (select app.user_id()));

-- An earlier answer is for the user who asked, under a key of their own.
create policy tenant_rows on app.idempotent_answers for all to llm_tenant using (true) with check (true);
create policy own on app.idempotent_answers as restrictive for all to llm_tenant
  using (user_id = (select app.user_id()))
  with check (user_id = (select app.user_id()));

-- The tenant's records that MLflow does not have yet, for its admins.
create policy tenant_rows on app.tracking_outbox for select to llm_tenant using (true);
create policy admins_read on app.tracking_outbox as restrictive for select to llm_tenant
  using ((select app.role()) = 'admin');

-- An opinion belongs to its user, about an answer they can see; admins read all opinions.
create policy tenant_rows on app.feedback for all to llm_tenant using (true) with check (true);
create policy own_or_admin on app.feedback as restrictive for select to llm_tenant
  using (user_id = (select app.user_id()) or (select app.role()) = 'admin');
create policy own_add on app.feedback as restrictive for insert to llm_tenant
  with check (
    user_id = (select app.user_id())
    and exists (select from app.messages m where m.tenant_id = feedback.tenant_id and m.id = feedback.message_id)
  );
create policy own_change on app.feedback as restrictive for update to llm_tenant
  using (user_id = (select app.user_id())) with check (user_id = (select app.user_id()));

-- Limits are read by whom they hold for. Admins set those of users and keys; users those of their own keys, unless an admin did. Those of
-- the plan, and how much is used, are written by no one in the room.
create policy tenant_rows on app.limits for all to llm_tenant using (true) with check (true);
create policy tenant_rows on app.rates for select to llm_tenant using (true);
create policy tenant_rows on app.budget_periods for select to llm_tenant using (true);
create policy tenant_rows on app.counter_changes for select to llm_tenant using (true);
create policy own_or_admin on app.limits as restrictive for select to llm_tenant
  using (app.holds_for_me(subject) or (select app.role()) = 'admin');
create policy own_or_admin on app.rates as restrictive for select to llm_tenant
  using (app.holds_for_me(subject) or (select app.role()) = 'admin');
create policy own_or_admin on app.budget_periods as restrictive for select to llm_tenant
  using (app.holds_for_me(subject) or (select app.role()) = 'admin');
create policy own_or_admin on app.counter_changes as restrictive for select to llm_tenant
  using (app.holds_for_me(subject) or (select app.role()) = 'admin');
create policy own_key_or_admin_add on app.limits as restrictive for insert to llm_tenant
  with check (
    subject ~ '^(user|key):' and ((select app.role()) = 'admin' or not by_admin and subject like 'key:%' and app.holds_for_me(subject))
  );
create policy own_key_or_admin_change on app.limits as restrictive for update to llm_tenant
  using (subject ~ '^(user|key):' and ((select app.role()) = 'admin' or not by_admin and subject like 'key:%' and app.holds_for_me(subject)))
  with check (
    subject ~ '^(user|key):' and ((select app.role()) = 'admin' or not by_admin and subject like 'key:%' and app.holds_for_me(subject))
  );
create policy own_key_or_admin_remove on app.limits as restrictive for delete to llm_tenant
  using (subject ~ '^(user|key):' and ((select app.role()) = 'admin' or not by_admin and subject like 'key:%' and app.holds_for_me(subject)));

-- What was spent is read by whom it belongs to.
create policy tenant_rows on app.ledger for select to llm_tenant using (true);
create policy own_or_admin on app.ledger as restrictive for select to llm_tenant
  using (user_id = (select app.user_id()) or (select app.role()) = 'admin');
create policy tenant_rows on app.usage_queue for select to llm_tenant using (true);
create policy tenant_rows on app.usage_days for select to llm_tenant using (true);
create policy own_or_admin on app.usage_days as restrictive for select to llm_tenant
  using (user_id = (select app.user_id()) or (select app.role()) = 'admin');

-- The API's calls before a tenant is known, and about keys. Granted by their owner.
set local role llm_auth;

grant execute on function
  auth.create_tenant(uuid, text, text, text),
  auth.has_tenants(),
  auth.open_tenant(uuid),
  auth.register(uuid, uuid, text, text, text, text, text),
  auth.login_candidates(text, uuid),
  auth.login_record(uuid[], uuid[], uuid, text),
  auth.rehash(uuid, uuid, text, text),
  auth.find_one_time_token(bytea, text),
  auth.accounts_at(text, uuid, boolean),
  auth.write_links(text, text, uuid[], uuid[], uuid[], text[], uuid[], integer, text),
  auth.reset_password(text, text, uuid, text),
  auth.verify_email(text, text),
  auth.change_email(text, uuid, text),
  auth.find_invitation(bytea),
  auth.accept_invitation(bytea, uuid, text, text),
  auth.api_key(bytea),
  auth.count_attempt(text[], integer[], integer),
  auth.renew_session(bytea, bytea, integer, integer, text, text),
  auth.end_session(bytea, text),
  auth.prove_account(uuid, uuid, uuid, uuid, integer),
  auth.proven_accounts(uuid, uuid),
  auth.carry_proven_accounts(uuid, uuid, uuid, uuid),
  auth.login_begin(uuid, text[], integer[], integer),
  auth.login_end(uuid, text[], integer[], integer, boolean, text, text[], uuid[], uuid[]),
  auth.login_cancel(uuid, text[], integer[], integer),
  auth.login_know(text, uuid),
  auth.api_keys_used(uuid[], uuid[]),
  auth.api_keys_refused(uuid[], uuid[], text[], text[])
to llm_api;

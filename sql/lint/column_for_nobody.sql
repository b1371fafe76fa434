-- Columns that a role must not read, by any way of getting the right: hashes, leases, and texts, for roles that do not need them.
create view lint.column_for_nobody as
select format('%s.%I to %s', c.oid::regclass, a.attname, r.rolname) as object, 'revoke select' as detail
  from (values
    ('credentials', '{password_hash}', '{llm_owner,llm_auth}'),
    ('api_keys', '{secret_hash,previous_hash}', '{llm_owner,llm_auth}'),
    ('sessions', '{secret_hash}', '{llm_owner,llm_auth}'),
    ('session_tokens', '{hash}', '{llm_owner,llm_auth}'),
    ('api_keys', '{metadata}', '{llm_owner,llm_tenant,llm_reader_content}'),
    ('provider_keys', '{sealed}', '{llm_owner,llm_tenant}'),
    ('one_time_tokens', '{hash}', '{llm_owner,llm_auth,llm_work}'),
    ('one_time_tokens', '{address}', '{llm_owner,llm_auth,llm_work,llm_auditor,llm_reader}'),
    ('mails', '{address}', '{llm_owner,llm_work,llm_auditor,llm_reader}'),
    ('mails', '{data}', '{llm_owner,llm_work}'),
    ('totp_secrets', '{sealed}', '{llm_owner,llm_tenant}'),
    ('recovery_codes', '{code_hash}', '{llm_owner,llm_tenant}'),
    ('invitations', '{email}', '{llm_owner,llm_tenant,llm_auth,llm_auditor,llm_reader}'),
    ('sso_connections', '{sealed}', '{llm_owner,llm_tenant,llm_auth}'),
    ('tenant_keys', '{wrapped}', '{llm_owner,llm_tenant,llm_auth,llm_work}'),
    ('generations', '{lease_owner}', '{llm_owner,llm_work}'),
    ('messages', '{content}', '{llm_owner,llm_tenant,llm_tracking,llm_reader_content}'),
    ('messages', '{response}', '{llm_owner,llm_tenant,llm_tracking,llm_reader_content}'),
    ('messages', '{request,log}', '{llm_owner,llm_tenant,llm_tracking,llm_reader_content}'),
    ('messages', '{token_lengths}', '{llm_owner,llm_tenant,llm_tracking}'),
    ('generation_chunks', '{tokens}', '{llm_owner,llm_tenant,llm_work}'),
    ('idempotency_keys', '{key,body_hash}', '{llm_owner,llm_tenant,llm_work}'),
    ('idempotent_answers', '{key}', '{llm_owner,llm_tenant,llm_auth,llm_work}'),
    ('idempotent_answers', '{body_hash,answer}', '{llm_owner,llm_tenant,llm_auth}'),
    ('conversations', '{title}', '{llm_owner,llm_tenant,llm_reader_content}'),
    ('feedback', '{comment}', '{llm_owner,llm_tenant,llm_tracking,llm_reader_content}')
  ) as kept (place, columns, readers)
  join pg_class c on c.relnamespace = 'app'::regnamespace and c.relname = kept.place
  join pg_attribute a on a.attrelid = c.oid and a.attname = any (kept.columns::name[])
  join pg_roles r on r.rolname in ('llm_auth', 'llm_work', 'llm_tracking', 'llm_operator', 'llm_tenant', 'llm_api', 'llm_jobs', 'llm_auditor', 'llm_reader', 'llm_reader_content')
    and not r.rolname = any (kept.readers::name[])
  where not r.rolsuper and has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT')
  union
  -- The operator's functions read metadata: no text of a user, no address, and no detail of an event, which may contain one.
  select format('%s.%I to llm_operator', c.oid::regclass, a.attname), 'revoke select'
  from (values
    ('users', '{email,name}'), ('credentials', '{password_hash}'), ('conversations', '{title,system}'), ('feedback', '{comment}'),
    ('messages', '{content,response,request,log,tool_calls,token_lengths}'), ('audit_events', '{detail}'),
    ('api_keys', '{name,metadata,public_id}'), ('sessions', '{device,address}'), ('provider_keys', '{name,sealed}'), ('factors', '{name}'), ('sso_connections', '{sealed,client_id,domains}'), ('tracking_outbox', '{run_id}')
  ) as content (place, columns)
  join pg_class c on c.relnamespace = 'app'::regnamespace and c.relname = content.place
  join pg_attribute a on a.attrelid = c.oid and a.attname = any (content.columns::name[])
  where has_column_privilege('llm_operator', c.oid, a.attnum, 'SELECT');

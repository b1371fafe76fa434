-- Rows to test isolation with. Read from the catalogue and never from a list, so that a table added later is tested too; one whose checks
-- need values unknown here is reported as unproven, by name.

-- Values that constraints need, by table and column; all others are made by type.
create function audit.canary_value(p_column text, p_type regtype) returns text
  language sql immutable set search_path = pg_catalog, pg_temp
return case p_column
  when 'users.email' then 'canary@invalid'
  when 'users.role' then 'user'
  when 'invitations.email' then 'canary@invalid'
  when 'invitations.role' then 'user'
  when 'credentials.password_hash' then '$argon2id$canary'
  when 'api_keys.public_id' then '0000000000canary'
  when 'api_keys.secret_hash' then '\x' || repeat('ca', 32)
  when 'sessions.method' then 'password'
  when 'sessions.secret_hash' then '\x' || repeat('ca', 32)
  when 'session_tokens.hash' then '\x' || repeat('ca', 32)
  when 'generations.source' then 'rpc'
  when 'attempts.key_source' then 'installation'
  when 'limits.subject' then 'user:00000000-0000-4000-8000-000000000000'
  when 'usage_days.grain' then 'both'
  when 'deletions.kind' then 'message'
  when 'tenant_keys.wrapped' then '\x' || repeat('ca', 60)
  when 'tenant_keys.wrapped_by' then repeat('c', 16)
  when 'provider_keys.sealed' then '\x' || repeat('ca', 29)
  when 'one_time_tokens.purpose' then 'invitation'
  when 'one_time_tokens.hash' then '\x' || repeat('ca', 32)
  when 'factors.kind' then 'totp'
  when 'totp_secrets.sealed' then '\x' || repeat('ca', 29)
  when 'recovery_codes.code_hash' then '\x' || repeat('ca', 32)
  when 'sso_connections.slug' then 'canary'
  when 'sso_connections.issuer' then 'https://canary.invalid'
  when 'generations.trace_id' then repeat('c', 32)
  else case p_type
    when 'uuid'::regtype then '00000000-0000-4000-8000-000000000000'
    when 'boolean'::regtype then 'false'
    when 'jsonb'::regtype then '{}'
    when 'timestamptz'::regtype then '2000-01-01 00:00:00Z'
    when 'date'::regtype then '2000-01-01'
    when 'text[]'::regtype then '{canary}'
    when 'integer[]'::regtype then '{1}'
    when 'text'::regtype then 'canary'
    when 'bytea'::regtype then 'canary'
    else '1'
  end
end;

-- A row for p_relation: its tenant, the rows it refers to (p_rows, by table), its user, and the values that an INSERT must give beside
-- these.
create function audit.canary(p_relation regclass, p_tenant uuid, p_user uuid, p_rows jsonb) returns jsonb
  language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
  select jsonb_object_agg(a.attname, coalesce(
    case when a.attname = 'tenant_id' or p_relation = 'app.tenants'::regclass and a.attname = 'id' then p_tenant::text end,
    case when a.attname in ('user_id', 'actor_user_id', 'invited_by') then p_user::text end,
    (
      select p_rows -> (split_part(k.confrelid::regclass::text, '.', 2)) ->> t.attname
      from pg_constraint k
      cross join unnest(k.conkey, k.confkey) as pair (mine, theirs)
      join pg_attribute t on t.attrelid = k.confrelid and t.attnum = pair.theirs
      where k.conrelid = p_relation and k.contype = 'f' and k.confrelid <> p_relation and pair.mine = a.attnum
      order by k.oid limit 1
    ),
    case when a.attnotnull and not a.atthasdef and a.attidentity = '' then
      case when a.atttypid = 'uuid'::regtype then gen_random_uuid()::text
        else audit.canary_value(split_part(p_relation::text, '.', 2) || '.' || a.attname, a.atttypid) end
    end
  ))
  from pg_attribute a
  where a.attrelid = p_relation and a.attnum > 0 and not a.attisdropped and a.attgenerated = '';
end;

-- `insert into … (…) select …` of such a row, with the columns that the current role may give.
create function audit.canary_insert(p_relation regclass, p_row jsonb) returns text
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select format('insert into %s (%s) select %2$s from jsonb_populate_record(null::%1$s, %3$L)', p_relation,
    coalesce(string_agg(quote_ident(a.attname), ', ' order by a.attnum), (select quote_ident(min(key)) from jsonb_object_keys(p_row) key)), p_row)
  from jsonb_each_text(p_row) given
  join pg_attribute a on a.attrelid = p_relation and a.attname = given.key
  where given.value is not null and has_column_privilege(p_relation, a.attnum, 'INSERT');
end;

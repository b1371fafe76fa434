-- Tests isolation instead of reading about it: two tenants that exist for this call only, every table there is, every verb, with and
-- without a room. Leaves nothing behind, also when called outside a transaction: everything it does is rolled back before it returns. For
-- the API's login: an administrator says `set session authorization llm_api` first.
--
-- came: PostgreSQL's reaction: `denied`, `n rows`, `allowed`, or the error. fine: whether that keeps tenants apart.
create function audit.proof() returns table (context text, relation text, verb text, came text, fine boolean)
  -- Compiling each of a thousand small statements takes longer than running them: 1,000 ms against 330.
  language plpgsql volatile set search_path = pg_catalog, pg_temp set jit = off
as $$
#variable_conflict use_column
declare
  victim uuid := gen_random_uuid();
  stranger uuid := gen_random_uuid();
  victims_admin uuid := gen_random_uuid();
  strangers_admin uuid := gen_random_uuid();
  strangers_user uuid := gen_random_uuid();
  colleague uuid := gen_random_uuid();
  fellow_admin uuid := gen_random_uuid();
  lease uuid := gen_random_uuid();
  planted jsonb := '{}';  -- by table: a row of the victim's
  keys jsonb := '{}';     -- by table: its primary key
  found jsonb := '[]';
  place record;
  attempt record;
  room record;
  canary jsonb;
  missing integer;
  n bigint;
  said text;
begin
  if current_user <> 'llm_api' then
    raise exception 'the proof is tried as llm_api, not as %', current_user
      using errcode = '42501', hint = 'An administrator says: set session authorization llm_api';
  end if;

  begin
    -- The two tenants and their users.
    perform auth.create_tenant(victim, 'canary', 'open', null);
    perform auth.create_tenant(stranger, 'canary', 'open', null);
    perform auth.register(victim, victims_admin, 'canary@invalid', '$argon2id$canary', null);
    perform auth.register(victim, colleague, 'canary3@invalid', '$argon2id$canary', null);
    perform auth.register(victim, fellow_admin, 'canary4@invalid', '$argon2id$canary', null);
    perform auth.register(stranger, strangers_admin, 'canary@invalid', '$argon2id$canary', null);
    perform auth.register(stranger, strangers_user, 'canary2@invalid', '$argon2id$canary', null);
    planted := jsonb_build_object(
      'tenants', jsonb_build_object('id', victim), 'users', jsonb_build_object('tenant_id', victim, 'id', victims_admin)
    );

    -- A row of the victim in every table: in the victim's room where it may write, else outside it.
    perform app.enter(victim, victims_admin, 0, 'admin');
    update app.users set role = 'admin' where id = fellow_admin;
    for pass in 1 .. 5 loop
      missing := 0;
      for place in
        select c.oid::regclass as relation, c.relname from pg_class c
        where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') and c.relname not in ('tenants', 'users', 'credentials', 'deletions') order by c.oid
      loop
        continue when planted ? place.relname;
        canary := audit.canary(place.relation, victim, victims_admin, planted);
        if place.relname = 'generations' then canary := canary || jsonb_build_object('lease_owner', lease); end if;
        -- A limit and a budget of their own, so that there is something to count.
        if place.relname = 'limits' then
          canary := canary || jsonb_build_object('subject', 'user:' || victims_admin, 'requests_per_minute', 9, 'tokens_per_minute', 9, 'budget', 9,
            'budget_period', 'day');
        end if;
        -- A session that can be renewed, which leaves the token it had.
        if place.relname = 'sessions' then
          canary := canary || jsonb_build_object('token_epoch', 0, 'idle_until', now() + interval '1 hour', 'ends_at', now() + interval '1 hour');
        end if;
        begin
          execute audit.canary_insert(place.relation, canary);
          planted := planted || jsonb_build_object(place.relname, canary);
        exception when others then
          missing := missing + 1;
        end;
      end loop;
      exit when missing = 0;
    end loop;
    if planted ? 'sessions' then
      perform set_config('role', 'none', true);
      perform auth.renew_session((planted #>> '{sessions,secret_hash}')::bytea, decode(repeat('cb', 32), 'hex'), 60, 60, null, null);
      perform set_config('role', 'llm_tenant', true);
    end if;
    -- Identities are made by logins alone.
    if planted ? 'sso_connections' then
      perform set_config('role', 'none', true);
      perform auth.sso_login(victim, (planted -> 'sso_connections' ->> 'id')::uuid, planted -> 'sso_connections' ->> 'issuer', 'canary', 'canary@invalid', null, gen_random_uuid(), null);
      perform set_config('role', 'llm_tenant', true);
    end if;
    -- Deleted items are hidden: a message is planted to show it.
    if planted ? 'messages' then
      canary := (planted -> 'messages') || jsonb_build_object('id', gen_random_uuid(), 'kind', 'message');
      execute audit.canary_insert('app.messages', canary - 'kind');
      execute audit.canary_insert('app.deletions', jsonb_build_object(
        'tenant_id', victim, 'id', canary -> 'id', 'kind', 'message', 'user_id', victims_admin));
      planted := planted || jsonb_build_object('deletions', canary);
    end if;
    if planted ? 'generations' then
      canary := planted -> 'generations';
      perform work.admit(victim, victims_admin, null, 'canary', array[1]::bigint[], array[1]::numeric[], true);
      -- Two: the usage of one of them is folded.
      for pass in 1 .. 2 loop
        execute audit.canary_insert('app.generations', canary || jsonb_build_object('id', gen_random_uuid(), 'message_id', null, 'trace_id', repeat('d', 32),
          'admission', jsonb_build_object('taken', jsonb_build_array(jsonb_build_object('subject', 'user:' || victims_admin, 'period', 'minute', 'tokens', 1)))));
      end loop;
      perform set_config('role', 'none', true);
      perform work.append(lease, array[victim], array[(canary ->> 'id')::uuid], array[1], array['["canary"]']);
      perform set_config('role', 'llm_tenant', true);
      for place in select g.id from app.generations g where g.trace_id = repeat('d', 32) loop
        perform set_config('role', 'none', true);
        perform work.finish(
          jsonb_build_object('tenant_id', victim, 'id', place.id, 'lease_owner', lease, 'status', 'completed', 'finish_reason', 'stop',
            'approx_tokens_out', 1, 'attempts', jsonb_build_array(jsonb_build_object('number', 1, 'provider', 'canary', 'model', 'canary',
              'key_source', 'installation', 'started_at', 0))),
          '', '{}'
        );
        perform set_config('role', 'llm_tenant', true);
      end loop;
      perform set_config('role', 'none', true);
      perform work.fold_usage(1, victim);
      perform set_config('role', 'llm_tenant', true);
    end if;

    -- The victim sees the rows: otherwise nothing below would prove anything.
    for place in
      select c.oid::regclass as relation, c.relname,
        case c.relname when 'tenants' then 'id' else 'tenant_id' end as tenant,
        array(
          select a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
          where i.indrelid = c.oid and i.indisprimary
        ) as key
      from pg_class c where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') order by c.relname
    loop
      begin
        execute format('select to_jsonb(k) from (select %s from %s where %I = %L limit 1) k',
          (select string_agg(quote_ident(name), ', ') from unnest(place.key) name), place.relation, place.tenant, victim) into canary;
        said := case when canary is null then '0 rows' else '1 rows' end;
        if canary is not null then keys := keys || jsonb_build_object(place.relname, canary); end if;
      exception when others then
        said := case sqlstate when '42501' then 'denied' else format('%s: %s', sqlstate, sqlerrm) end;
      end;
      found := found || jsonb_build_object('context', 'their own room', 'relation', place.relation, 'verb', 'select', 'came', said, 'fine', said = '1 rows');
    end loop;

    for room in
      select * from (values
        ('an admin of another tenant', stranger, strangers_admin, 'llm_tenant'),
        ('a user of another tenant', stranger, strangers_user, 'llm_tenant'),
        ('no room, as llm_tenant', null, null, 'llm_tenant'),
        ('no room', null, null, 'none')
      ) as room (context, tenant, person, role)
    loop
      perform set_config('role', 'none', true), set_config('app.tenant_id', '', true), set_config('app.user_id', '', true),
        set_config('app.role', '', true);
      if room.tenant is not null then
        perform app.enter(room.tenant, room.person, 0, 'user');
      else
        perform set_config('role', room.role, true);
      end if;

      for place in
        select c.oid::regclass as relation, c.relname, c.relkind in ('r', 'p') as is_table,
          case c.relname when 'tenants' then 'id' else 'tenant_id' end as tenant,
          -- A column to write back unchanged, so that where there is one a policy refuses, and not a missing grant.
          coalesce((
            select quote_ident(a.attname) from pg_attribute a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and (c.relname, a.attname) <> ('tenants', 'id')
              and has_column_privilege(c.oid, a.attnum, 'UPDATE') and has_column_privilege(c.oid, a.attnum, 'SELECT')
            order by a.attnum limit 1
          ), case c.relname when 'tenants' then 'id' else 'tenant_id' end) as writable,
          (
            select string_agg(quote_ident(a.attname), ', ') from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
            where i.indrelid = c.oid and i.indisprimary
          ) as key
        from pg_class c
        where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
          and (c.relname = 'tenants' or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id'))
        order by c.relname
      loop
        canary := audit.canary(place.relation, case place.relname when 'tenants' then gen_random_uuid() else victim end, coalesce(room.person, victims_admin), planted);
        for attempt in
          select * from (values
            ('select', format('select from %s where %I is distinct from %L', place.relation, place.tenant, room.tenant)),
            ('insert', audit.canary_insert(place.relation, canary)),
            ('update', format('update %s set %s = %2$s where %I = %L', place.relation, place.writable, place.tenant, victim)),
            ('delete', format('delete from %s where %I = %L', place.relation, place.tenant, victim)),
            ('upsert', format('%s on conflict (%s) do update set %s = excluded.%3$s',
              audit.canary_insert(place.relation, canary || coalesce(keys -> place.relname, '{}')), place.key, place.writable)),
            ('merge', format('merge into %s t using (select %L::uuid as mine) s on t.%I = s.mine when matched then update set %s = t.%4$s',
              place.relation, victim, place.tenant, place.writable)),
            ('give away', format('update %s set %I = %L where %2$I = %L', place.relation, place.tenant, victim, room.tenant))
          ) as attempt (verb, statement)
          where place.is_table or verb = 'select'
        loop
          n := 0;
          begin
            execute attempt.statement;
            get diagnostics n = row_count;
            raise exception using errcode = 'LL205';
          exception when others then
            said := case sqlstate when 'LL205' then n || ' rows' when '42501' then 'denied' else format('%s: %s', sqlstate, sqlerrm) end;
          end;
          found := found || jsonb_build_object('context', room.context, 'relation', place.relation, 'verb', attempt.verb, 'came', said, 'fine',
            said = 'denied' or said = '0 rows' and attempt.verb <> 'insert' and room.role <> 'none');
        end loop;

        -- These would affect rows of all tenants: the rights are checked instead.
        continue when not place.is_table;
        for attempt in select unnest(array['truncate', 'references', 'trigger']) as verb loop
          said := case when has_table_privilege(place.relation, attempt.verb) then 'allowed' else 'denied' end;
          found := found || jsonb_build_object('context', room.context, 'relation', place.relation, 'verb', attempt.verb, 'came', said, 'fine', said = 'denied');
        end loop;
      end loop;
    end loop;

    -- Within a tenant: one user's rows are not another user's; an admin reads them, deletes what may be deleted, and writes nothing in
    -- their name. Tested on every table with a user column, and on those that only admins read.
    for room in
      select * from (values ('another user of the tenant', colleague, false), ('another admin of the tenant', fellow_admin, true)) as room (context, person, admin)
    loop
      perform set_config('role', 'none', true), set_config('app.tenant_id', '', true), set_config('app.user_id', '', true),
        set_config('app.role', '', true);
      perform app.enter(victim, room.person, 0, 'user');
      for place in
        select c.oid::regclass as relation, c.relname, owned.name as owned,
          case when c.relname in ('audit_events', 'tracking_outbox') then 'true' else format('%I = %L', owned.name, victims_admin) end as theirs,
          coalesce((
            select quote_ident(a.attname) from pg_attribute a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
              and has_column_privilege(c.oid, a.attnum, 'UPDATE') and has_column_privilege(c.oid, a.attnum, 'SELECT')
            order by a.attnum limit 1
          ), 'tenant_id') as writable
        from pg_class c
        cross join lateral (
          select coalesce((
            select a.attname from pg_attribute a where a.attrelid = c.oid and not a.attisdropped
              and a.attname = any (array['user_id', 'actor_user_id', case c.relname when 'users' then 'id' end]) limit 1
          ), case c.relname when 'tracking_outbox' then 'tenant_id'::name end) as name
        ) owned
        where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') and owned.name is not null
        order by c.relname
      loop
        for attempt in
          select * from (values
            ('select', format('select from %s where %s', place.relation, place.theirs)),
            ('insert', audit.canary_insert(place.relation, audit.canary(place.relation, victim, victims_admin, planted))),
            ('update', format('update %s set %s = %2$s where %s', place.relation, place.writable, place.theirs)),
            ('delete', format('delete from %s where %s', place.relation, place.theirs)),
            ('take', format('update %s set %I = %L where %s', place.relation, place.owned, room.person, place.theirs))
          ) as attempt (verb, statement)
          where not room.admin
            or verb = 'select' and place.relname = 'idempotency_keys'
            or verb = 'insert' and place.relname not in ('users', 'credentials')
            or verb = 'update' and place.relname not in ('users', 'api_keys', 'sessions', 'generations', 'conversations', 'messages')
            or verb = 'delete' and place.relname not in ('users', 'conversations', 'messages', 'factors', 'sso_identities')
            or verb = 'take'
        loop
          n := 0;
          begin
            execute attempt.statement;
            get diagnostics n = row_count;
            raise exception using errcode = 'LL205';
          exception when others then
            said := case sqlstate when 'LL205' then n || ' rows' when '42501' then 'denied' else format('%s: %s', sqlstate, sqlerrm) end;
          end;
          found := found || jsonb_build_object('context', room.context, 'relation', place.relation, 'verb', attempt.verb, 'came', said, 'fine',
            said = 'denied' or said = '0 rows' and attempt.verb <> 'insert');
        end loop;
      end loop;
    end loop;

    -- The planner's estimates come from all tenants' rows, so they must reveal nothing about values.
    perform set_config('role', 'none', true), set_config('app.tenant_id', '', true), set_config('app.user_id', '', true),
      set_config('app.role', '', true);
    perform app.enter(stranger, strangers_admin, 0, 'user');
    for place in
      select c.oid::regclass as relation, a.attname, a.atttypid, a.atttypmod from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p', 'm', 'f') and has_column_privilege(c.oid, a.attnum, 'SELECT')
      order by c.relname, a.attnum
    loop
      said := audit.estimates_differ(place.relation, place.attname, place.atttypid, place.atttypmod);
      found := found || jsonb_build_object('context', 'row estimates', 'relation', format('%s.%I', place.relation, place.attname), 'verb', 'explain',
        'came', coalesce(nullif(said, ''), 'the same for every value'), 'fine', said = '');
    end loop;

    -- The room itself: only the tenant's own users may enter it, and once inside there is no way into another.
    for attempt in
      select * from (values
        ('another tenant''s user enters', null, victim, strangers_admin, 'LL401'),
        ('a second tenant is entered', stranger, victim, victims_admin, 'LL500'),
        ('an unknown user enters', null, victim, gen_random_uuid(), 'LL401')
      ) as attempt (context, inside, tenant, person, state)
    loop
      perform set_config('role', 'none', true), set_config('app.tenant_id', '', true), set_config('app.user_id', '', true),
        set_config('app.role', '', true);
      if attempt.inside is not null then perform app.enter(attempt.inside, strangers_admin, 0, 'user'); end if;
      begin
        perform app.enter(attempt.tenant, attempt.person, 0, 'user');
        said := 'entered';
      exception when others then
        said := sqlstate;
      end;
      found := found || jsonb_build_object('context', attempt.context, 'relation', 'app.enter', 'verb', 'enter', 'came', said, 'fine', said = attempt.state);
    end loop;

    -- Not LL000: a condition that ends in 000 means its whole class, which includes app.enter's errors.
    raise exception using errcode = 'LL205', message = 'taken back';
  exception
    when sqlstate 'LL205' then
      null;
    when others then
      -- A proof that fails midway proves nothing.
      found := found || jsonb_build_object('context', 'the trial itself', 'relation', 'audit.proof', 'verb', 'run', 'came', format('%s: %s', sqlstate, sqlerrm), 'fine', false);
  end;

  return query select * from jsonb_to_recordset(found) as f (context text, relation text, verb text, came text, fine boolean);
end $$;

-- Facts of the server around us that could bypass the wall. Accepted as they were when this database was first migrated, or when an
-- operator accepted them (npm run db:migrate -- --accept); a new one is a finding. Until 15 a role that may create roles may become any
-- role; from 16 on only those granted to it with ADMIN, which is another fact.
create function audit.catalogue_environment() returns table (kind text, object text, aspect text, fact text)
  language sql stable set search_path = pg_catalog, pg_temp set jit = off
as $$
  select 'outsider', r.rolname, 'attributes', concat_ws(', ', case when r.rolsuper then 'superuser' end, case when r.rolbypassrls then 'bypassrls' end,
    case when r.rolcreaterole and current_setting('server_version_num')::integer < 160000 then 'createrole' end, case when r.rolreplication then 'replication' end,
    (select string_agg('may become ' || o.rolname, ', ' order by o.rolname) from pg_roles o
      where not r.rolsuper and o.rolname in ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program', 'pg_maintain')
        and pg_has_role(r.oid, o.oid, 'member')))
  from pg_roles r
  where not audit.role_is_ours(r.rolname) and r.rolcanlogin and (r.rolsuper or r.rolbypassrls or r.rolreplication or r.rolcreaterole and current_setting('server_version_num')::integer < 160000 or exists (
    select from pg_roles o where o.rolname in ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program', 'pg_maintain')
      and pg_has_role(r.oid, o.oid, 'member')))
  union all
  select 'extension', e.extname, 'schema', e.extnamespace::regnamespace::text from pg_extension e
  union all
  select 'language', l.lanname, 'trusted', l.lanpltrusted::text from pg_language l where l.oid >= 16384
  union all
  select 'access method', a.amname, 'handler', a.amhandler::text from pg_am a where a.oid >= 16384
  union all
  select 'cast', format('%s to %s', c.castsource::regtype, c.casttarget::regtype), 'function', format('%s %s', c.castfunc::regprocedure, c.castcontext) from pg_cast c where c.oid >= 16384
  union all
  select 'event trigger', e.evtname, 'definition', concat_ws(' ', 'on', e.evtevent, 'execute', e.evtfoid::regprocedure, 'owner', audit.role_name(e.evtowner), 'fires', e.evtenabled)
  from pg_event_trigger e where not starts_with(e.evtname, 'llm_')
  union all
  select 'publication', p.pubname, 'of', concat_ws(', ', case when p.puballtables then 'all tables' end,
    (select string_agg(r.prrelid::regclass::text, ', ' order by r.prrelid::regclass::text) from pg_publication_rel r where r.prpubid = p.oid),
    (select string_agg('schema ' || n.pnnspid::regnamespace, ', ' order by n.pnnspid::regnamespace::text) from pg_publication_namespace n where n.pnpubid = p.oid))
  from pg_publication p
  union all
  select 'subscription', s.subname, 'enabled', s.subenabled::text from pg_subscription s where s.subdbid = (select oid from pg_database where datname = current_database())
  union all
  select 'foreign server', s.srvname, 'wrapper', f.fdwname from pg_foreign_server s join pg_foreign_data_wrapper f on f.oid = s.srvfdw
  union all
  select 'user mapping', m.srvname, m.usename, 'is there' from pg_user_mappings m
  union all
  select 'setting', format('%s in %s', coalesce(r.rolname, 'everybody'), case s.setdatabase when 0 then 'every database' else 'this database' end),
    split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1)
  from pg_db_role_setting s left join pg_roles r on r.oid = s.setrole cross join unnest(s.setconfig) setting
  where s.setdatabase in (0, (select oid from pg_database where datname = current_database())) and s.setrole = 0
  union all
  select 'setting', 'the server', s.name, s.reset_val from pg_settings s
  where (s.name in ('row_security', 'session_replication_role', 'shared_preload_libraries', 'session_preload_libraries', 'local_preload_libraries', 'allow_system_table_mods',
      'ignore_system_indexes', 'search_path', 'role', 'event_triggers', 'debug_discard_caches') or s.name like 'app.%')
    and s.source in ('configuration file', 'command line', 'environment variable', 'global') and s.reset_val <> coalesce(s.boot_val, '')
$$;

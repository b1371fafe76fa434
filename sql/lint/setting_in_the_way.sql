-- A setting of the login or the database applies before any room: a tenant that was never entered, another role, no triggers.
create view lint.setting_in_the_way as
select format('%s in %s', case s.setrole when 0 then 'everybody' else s.setrole::regrole::text end,
    case s.setdatabase when 0 then 'every database' else current_database()::text end) as object,
    format('alter … reset %s', split_part(setting, '=', 1)) as detail
  from pg_db_role_setting s
  cross join unnest(s.setconfig) as setting
  where s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
    and (s.setrole = 0 or s.setrole in (select oid from pg_roles where lint.is_ours(rolname)))
    and (setting ~ '^(app\.|role=|session_authorization=|session_replication_role=|local_preload_libraries=|session_preload_libraries=)'
      or setting ~ '^row_security=(off|false|no|0)$');

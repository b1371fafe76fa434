-- Every policy depends on these: the user in the room is the one app.enter stored for this transaction, and the auditor at psql is the
-- login's name, which no statement of theirs can change.
create view lint.identity_rewritten as
select named.function as object, 'as in sql/functions/10_room.sql' as detail
  from (values
    ('app.tenant_id()', '^RETURN \(NULLIF\(current_setting\(''app\.tenant_id''::text, true\), ''''::text\)\)::uuid$'),
    ('app.user_id()', '^RETURN \(NULLIF\(current_setting\(''app\.user_id''::text, true\), ''''::text\)\)::uuid$'),
    ('app.role()', '^RETURN NULLIF\(current_setting\(''app\.role''::text, true\), ''''::text\)$'),
    ('app.reader_tenant()', '^BEGIN ATOMIC\s+SELECT m\.tenant_id(?!.*current_setting).* = SESSION_USER.*rolvaliduntil > statement_timestamp'),
    ('app.login_valid()', '^BEGIN ATOMIC(?!.*current_setting).* = SESSION_USER.*> statement_timestamp')
  ) as named (function, body)
  left join pg_proc p on p.oid = to_regprocedure(named.function)
  where p.oid is null or p.prosecdef or p.provolatile <> 's'
    or replace(coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), 'r.', '') !~ named.body;

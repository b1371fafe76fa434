-- A role that may connect may read the catalogue, and one that may make temporary objects can put them in the place of ours.
create view lint.database_for_public as
select format('database %s', quote_ident(d.datname)) as object, 'revoke ' || lower(string_agg(a.privilege_type, ', ' order by a.privilege_type)) || ' from public' as detail
  from pg_database d, aclexplode(d.datacl) a
  where d.datname = current_database() and a.grantee = 0
  group by d.datname
  union all
  select format('schema %s', n.nspname), 'revoke ' || lower(string_agg(a.privilege_type, ', ' order by a.privilege_type)) || ' from public'
  from pg_namespace n, aclexplode(n.nspacl) a
  where n.nspname in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'lint', 'meta', 'public') and a.grantee = 0
  group by n.nspname;

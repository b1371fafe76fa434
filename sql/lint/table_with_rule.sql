-- A rewrite rule runs with the rights of the table's owner, not of the caller.
create view lint.table_with_rule as
select format('%s.%I', r.ev_class::regclass, r.rulename) as object, 'a trigger instead of create rule' as detail
  from pg_rewrite r
  join pg_class c on c.oid = r.ev_class
  where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p');

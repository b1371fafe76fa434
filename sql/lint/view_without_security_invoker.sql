-- By default a view reads with its owner's rights; ours read with the reader's. A materialized view cannot.
create view lint.view_without_security_invoker as
select c.oid::regclass::text as object, 'create view … with (security_invoker = true)' as detail
  from pg_class c
  where c.relnamespace in (select oid from pg_namespace where nspname in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'meta'))
    and (c.relkind = 'm' or c.relkind = 'v' and not exists (
      select from pg_options_to_table(c.reloptions) where option_name = 'security_invoker' and option_value in ('true', 'on', '1', 'yes')
    ));

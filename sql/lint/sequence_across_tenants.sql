-- A sequence counts for all tenants together: its gaps reveal the activity of others. Ids are UUIDv7.
create view lint.sequence_across_tenants as
select oid::regclass::text as object, 'uuid instead of serial or identity' as detail
  from pg_class
  where relnamespace = 'app'::regnamespace and relkind = 'S';

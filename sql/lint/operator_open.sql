-- What is in schema operator is about all tenants: its tables are for the functions of llm_operator, for backups, and to be read by
-- auditors of the installation, without the hashes of tokens. Prices are about none: the functions of llm_work read them for the API.
create view lint.operator_open as
select format('%s to %s', g.place::regclass, case g.grantee when 0 then 'public' else g.grantee::regrole::text end) as object,
    'revoke ' || lower(string_agg(distinct g.privilege_type, ', ')) as detail
  from (
    select c.oid as place, c.relnamespace, c.relowner, a.grantee, a.privilege_type, null::name as part
    from pg_class c, aclexplode(c.relacl) a
    union all
    select c.oid, c.relnamespace, c.relowner, a.grantee, a.privilege_type, t.attname
    from pg_class c join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a
  ) g
  where g.relnamespace = 'operator'::regnamespace and g.grantee <> g.relowner and not (
    g.grantee = to_regrole('llm_operator') and g.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
    or g.grantee = to_regrole('llm_backup') and g.privilege_type = 'SELECT'
    or g.grantee = to_regrole('llm_work') and g.privilege_type = 'SELECT'
      and g.place in (select oid from pg_class where relname in ('prices', 'price_names', 'price_providers', 'price_revision'))
    or g.grantee = to_regrole('llm_work') and g.privilege_type = 'UPDATE' and g.part = 'revision'
      and g.place in (select oid from pg_class where relname = 'price_revision')
    or g.grantee = to_regrole('llm_auditor') and g.privilege_type = 'SELECT'
      and g.part is distinct from 'hash' and (g.part is not null or not exists (
        select from pg_attribute h where h.attrelid = g.place and h.attname = 'hash' and not h.attisdropped
      ))
  )
  group by g.place, g.grantee
  union all
  select c.oid::regclass::text, 'alter table … enable row level security'
  from pg_class c
  where c.relnamespace = 'operator'::regnamespace and c.relkind in ('r', 'p', 'm', 'f') and not c.relrowsecurity
  union all
  select format('%s.%I', p.polrelid::regclass, p.polname), 'a policy for llm_operator, llm_auditor or llm_backup'
  from pg_policy p
  join pg_class c on c.oid = p.polrelid
  where c.relnamespace = 'operator'::regnamespace and p.polpermissive
    and not p.polroles <@ (array[to_regrole('llm_operator'), to_regrole('llm_auditor'), to_regrole('llm_backup')]::oid[]
      || case when c.relname in ('prices', 'price_names', 'price_providers', 'price_revision') then to_regrole('llm_work')::oid end);

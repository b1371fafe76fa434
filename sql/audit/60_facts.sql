-- Every fact of the catalogue that keeps tenants apart, as text. The expected facts are in sql/catalogue.tsv, which is this output in a
-- database that sql/ has just made. Any difference is a finding. Nothing here decides what is dangerous: no rule can be forgotten.
--
-- kind and object name a thing, aspect a property of it, fact its value. Texts of functions are whole. Roles of the server's own
-- administrators are called (administrator), and differences between releases of PostgreSQL are left out. Bodies are strings and not
-- SQL-standard ones, so that every PostgreSQL returns them unchanged.

-- Our roles exactly: llm_api is one; a reader's login or another installation's llm_two_api is not.
create function audit.role_is_ours(role name) returns boolean
  language sql immutable parallel safe
as $$ select role ~ '^llm_[a-z]+(_content)?$' $$;

-- All schemas are compared. public too: by default every role's search_path contains it.
create function audit.our_schemas() returns oid[]
  language sql stable parallel safe
as $$ select array_agg(oid) from pg_catalog.pg_namespace where nspname in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'lint', 'meta', 'public') $$;

-- A role by its name; the server's administrators, whose names differ everywhere, by their function.
create function audit.role_name(role oid) returns text
  language sql stable parallel safe
as $$
  select case when role = 0 then 'public' when role is null then null
    else coalesce((
      select case when r.rolsuper and not audit.role_is_ours(r.rolname) or r.rolname in (
          select a.object from meta.accepted a where a.kind = 'administrator'
        ) then '(administrator)' else r.rolname::text end
      from pg_roles r where r.oid = role
    ), 'unknown') end
$$;

-- The rights an access list gives to roles other than the owner, and those it withholds from the owner. One line per grantee.
create function audit.grants_of(p_kind text, p_object text, p_acl aclitem[], p_default "char", p_owner oid, p_part text) returns table (kind text, object text, aspect text, fact text)
  language sql stable parallel safe
as $$
  select p_kind, p_object, concat('grant to ', audit.role_name(a.grantee)), string_agg(distinct a.verb, ', ' order by a.verb)
  from (
    select e.grantee, concat(lower(e.privilege_type), p_part, case when e.is_grantable then ' with grant option' end) as verb
    from aclexplode(coalesce(p_acl, acldefault(p_default, p_owner))) e where e.grantee <> p_owner
  ) a
  group by audit.role_name(a.grantee)
  union all
  select p_kind, p_object, 'taken from its owner', string_agg(lower(d.privilege_type), ', ' order by d.privilege_type)
  from aclexplode(acldefault(p_default, p_owner)) d
  where p_acl is not null and d.grantee = p_owner
    and not exists (select from aclexplode(p_acl) e where e.grantee = p_owner and e.privilege_type = d.privilege_type)
  having count(*) > 0
$$;

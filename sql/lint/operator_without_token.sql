-- The API's login serves every tenant's requests: with it alone, nothing of schema operator may answer. So a function there that a login
-- may call takes the hash of a token first, and checks it before all else. operator.carry_on continues what a token ordered, and says nothing.
create view lint.operator_without_token as
select p.oid::regprocedure::text as object, 'p_token bytea first, and operator.admit(p_token) before all else' as detail
  from pg_proc p
  where p.pronamespace = 'operator'::regnamespace and (p.proname, oidvectortypes(p.proargtypes)) <> ('carry_on', 'integer')
    and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee <> p.proowner)
    and (
      p.proargnames[1] is distinct from 'p_token' or p.proargtypes[0] <> 'bytea'::regtype
      or p.prosrc !~ '^\s*(#variable_conflict \w+\s+)?(declare\s+v_token constant uuid := operator\.admit\(p_token\);|begin\s+perform operator\.admit\(p_token\);)'
    );

-- `(select app.tenant_id())` is computed once per statement, app.tenant_id() once per row.
create view lint.policy_per_row as
select format('%s.%I', p.polrelid::regclass, p.polname) as object, '(select app.tenant_id()), with the select' as detail
  from pg_policy p
  join pg_class c on c.oid = p.polrelid
  cross join concat(pg_get_expr(p.polqual, p.polrelid), ' ', pg_get_expr(p.polwithcheck, p.polrelid)) as expression
  where c.relnamespace = 'app'::regnamespace
    and regexp_replace(expression, '\( SELECT (app\.)?(tenant_id|user_id|role|reader_tenant|login_valid)\(\) AS \w+\)', '', 'g')
      ~ '(\m(tenant_id|user_id|role|reader_tenant|login_valid)\(\)|current_setting\()';

-- operator_open fires, and falls silent when the fault is mended.
begin;

grant select on operator.plans to llm_api;
grant select (hash) on operator.tokens to llm_auditor;
alter table operator.events disable row level security;
create policy careless on operator.erasures for select to llm_tenant using (true);

do $$ begin
  assert array(select object from lint.operator_open order by object collate "C")
    = array['operator.erasures.careless', 'operator.events', 'operator.plans to llm_api', 'operator.tokens to llm_auditor'],
    format('operator_open found %s', array(select object from lint.operator_open));
end $$;

revoke select on operator.plans from llm_api;
revoke select (hash) on operator.tokens from llm_auditor;
alter table operator.events enable row level security;
drop policy careless on operator.erasures;

do $$ begin
  assert not exists (select from lint.operator_open),
    format('operator_open still finds %s', array(select object from lint.operator_open));
end $$;

rollback;

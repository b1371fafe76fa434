-- Prices of providers: no tenant's data. The functions of work read them for the API, the operator's add and end them.
grant usage on schema operator to llm_work;
grant select on operator.prices, operator.price_names, operator.price_providers to llm_work;
grant select, update (revision) on operator.price_revision to llm_work;

grant select, insert (provider, model, unit, service_tier, tier_start, per, amount, minutes, valid, source), update (valid)
  on operator.prices to llm_operator;
grant select on operator.price_names, operator.price_providers to llm_operator;
grant select on operator.prices, operator.price_names, operator.price_providers to llm_auditor;

set local role llm_work;

grant execute on function work.price_revision(), work.price_book() to llm_api;

-- loses: limits, budgets, the ledger
alter table app.tenants drop column markup;
drop index app.generations_counted;
alter table app.generations drop column admission, drop column counted;
alter table app.generations alter column cost_usd type numeric(14, 8);
drop table app.usage_queue;
drop table app.ledger;
drop table app.counter_changes;
drop table app.budget_periods;
drop table app.rates;
drop table app.limits;

-- loses: the sums of the ledger by day, which can be built again
drop table app.usage_days;
drop index app.ledger_of_user;
drop index app.ledger_of_time;
create index ledger_of_time on app.ledger (tenant_id, at);
alter table app.ledger drop column units;

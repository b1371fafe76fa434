-- Keys that were used are forgotten: a request that is sent again creates again.
drop table app.idempotent_answers;

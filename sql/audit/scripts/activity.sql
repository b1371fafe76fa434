-- What happened, who and when: psql "$URL" -f sql/audit/scripts/activity.sql
-- For every auditor (`npm run audit:grant`): of every tenant, or of one, depending on the login. Contains no text of users or answers.
\set QUIET on
\pset footer off
\pset null ''

\echo 'Tenants, with what they have and use.'
select * from audit.tenants;

\echo 'The last thirty days, by day and model.'
select * from audit.usage where day > current_date - 30;

\echo 'Logins, and addresses that are being tried.'
select * from audit.logins limit 50;

\echo 'API keys, and uses of keys that had ended.'
select tenant, begins_with, name, owner, scopes, state, last_used_at, last_refused_at from audit.keys limit 50;

\echo 'The last fifty events of the audit log.'
select * from audit.events limit 50;

\echo 'The last fifty answers.'
select created_at, tenant, asked_by, model, status, failure, tokens_in, tokens_out, cost_usd, seconds from audit.messages limit 50;

\echo 'What MLflow does not know yet.'
select * from audit.tracking;

\echo 'Who else reads with their own SQL.'
select * from audit.readers;

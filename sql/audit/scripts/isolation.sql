-- How the tenants are kept apart: psql "$URL" -f sql/audit/scripts/isolation.sql
-- For every auditor (`npm run audit:grant`). Reads PostgreSQL's catalogue and no tenant's rows.
\set QUIET on
\pset footer off
\pset null ''

\echo 'Every table: row-level security, for its owner too (forced), and behind the wall?'
select * from audit.tables;

\echo 'Every policy. Restrictive ones are ANDed: tenant_wall and reader_wall cannot be opened by another.'
select * from audit.policies;

\echo 'Who may do what, on which columns. llm_api is not here: it reads tables only by becoming llm_tenant in a room.'
select * from audit.grants where "table" like 'app.%';

\echo 'Functions that run with the rights of their owner.'
select * from audit.definer_functions;

\echo 'Our roles, and every role that bypasses row-level security.'
select * from audit.role_risks;

\echo 'Rules that are broken: none, if nothing follows.'
select * from lint.findings();

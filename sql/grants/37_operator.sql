-- What the operator's functions may do, and which of them a login may call. Metadata of every tenant: the lint column_for_nobody names what
-- they never read, and operator_open that nothing here is open to others.
grant select, insert (id, name, hash, expires_at), update (revoked_at, last_used_at) on operator.tokens to llm_operator;
grant select, insert, update, delete on operator.plans to llm_operator;
grant select, insert on operator.events to llm_operator;
grant select, insert (tenant_id, token_id, counts), update (counts, ended_at) on operator.erasures to llm_operator;

grant select (id, name, created_at, expires_at, revoked_at, last_used_at) on operator.tokens to llm_auditor;
grant select on operator.plans, operator.events, operator.erasures to llm_auditor;

set local role llm_operator;

grant execute on function operator.whoami(bytea) to llm_api;

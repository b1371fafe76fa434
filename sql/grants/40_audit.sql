-- The views read with their reader's rights, so these alone open nothing.

grant select on all tables in schema audit to llm_auditor;

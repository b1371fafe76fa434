-- What pg_dump reads as llm_backup: every row, and no function of ours.

grant usage on schema app, operator, meta to llm_backup;
grant select on all tables in schema app, operator, meta to llm_backup;
grant select on all sequences in schema app, operator, meta to llm_backup;

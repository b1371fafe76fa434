-- Any login may see whether the rules are kept: they read the catalogue, which is open to every role anyway.

grant select on all tables in schema lint to llm_api, llm_auditor, llm_reader;
grant execute on function lint.findings(), lint.is_ours(name) to llm_api, llm_auditor, llm_reader;

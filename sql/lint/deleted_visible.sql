-- What belongs to a user, a conversation or a message is deleted with it from the moment it is marked: see sql/policies/25_deleted.sql.
-- Exceptions: the accounts of answers, which stay; idempotency keys, which app.ask reads together with their message; answers stored under
-- a key, which only their own user reads, who cannot enter any more.
create view lint.deleted_visible as
select c.oid::regclass::text as object, 'its ids in sql/policies/25_deleted.sql, its rows in sql/functions/55_purge.sql, with rights for llm_work' as detail
  from pg_class c
  where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') and c.relname not in ('generations', 'idempotency_keys', 'idempotent_answers')
    and (
      c.relname in ('users', 'generation_chunks') or exists (
        select from pg_constraint k
        where k.conrelid = c.oid and k.contype = 'f'
          and k.confrelid in ('app.users'::regclass, 'app.conversations'::regclass, 'app.messages'::regclass)
      )
    )
    and exists (
      select from unnest(array['llm_tenant', 'llm_auditor', 'llm_reader']) role
      where not exists (
        select from pg_policy p
        where p.polrelid = c.oid and p.polname = 'not_deleted' and not p.polpermissive and p.polcmd in ('r', '*')
          and to_regrole(role)::oid = any (p.polroles)
      )
    );

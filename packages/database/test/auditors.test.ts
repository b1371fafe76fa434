import { assert, layer } from "@effect/vitest"
import { grantReader, revokeReaders } from "@llm-saas/database/logins/AuditorLogins"
import { DIRECTORY } from "@llm-saas/database/SqlFiles"
import { TenantId } from "@llm-saas/domain/Tenant"
import { migrated, TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Duration, Effect, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { append, asked, finish, inRoom, office, remove } from "./Questions.ts"
import { open, type Refused, type Session, stateOf } from "./Session.ts"

/** Texts that must never leave their tenant. */
const SECRET = "the recipe of the sauce"

/** A tenant with a row in every table. */
const busy = Effect.gen(function* () {
  const people = yield* office
  const { alice, api } = people
  const conversation = randomUUID()
  yield* api.rows("select auth.login_record(array[$1::uuid], array[$2::uuid], null, 'request')", [
    alice.tenant,
    alice.user
  ])
  yield* inRoom(
    api,
    alice,
    "insert into app.conversations (tenant_id, id, user_id, title) values (app.tenant_id(), $1, app.user_id(), $2)",
    [conversation, SECRET]
  )
  const ended = yield* asked(api, alice, { content: SECRET, conversation, key: randomUUID() })
  yield* finish(api, ended, { response: SECRET })
  yield* append(api, yield* asked(api, alice, { content: SECRET }), 1, [SECRET])
  yield* remove(api, alice, "message", (yield* asked(api, alice, { content: SECRET })).message)
  yield* inRoom(
    api,
    alice,
    "insert into app.feedback (tenant_id, message_id, user_id, rating, comment) values (app.tenant_id(), $1, app.user_id(), 1, $2)",
    [ended.message, SECRET]
  )
  yield* inRoom(
    api,
    alice,
    `insert into app.api_keys (tenant_id, id, user_id, public_id, secret_hash, name, scopes, metadata)
     values (app.tenant_id(), $1, app.user_id(), '0123456789abcdef', sha256('a key'), 'bot', '{chat}', jsonb_build_object('note', $2::text))`,
    [randomUUID(), SECRET]
  )
  yield* people.superuser.rows(
    `insert into app.attempts (tenant_id, generation_id, number, user_id, provider, model, key_source, started_at)
     values ($1, $2, 1, $3, 'openai', 'model-1', 'tenant', now())`,
    [alice.tenant, ended.generation, alice.user]
  )
  yield* inRoom(
    api,
    people.admin,
    `with key as (
       insert into app.tenant_keys (tenant_id, version, wrapped, wrapped_by)
       values (app.tenant_id(), 1, decode(repeat('ca', 60), 'hex'), repeat('c', 16)) returning version
     )
     insert into app.provider_keys (tenant_id, id, provider, name, key_version, sealed)
     select app.tenant_id(), $1, 'openai', 'ours', version, convert_to($2 || repeat(' ', 29), 'utf8') from key`,
    [randomUUID(), SECRET]
  )
  yield* inRoom(
    api,
    people.admin,
    `insert into app.invitations (tenant_id, id, email, role, invited_by, expires_at)
     values (app.tenant_id(), $1, 'invited@example.com', 'user', app.user_id(), now())`,
    [randomUUID()]
  )
  yield* inRoom(
    api,
    alice,
    `insert into app.sessions (tenant_id, id, user_id, method, token_epoch, secret_hash, idle_until, ends_at)
     values (app.tenant_id(), $1, app.user_id(), 'password', 0, sha256('a session'), now(), now())`,
    [randomUUID()]
  )
  yield* inRoom(
    api,
    alice,
    `with token as (
       insert into app.one_time_tokens (tenant_id, id, purpose, subject_id, address, hash, expires_at)
       values (app.tenant_id(), $1, 'email_verify', app.user_id(), $2, sha256('a link'), now())
     )
     insert into app.mails (tenant_id, id, subject_id, address, template) values (app.tenant_id(), $1, app.user_id(), $2, 'email_verify')`,
    [randomUUID(), `${alice.user}@example.com`]
  )
  yield* inRoom(
    api,
    alice,
    "insert into app.factors (tenant_id, id, user_id, kind, name) values (app.tenant_id(), $1, app.user_id(), 'totp', 'phone')",
    [randomUUID()]
  )
  yield* api.rows("select work.fold_usage(10, $1)", [alice.tenant])
  yield* people.superuser.rows(BOOKS.replaceAll("$1", `'${alice.tenant}'`))
  return { ...people, tenant: TenantId.make(alice.tenant), email: `${alice.user}@example.com` }
})

/** A budget, what is spent of it, a correction that is not in the sums of usage yet, and single sign-on. */
const BOOKS = `
  insert into app.sessions (tenant_id, id, user_id, method, token_epoch, secret_hash, idle_until, ends_at)
    select u.tenant_id, gen_random_uuid(), u.id, 'password', 0, sha256(u.id::text::bytea), now() + interval '1 day', now() + interval '1 day'
    from app.users u where u.tenant_id = $1;
  insert into app.sso_connections (tenant_id, id, slug, issuer, client_id)
    values ($1, gen_random_uuid(), $1, 'https://login.example.com', 'client');
  insert into app.sso_identities (tenant_id, issuer, subject, user_id)
    select u.tenant_id, 'https://login.example.com', u.id::text, u.id from app.users u where u.tenant_id = $1;
  insert into app.limits (tenant_id, subject, budget, budget_period) values ($1, 'tenant', 9, 'day');
  insert into app.budget_periods (tenant_id, subject, period, starts_at, spent) values ($1, 'tenant', 'day', '2026-11-01', 1);
  insert into app.counter_changes (tenant_id, subject, period, generation_id, starts_at, spent)
    values ($1, 'tenant', 'day', gen_random_uuid(), '2026-11-01', 1);
  with entry as (
    insert into app.ledger (tenant_id, id, kind, provider, model, items, tenant_amount, provider_amount, margin_amount)
    values ($1, gen_random_uuid(), 'correction', 'openai', 'model-1', '[{"attempt": 1, "unit": "output", "quantity": 1, "price": "1"}]', 2, -1, -1)
    returning tenant_id, id
  )
  insert into app.usage_queue (tenant_id, ledger_id) select tenant_id, id from entry`

/** Two busy tenants, and a login at psql for the first. */
const audited = Effect.fnUntraced(function* (content = false) {
  const { adminUrl } = yield* TestDatabase
  const [mine, theirs] = [yield* busy, yield* busy]
  yield* mine.superuser.rows("analyze")
  const login = yield* Effect.acquireRelease(
    grantReader(adminUrl, { tenantId: mine.tenant, content, lifetime: Duration.days(1), note: "a test" }),
    ({ role }) => Effect.orDie(revokeReaders(adminUrl, { role }))
  )
  return { mine, theirs, login, reader: yield* open(login.url), adminUrl }
})

/** Every table and view that this login can read, with its tenant column. */
const readable = (session: Session) =>
  session.rows(
    `select format('%I.%I', n.nspname, c.relname) as place, a.attname as tenant
     from pg_class c
     join pg_namespace n on n.oid = c.relnamespace and n.nspname in ('app', 'audit', 'meta')
     join pg_attribute a on a.attrelid = c.oid and (a.attname = 'tenant_id' or a.attname = 'id' and c.relname = 'tenants')
     where c.relkind in ('r', 'p', 'v') and has_schema_privilege(n.oid, 'USAGE') and has_column_privilege(c.oid, a.attnum, 'SELECT')
     order by 1`
  )

/** The tenants whose rows this session sees, by table and view. */
const seen = Effect.fnUntraced(function* (session: Session) {
  const found: Record<string, ReadonlyArray<unknown>> = {}
  for (const { place, tenant } of yield* readable(session)) {
    const rows = yield* session.rows(`select distinct ${String(tenant)} as whose from ${String(place)} order by 1`)
    found[String(place)] = rows.map(({ whose }) => whose)
  }
  return found
})

const tenantsIn = (found: Record<string, ReadonlyArray<unknown>>) => [...new Set(Object.values(found).flat())].sort()

/** The SQLSTATEs of statements, each run on its own. */
const states = (session: Session, statements: ReadonlyArray<string>) =>
  Effect.map(
    Effect.forEach(statements, (sql) =>
      Effect.map(
        Effect.tap(stateOf(session.rows(sql)), () => Effect.ignore(session.rows("rollback"))),
        (state) => [sql, state]
      )
    ),
    (pairs): Record<string, string> => Object.fromEntries(pairs)
  )

const denied = (statements: ReadonlyArray<string>) => Object.fromEntries(statements.map((sql) => [sql, "42501"]))

const messageOf = <A>(work: Effect.Effect<A, Refused>) =>
  Effect.match(work, { onFailure: ({ message }) => message, onSuccess: (value) => JSON.stringify(value) })

layer(TestDatabase.layer)("a tenant's own auditor at psql", (it) => {
  it.effect("reads their tenant's rows in every table and view granted to them, and no other tenant's", () =>
    Effect.gen(function* () {
      const { mine, reader, theirs } = yield* audited()
      const found = yield* seen(reader)
      assert.includeMembers(Object.keys(found), [
        "app.tenants",
        "app.users",
        "app.messages",
        "app.generations",
        "app.audit_events",
        "audit.messages",
        "audit.events",
        "audit.tracking",
        "audit.readers",
        "audit.ledger",
        "meta.readers"
      ])
      for (const [place, whose] of Object.entries(found)) assert.deepStrictEqual(whose, [mine.tenant], place)
      assert.notStrictEqual(mine.tenant, theirs.tenant)
      const [tenant] = yield* reader.rows(
        "select users::int, messages::int, tokens_in::int, tokens_out::int from audit.tenants"
      )
      assert.deepStrictEqual(tenant, { users: 3, messages: 2, tokens_in: 3, tokens_out: 4 })
    }).pipe(Effect.scoped)
  )

  it.effect("cannot become another auditor or role, whatever they set, reset or switch to", () =>
    Effect.gen(function* () {
      const { login, mine, reader, theirs } = yield* audited()
      const { alice, tenant } = theirs
      const TRICKS = [
        `set app.tenant_id = '${tenant}'; set app.user_id = '${alice.user}'; set app.role = 'admin'`,
        `select set_config('app.tenant_id', '${tenant}', false)`,
        "set row_security = on; set search_path = app; set plan_cache_mode = force_generic_plan",
        "discard all",
        "reset all; reset role; reset session authorization; deallocate all; discard plans",
        "set role llm_reader",
        `set role ${login.role}`,
        "set session authorization default",
        `begin; set local app.tenant_id = '${tenant}'; set local role llm_reader; commit`,
        "set enable_seqscan = off; set enable_indexscan = off",
        "set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0"
      ]
      const whole = Object.keys(yield* seen(reader)).length
      for (const trick of TRICKS) {
        assert.strictEqual(yield* stateOf(reader.rows(trick)), "fine", trick)
        const found = yield* seen(reader)
        assert.deepStrictEqual(tenantsIn(found), [mine.tenant], trick)
        assert.strictEqual(Object.keys(found).length, whole, trick)
        yield* reader.rows("discard all")
      }
      const REFUSED = [
        ...[
          "llm_tenant",
          "llm_owner",
          "llm_auth",
          "llm_work",
          "llm_tracking",
          "llm_operator",
          "llm_api",
          "llm_jobs",
          "llm_auditor",
          "postgres"
        ].flatMap((role) => [`set role ${role}`, `set session authorization ${role}`]),
        "set role llm_reader_content",
        `select * from app.enter('${tenant}', '${alice.user}', 0, 'user')`,
        `select app.tenant_id()`,
        `alter role ${login.role} valid until 'infinity'`,
        `alter role ${login.role} connection limit -1`,
        `alter role ${login.role} bypassrls`,
        "alter role llm_reader rename to mine",
        `grant llm_tenant to ${login.role}`,
        `create role mallory`,
        `update meta.readers set tenant_id = '${tenant}'`,
        `insert into meta.readers values ('x', '${tenant}', true)`
      ]
      yield* reader.rows("set default_transaction_read_only = off")
      assert.deepStrictEqual(yield* states(reader, REFUSED), denied(REFUSED))
      // Without row-level security the query fails, and does not run without the wall.
      yield* reader.rows("set row_security = off")
      assert.strictEqual(yield* stateOf(reader.rows("select id from app.users")), "42501")
    }).pipe(Effect.scoped)
  )

  it.effect("changes nothing, read-only or not", () =>
    Effect.gen(function* () {
      const { mine, reader } = yield* audited()
      assert.strictEqual(
        yield* stateOf(reader.rows("insert into app.tenants (id, name) values (gen_random_uuid(), 'x')")),
        "25006"
      )
      yield* reader.rows("set default_transaction_read_only = off")
      const WRITES = [
        "update app.users set role = 'admin'",
        "delete from app.messages",
        "truncate app.audit_events",
        "insert into app.audit_events (tenant_id, id, action) values (gen_random_uuid(), gen_random_uuid(), 'x')",
        "merge into app.users u using (select 1) s on true when matched then delete",
        "select id from app.users for update",
        "select id from app.users for key share",
        "begin; lock table app.users in share mode",
        "copy app.users (id) from stdin",
        "insert into audit.tenants (id) values (gen_random_uuid())",
        "refresh materialized view audit.tenants",
        "comment on table app.users is 'mine'",
        "analyze app.users",
        "drop owned by current_user"
      ]
      const came = yield* states(reader, WRITES)
      for (const [sql, state] of Object.entries(came))
        // Not the auditor's: refused, or (ANALYZE) skipped with a warning.
        assert.include(sql.startsWith("analyze") ? ["fine", "42501"] : ["42501", "42809", "55000"], state, sql)
      assert.deepStrictEqual(
        yield* mine.superuser.rows("select count(*)::int from app.users where tenant_id = $1 and role = 'admin'", [
          mine.tenant
        ]),
        [{ count: 1 }]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("creates nothing that could run with another's rights, or reach outside", () =>
    Effect.gen(function* () {
      const { reader } = yield* audited()
      yield* reader.rows("set default_transaction_read_only = off")
      const MADE = [
        "create temporary table t (x text)",
        "create temporary view v as select 1",
        "create view app.v as select 1",
        "create view audit.v as select 1",
        "create table public.t (x text)",
        "create schema mine",
        "create function audit.f() returns text language sql security definer as 'select content from app.messages'",
        "create function pg_temp.f(text) returns bool language sql as 'select true'",
        "do $$ begin raise notice 'x'; end $$",
        "do language sql 'select 1'",
        "create extension dblink",
        "create extension postgres_fdw",
        "create extension file_fdw",
        "create server s foreign data wrapper postgres_fdw",
        "create operator public.### (leftarg = text, rightarg = text, function = texteq)",
        "create aggregate public.spy (text) (sfunc = textcat, stype = text)",
        "create policy mine on app.messages using (true)",
        "create trigger mine before insert on app.messages execute function app.append_only()",
        "create rule mine as on select to app.messages do instead select 1",
        "create publication mine for all tables",
        "create subscription mine connection 'host=localhost' publication p",
        "alter default privileges grant select on tables to public",
        "alter table app.messages no force row level security",
        "alter view audit.messages set (security_invoker = false)",
        "alter function app.reader_tenant() owner to current_user",
        "grant select on app.messages to public",
        "reassign owned by llm_owner to current_user",
        "alter system set row_security = off",
        "copy (select 1) to program 'cat'",
        "copy (select 1) to '/tmp/x'",
        "copy (select 1) to stdout; select pg_read_file('/etc/passwd')",
        "select lo_create(1)",
        "select lo_import('/etc/passwd')",
        "select lo_from_bytea(0, 'x')",
        "select pg_read_binary_file('PG_VERSION')",
        "select pg_ls_dir('.')",
        "load 'auto_explain'",
        "set session_preload_libraries = 'auto_explain'",
        "set session_replication_role = replica",
        "set log_statement = 'all'",
        "explain (analyze) select lo_unlink(1)"
      ]
      const came = yield* states(reader, MADE)
      const passed = Object.entries(came).filter(([, state]) => state !== "42501")
      // Refused for another reason than a missing right: it does not exist here, or no role may.
      assert.deepStrictEqual(
        passed.filter(
          ([sql, state]) =>
            !["0A000", "42704", "42601", "58P01", "42883", "25001", "42809"].includes(state ?? "") || sql === ""
        ),
        []
      )
      assert.isBelow(passed.length, 10)
    }).pipe(Effect.scoped)
  )

  it.effect("calls no function that does more than they may", () =>
    Effect.gen(function* () {
      const { reader, theirs } = yield* audited()
      // Every function of ours, and every one that runs with its owner's rights.
      const callable = yield* reader.rows(
        `select p.oid::regprocedure::text as function from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where (n.nspname in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'lint', 'meta', 'public') or p.prosecdef)
           and has_schema_privilege(n.oid, 'USAGE') and has_function_privilege(p.oid, 'EXECUTE') order by 1`
      )
      assert.deepStrictEqual(callable, [
        { function: "latency_bucket(interval)" },
        { function: "lint.findings()" },
        { function: "lint.is_ours(name)" },
        { function: "login_valid()" },
        { function: "reader_tenant()" },
        { function: "sum_counts(jsonb[])" }
      ])
      const CALLS = [
        `select * from auth.login_candidates('${theirs.email}', null)`,
        "select work.sweep(1)",
        "select tracking.lag()",
        "select * from audit.proof()",
        "select * from pg_stat_activity",
        "select * from pg_stat_get_activity(null)",
        "select pg_stat_get_backend_activity(1)",
        "select * from pg_locks",
        "select * from pg_lock_status()",
        "select pg_cancel_backend(1)",
        "select pg_terminate_backend(1)",
        "select pg_advisory_lock(1)",
        "select pg_logical_emit_message(false, 'a', repeat('x', 1000))",
        "select pg_notify('a', 'b')",
        "select pg_export_snapshot()",
        "select pg_advisory_xact_lock(1)",
        "select pg_try_advisory_xact_lock(1)",
        "select * from pg_authid",
        "select * from pg_shadow",
        "select * from pg_statistic",
        "select * from pg_user_mapping",
        "select * from pg_hba_file_rules",
        "select pg_reload_conf()"
      ]
      assert.deepStrictEqual(yield* states(reader, CALLS), denied(CALLS))
    }).pipe(Effect.scoped)
  )

  it.effect("gets no value out of a column by an error, a plan, a cast or the statistics", () =>
    Effect.gen(function* () {
      const { mine, reader, theirs } = yield* audited(true)
      const LEAKS = [
        "email::int = 1",
        "email::inet is null",
        "email::jsonb is null",
        "pg_size_bytes(email) > 0",
        "email::regclass is null",
        "1 / (case when email like '%' then 0 else 1 end) = 1",
        "to_date(email, 'YYYY') is null",
        "('{' || email || '\"')::text[] is null",
        "query_to_xml(format('select %L::int', email), true, true, '') is not null"
      ]
      for (const leak of LEAKS) {
        for (const asks of [
          leak,
          `tenant_id = '${theirs.tenant}' and ${leak}`,
          `id = '${theirs.alice.user}' and ${leak}`
        ]) {
          const said = yield* messageOf(reader.rows(`select email from app.users where ${asks}`))
          assert.notInclude(said, theirs.alice.user, asks)
          // On another tenant's rows the error is not even reached.
          if (asks !== leak) assert.strictEqual(said, "[]", asks)
        }
        assert.include(
          yield* messageOf(reader.rows(`select email from app.users where ${leak}`)),
          mine.tenant.slice(0, 0)
        )
      }
      const message = yield* messageOf(reader.rows("select content from app.messages where content::int = 1"))
      assert.include(message, SECRET, "of their own they may see it")

      // Statistics would cover all tenants together, so there are none: statistics.test.ts.
      for (const view of ["pg_stats", "pg_stats_ext", "pg_stats_ext_exprs"])
        assert.deepStrictEqual(yield* reader.rows(`select * from ${view} where schemaname = 'app'`), [], view)

      const plan = yield* messageOf(
        reader.rows("explain (analyze, verbose, buffers, format json) select email from app.users order by email")
      )
      assert.notInclude(plan, theirs.alice.user)
      assert.strictEqual(
        yield* reader.count(`copy (select id from app.users where tenant_id = '${theirs.tenant}') to stdout`),
        0
      )
    }).pipe(Effect.scoped)
  )

  it.effect("keeps no plan, cursor or session past the end of their login", () =>
    Effect.gen(function* () {
      const { adminUrl, login, mine, reader } = yield* audited()
      yield* reader.rows("prepare mine as select count(*)::int as count from app.users")
      yield* reader.rows("set plan_cache_mode = force_generic_plan")
      assert.deepStrictEqual(yield* reader.rows("execute mine"), [{ count: 3 }])
      yield* mine.superuser.rows(`alter role ${login.role} valid until '2020-01-01'`)
      assert.deepStrictEqual(yield* reader.rows("execute mine"), [{ count: 0 }])
      assert.deepStrictEqual(tenantsIn(yield* seen(reader)), [])
      assert.include(
        yield* Effect.map(Effect.exit(Effect.scoped(open(login.url))), String),
        "password authentication failed"
      )
      yield* mine.superuser.rows(`alter role ${login.role} valid until 'tomorrow'`)
      assert.deepStrictEqual(yield* reader.rows("execute mine"), [{ count: 3 }])
      assert.deepStrictEqual(yield* revokeReaders(adminUrl, { role: login.role }), [login.role])
      assert.notStrictEqual(yield* stateOf(reader.rows("execute mine")), "fine")
      assert.deepStrictEqual(
        yield* mine.superuser.rows(
          "select action, detail ->> 'role' as role from app.audit_events where tenant_id = $1 and target_kind = 'reader' order by at",
          [mine.tenant]
        ),
        [
          { action: "reader.granted", role: login.role },
          { action: "reader.revoked", role: login.role }
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("is ended by a job when their login is over, with what they hold open; others are not", () =>
    Effect.gen(function* () {
      const { login, mine, reader } = yield* audited()
      const { adminUrl } = yield* TestDatabase
      const other = yield* Effect.acquireRelease(
        grantReader(adminUrl, { tenantId: undefined, content: false, lifetime: Duration.days(1), note: undefined }),
        ({ role }) => Effect.orDie(revokeReaders(adminUrl, { role }))
      )
      const stays = yield* open(other.url)
      // A session that was told to end counts again until it is gone.
      const end = Effect.map(mine.api.rows("select audit.end_readers() as ended"), ([row]) => Number(row?.["ended"]))
      yield* reader.rows("begin; declare c cursor for select id from app.users; fetch 1 from c")
      assert.strictEqual(yield* end, 0)
      yield* mine.superuser.rows(`alter role ${login.role} valid until '2020-01-01'`)
      assert.isAtLeast(yield* end, 1)
      assert.notStrictEqual(yield* stateOf(reader.rows("fetch 1 from c")), "fine")
      assert.strictEqual(yield* stateOf(stays.rows("select 1")), "fine")
      // Valid until its expiry, or until a row marks it as revoked.
      yield* mine.superuser.rows("update meta.readers set revoked_at = now() where role = $1", [other.role])
      assert.isAtLeast(yield* end, 1)
      assert.notStrictEqual(yield* stateOf(stays.rows("select 1")), "fine")
      yield* mine.superuser.rows("update meta.readers set revoked_at = null where role = $1", [other.role])
    }).pipe(Effect.scoped)
  )

  it.effect("connects to the database they were let in to and to no other of these roles, and fills no disk", () =>
    Effect.gen(function* () {
      const { login, reader } = yield* audited()
      const elsewhere = yield* migrated
      const url = new URL(Redacted.value(login.url))
      url.pathname = `/${elsewhere.name}`
      assert.include(
        yield* Effect.map(Effect.exit(Effect.scoped(open(Redacted.make(url.href)))), String),
        "permission denied for database"
      )
      yield* reader.rows("set work_mem = '64kB'")
      assert.strictEqual(yield* stateOf(reader.rows("set temp_file_limit = -1")), "42501")
      const big =
        "select count(*) from (select n, repeat('x', 1000) from generate_series(1, 400000) n order by 2, 1) sorted"
      assert.strictEqual(yield* stateOf(reader.rows(big)), "53400")
      const [limits] = yield* reader.rows(
        "select current_setting('statement_timeout') as statement, current_setting('idle_session_timeout') as idle, current_setting('work_mem', true) is not null as memory"
      )
      assert.deepStrictEqual(limits, { statement: "1min", idle: "1h", memory: true })
    }).pipe(Effect.scoped)
  )

  it.effect("is let in three times at once and not more", () =>
    Effect.gen(function* () {
      const { login } = yield* audited()
      yield* open(login.url)
      yield* open(login.url)
      assert.include(
        yield* Effect.map(Effect.exit(Effect.scoped(open(login.url))), String),
        "too many connections for role"
      )
    }).pipe(Effect.scoped)
  )

  it.effect("reads texts only where that was granted, and hashes, leases and keys never", () =>
    Effect.gen(function* () {
      const NEVER = [
        "select password_hash from app.credentials",
        "select secret_hash from app.api_keys",
        "select previous_hash from app.api_keys",
        "select user_id from app.credentials",
        "select lease_owner from app.generations",
        "select key from app.idempotency_keys",
        "select tokens from app.generation_chunks",
        "select token_lengths from app.messages",
        "select * from app.messages",
        "select m from app.messages m",
        "select to_jsonb(m) from app.messages m",
        "select row_to_json(g) from app.generations g",
        "table app.generations"
      ]
      const SAID = [
        "select content from app.messages",
        "select response from app.messages",
        "select title from app.conversations",
        "select comment from app.feedback",
        "select metadata from app.api_keys",
        "select id from app.messages where content like '%sauce%'",
        "select id from app.messages order by response",
        "select count(content) from app.messages",
        "copy app.messages (content) to stdout"
      ]
      const without = yield* audited()
      assert.deepStrictEqual(yield* states(without.reader, [...NEVER, ...SAID]), denied([...NEVER, ...SAID]))
      const granted = yield* audited(true)
      assert.deepStrictEqual(yield* states(granted.reader, NEVER), denied(NEVER))
      assert.deepStrictEqual(yield* states(granted.reader, SAID), Object.fromEntries(SAID.map((sql) => [sql, "fine"])))
      assert.strictEqual(yield* granted.reader.count("copy app.messages (content) to stdout"), 2)
      assert.deepStrictEqual(
        yield* granted.reader.rows("select tenant_id, content, response from app.messages where response is not null"),
        [{ tenant_id: granted.mine.tenant, content: SECRET, response: SECRET }]
      )
    }).pipe(Effect.scoped)
  )

  for (const script of readdirSync(join(DIRECTORY, "audit", "scripts"))) {
    it.effect(`runs sql/audit/scripts/${script}, and the installation's auditor too`, () =>
      Effect.gen(function* () {
        const { adminUrl, mine, reader, theirs } = yield* audited()
        const login = yield* Effect.acquireRelease(
          grantReader(adminUrl, { tenantId: undefined, content: false, lifetime: Duration.days(1), note: undefined }),
          ({ role }) => Effect.orDie(revokeReaders(adminUrl, { role }))
        )
        // Without psql's own commands.
        const text = readFileSync(join(DIRECTORY, "audit", "scripts", script), "utf8").replaceAll(/^\\.*$/gmu, "")
        const statements = text.split(";").filter((statement) => statement.includes("select"))
        assert.isAbove(statements.length, 5)
        for (const statement of statements) {
          const rows = JSON.stringify(yield* reader.rows(statement))
          assert.notInclude(rows, theirs.tenant)
          if (/audit\.(?:tenants|events)\b/u.test(statement)) assert.include(rows, mine.tenant)
          yield* Effect.scoped(Effect.flatMap(open(login.url), (auditor) => auditor.rows(statement)))
        }
      }).pipe(Effect.scoped)
    )
  }

  it.effect("needs a registered tenant: a role that only has such a name reads nothing", () =>
    Effect.gen(function* () {
      const { adminUrl, mine } = yield* audited()
      const { name } = yield* TestDatabase
      const role = `llm_reader_${randomUUID().slice(-12)}`
      yield* Effect.acquireRelease(
        mine.superuser.rows(
          `create role ${role} login inherit password 'x' valid until 'tomorrow' connection limit 3;
           grant llm_reader, llm_reader_content to ${role}; grant connect on database ${name} to ${role}`
        ),
        () => Effect.orDie(mine.superuser.rows(`drop owned by ${role}; drop role ${role}`))
      )
      const url = new URL(Redacted.value(adminUrl))
      url.username = role
      url.password = "x"
      const impostor = yield* open(Redacted.make(url.href))
      assert.deepStrictEqual(tenantsIn(yield* seen(impostor)), [])
      assert.deepStrictEqual(yield* impostor.rows("select content from app.messages"), [])
    }).pipe(Effect.scoped)
  )

  it.effect("can be made and removed by an administrator who is no superuser, too", () =>
    Effect.gen(function* () {
      const { adminUrl, name } = yield* TestDatabase
      const { superuser, tenant } = yield* busy
      const owner = `owner_of_${name}`
      yield* Effect.acquireRelease(
        superuser.rows(
          `create role ${owner} login createrole password 'owner';
           grant llm_owner, llm_auth, llm_reader, llm_reader_content to ${owner} with admin option;
           alter database ${name} owner to ${owner};`
        ),
        () =>
          Effect.orDie(
            superuser.rows(`reassign owned by ${owner} to current_user; drop owned by ${owner}; drop role ${owner}`)
          )
      )
      const url = new URL(Redacted.value(adminUrl))
      url.username = owner
      url.password = "owner"
      const owners = Redacted.make(url.href)
      const options = { tenantId: tenant, content: true, lifetime: Duration.days(1), note: undefined }
      const { role, url: readers } = yield* grantReader(owners, options)
      assert.deepStrictEqual(tenantsIn(yield* seen(yield* open(readers))), [tenant])
      assert.deepStrictEqual(yield* revokeReaders(owners, { tenantId: tenant }), [role])
      assert.strictEqual((yield* Effect.exit(Effect.scoped(open(readers))))._tag, "Failure")
    }).pipe(Effect.scoped)
  )

  it.effect("cannot be made for a tenant that does not exist", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestDatabase
      const failed = yield* Effect.flip(
        grantReader(adminUrl, {
          tenantId: TenantId.make(randomUUID()),
          content: false,
          lifetime: Duration.days(1),
          note: undefined
        })
      )
      assert.strictEqual(failed._tag, "TenantUnknown")
    })
  )
})

layer(TestDatabase.layer)("the installation's auditor", (it) => {
  const auditor = Effect.gen(function* () {
    const { adminUrl } = yield* TestDatabase
    const [one, two] = [yield* busy, yield* busy]
    yield* one.superuser.rows("analyze")
    const login = yield* Effect.acquireRelease(
      grantReader(adminUrl, { tenantId: undefined, content: false, lifetime: Duration.days(1), note: "a test" }),
      ({ role }) => Effect.orDie(revokeReaders(adminUrl, { role }))
    )
    return { one, two, session: yield* open(login.url), login, adminUrl }
  })

  it.effect("sees every tenant's metadata, and whether the rules are kept", () =>
    Effect.gen(function* () {
      const { one, session, two } = yield* auditor
      const found = yield* seen(session)
      for (const place of [
        "app.users",
        "app.messages",
        "audit.tenants",
        "audit.messages",
        "audit.events",
        "audit.tracking"
      ])
        assert.includeMembers([...(found[place] ?? [])], [one.tenant, two.tenant], place)
      for (const view of [
        "tables",
        "policies",
        "grants",
        "definer_functions",
        "role_risks",
        "migrations",
        "usage",
        "ledger",
        "postings",
        "balances",
        "usage_items",
        "logins"
      ])
        assert.isAbove(yield* session.count(`select from audit.${view}`), 0, view)
      assert.deepStrictEqual(yield* session.rows("select * from lint.findings()"), [])
    }).pipe(Effect.scoped)
  )

  it.effect("reads no text, no hash, no lease and no key, by any way", () =>
    Effect.gen(function* () {
      const { one, session } = yield* auditor
      yield* session.rows("set default_transaction_read_only = off")
      const columns = yield* one.superuser.rows(
        `select format('select %I from app.%I', a.attname, c.relname) as sql, format('%s.%s', c.relname, a.attname) as name
         from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where c.relnamespace = 'app'::regnamespace and c.relkind = 'r'`
      )
      const HIDDEN =
        /^(?:credentials|generation_chunks|idempotency_keys)\.|^(?:messages\.(?:content|response|token_lengths)|conversations\.title|feedback\.comment|generations\.lease_owner|api_keys\.(?:secret_hash|previous_hash|metadata))$/u
      const hidden = columns.filter(({ name }) => HIDDEN.test(String(name))).map(({ sql }) => String(sql))
      assert.isAbove(hidden.length, 18)
      const TRICKS = [
        ...hidden,
        ...[
          "llm_tenant",
          "llm_owner",
          "llm_auth",
          "llm_work",
          "llm_tracking",
          "llm_operator",
          "llm_reader_content",
          "llm_api",
          "postgres"
        ].map((role) => `set role ${role}`),
        "select * from app.messages",
        "select to_jsonb(m) from app.messages m",
        "select id from app.messages where content like 'the%'",
        "select response from app.messages limit 0",
        "copy app.messages to stdout",
        "create temporary view v as select content from app.messages",
        "create function audit.f() returns text language sql security definer as 'select content from app.messages'",
        "alter view audit.messages set (security_invoker = false)",
        "do $$ begin end $$",
        "select * from pg_stat_activity",
        "select * from pg_statistic",
        "select * from auth.login_candidates('x', null)",
        `select * from app.enter('${one.tenant}', '${one.admin.user}', 0, 'admin')`,
        "select * from audit.proof()",
        "update app.users set role = 'admin'",
        "delete from app.audit_events"
      ]
      assert.deepStrictEqual(yield* states(session, TRICKS), denied(TRICKS))
      assert.deepStrictEqual(
        yield* session.rows(
          "select * from pg_stats where schemaname = 'app' and attname in ('content', 'response', 'title', 'comment', 'password_hash')"
        ),
        []
      )
      const everything = yield* Effect.forEach(yield* readable(session), ({ place }) =>
        Effect.match(session.rows(`select * from ${String(place)}`), {
          onFailure: () => "",
          onSuccess: (rows) => JSON.stringify(rows)
        })
      )
      const text = everything.join("\n")
      assert.include(text, one.email)
      assert.notInclude(text, SECRET)
      assert.notInclude(text, "argon2")
    }).pipe(Effect.scoped)
  )

  it.effect("loses access when it ends, even in an open session", () =>
    Effect.gen(function* () {
      const { adminUrl, login, one, session } = yield* auditor
      yield* one.superuser.rows(`alter role ${login.role} valid until '2020-01-01'`)
      assert.deepStrictEqual(tenantsIn(yield* seen(session)), [])
      assert.deepStrictEqual(yield* revokeReaders(adminUrl, { tenantId: undefined }), [login.role])
      assert.notStrictEqual(yield* stateOf(session.rows("select 1")), "fine")
      assert.strictEqual((yield* Effect.exit(Effect.scoped(open(login.url))))._tag, "Failure")
    }).pipe(Effect.scoped)
  )
})

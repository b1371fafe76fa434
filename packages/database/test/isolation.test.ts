import { assert, layer } from "@effect/vitest"
import { about, report } from "@llm-saas/database/Isolation"
import { inspect } from "@llm-saas/database/isolation/DatabaseChecks"
import type { Inspection } from "@llm-saas/database/isolation/Inspection"
import { reused } from "@llm-saas/database/isolation/ReusedConnection"
import { connect, rows } from "@llm-saas/database/connections/Script"
import { TenantId } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import type { PgConnection } from "@effect/sql-pg"
import { Context, DateTime, Effect, Layer } from "effect"
import { office } from "./Questions.ts"

/**
 * One connection for all: its catalogue cache makes each further check three times as fast. In a server of its own, where no other file's
 * roles are found, and none is altered at the same time.
 */
class Administrator extends Context.Service<Administrator, PgConnection.PgConnection>()("test/Administrator") {
  static readonly layer = Layer.effect(
    Administrator,
    Effect.flatMap(TestDatabase, ({ adminUrl }) => connect(adminUrl))
  ).pipe(Layer.provideMerge(TestDatabase.layerAlone))
}

/** The findings, as the API, after this change to the schema; in a transaction that is rolled back, since roles belong to the server. */
const inspected = Effect.fnUntraced(function* (faults: ReadonlyArray<string>) {
  const connection = yield* Administrator
  const look = Effect.gen(function* () {
    for (const fault of faults) yield* rows(connection, fault)
    yield* rows(connection, "set local session authorization llm_api")
    return yield* inspect(connection)
  })
  return yield* Effect.andThen(rows(connection, "begin"), look).pipe(
    Effect.ensuring(Effect.ignore(rows(connection, "rollback")))
  )
})

const found = ({ findings }: Inspection) => [...new Set(findings.map(({ check }) => check))].sort()

const ADMIN = "an admin of another tenant"
const USER = "a user of another tenant"
const NO_ROOM = "no room"
const NO_ROOM_TENANT = "no room, as llm_tenant"

/** A function of ours with one part of its text replaced. */
const rewrite = (name: string, from: string, to: string) =>
  `do $do$ declare was text := pg_get_functiondef('${name}'::regproc); begin
     assert position($x$${from}$x$ in was) > 0, 'nothing to rewrite';
     execute replace(was, $x$${from}$x$, $x$${to}$x$);
   end $do$`

interface Fault {
  readonly what: string
  readonly how: ReadonlyArray<string>
  /** The checks that must notice; others may too. */
  readonly noticed: ReadonlyArray<string>
  /** At least one of these must, too: which one depends on what the session has planned before. */
  readonly either?: ReadonlyArray<string>
}

const FAULTS: ReadonlyArray<Fault> = [
  {
    what: "FORCE is dropped",
    how: ["alter table app.messages no force row level security"],
    noticed: ["table_without_force"]
  },
  {
    what: "row-level security is switched off",
    how: ["alter table app.messages disable row level security"],
    noticed: ["table_without_rls", ADMIN, USER, NO_ROOM_TENANT]
  },
  {
    what: "the wall of one table is dropped",
    how: ["drop policy tenant_wall on app.generations"],
    noticed: ["table_without_wall", ADMIN]
  },
  {
    what: "the wall says true",
    how: ["alter policy tenant_wall on app.users using (true) with check (true)"],
    noticed: ["table_without_wall", ADMIN]
  },
  {
    what: "the wall says true of what is written",
    how: ["alter policy tenant_wall on app.audit_events with check (true)"],
    noticed: ["table_without_wall", ADMIN, USER]
  },
  {
    what: "the wall is permissive, one among others",
    how: [
      "drop policy tenant_wall on app.tenants",
      "create policy tenant_wall on app.tenants to llm_tenant using (id = (select app.tenant_id())) with check (id = (select app.tenant_id()))"
    ],
    noticed: ["table_without_wall", ADMIN, USER]
  },
  {
    what: "the wall is around another role",
    how: ["alter policy tenant_wall on app.messages to llm_jobs"],
    noticed: ["table_without_wall", ADMIN]
  },
  {
    what: "the wall at psql asks a setting",
    how: ["alter policy reader_wall on app.messages using (tenant_id = (select app.tenant_id()))"],
    noticed: ["table_without_wall"]
  },
  {
    what: "a table is new, and outside",
    how: [
      "create table app.parcels (tenant_id uuid not null, id uuid, primary key (tenant_id, id))",
      "grant select, insert, update, delete on app.parcels to llm_tenant"
    ],
    noticed: ["owner_unknown", "table_without_rls", "table_without_wall", ADMIN, USER, NO_ROOM_TENANT]
  },
  {
    what: "a policy is for PUBLIC",
    how: ["create policy everybody on app.users using (true)"],
    noticed: ["policy_for_public"]
  },
  {
    what: "a policy is for a role outside the walls",
    how: ["create policy shortcut on app.users to llm_api using (true)"],
    noticed: ["policy_without_wall", "login"]
  },
  {
    what: "the API reads without a room",
    how: ["grant select on app.users to llm_api"],
    noticed: ["grant_outside_the_room", NO_ROOM]
  },
  {
    what: "every user reads",
    how: ["grant select on app.messages to public"],
    noticed: ["grant_outside_the_room", NO_ROOM]
  },
  {
    what: "the room's role looks past the policies",
    how: ["alter role llm_tenant bypassrls"],
    noticed: ["role_past_row_security", "login", ADMIN, USER, NO_ROOM_TENANT]
  },
  {
    what: "the API's login looks past the policies",
    how: ["alter role llm_api bypassrls"],
    noticed: ["role_past_row_security", "login"]
  },
  {
    what: "the API's login is a superuser",
    how: ["alter role llm_api superuser"],
    noticed: ["role_past_row_security", "login", NO_ROOM]
  },
  {
    what: "the API's login may become the owner",
    how: ["grant llm_owner to llm_api"],
    noticed: ["role_past_row_security", "login"]
  },
  {
    what: "the room's role has the rights of the work",
    how: ["alter role llm_tenant inherit", "grant llm_work to llm_tenant"],
    noticed: ["role_past_row_security", "login"]
  },
  {
    what: "a person has them",
    how: [
      "create role analyst login",
      "grant llm_work to analyst",
      "do $$ begin execute format('grant connect on database %I to analyst', current_database()); end $$"
    ],
    noticed: ["member_unknown"]
  },
  {
    what: "a stranger to us reads a table",
    how: ["create role analyst login bypassrls", "grant select on app.messages to analyst"],
    noticed: ["grant_to_stranger"]
  },
  {
    what: "a table belongs to the API",
    how: ["alter table app.feedback owner to llm_api"],
    noticed: ["owner_unknown", "login"]
  },
  {
    what: "a function runs as its owner, with the caller's search_path",
    how: [
      "create function auth.peek() returns bigint language sql security definer as 'select count(*) from app.users'",
      "alter function auth.peek() owner to llm_auth"
    ],
    noticed: ["definer_without_search_path"]
  },
  {
    what: "a function runs as an administrator",
    how: [
      "create function app.peek() returns bigint language sql security definer set search_path = pg_catalog, pg_temp as 'select count(*) from app.users'"
    ],
    noticed: ["definer_not_of_llm_auth", "function_for_public", "owner_unknown"]
  },
  {
    what: "a function is called before the policies",
    how: [
      "create function app.spy(x text) returns boolean language sql leakproof as 'select true'",
      "revoke all on function app.spy(text) from public",
      "alter function app.spy(text) owner to llm_owner"
    ],
    noticed: ["function_leakproof"]
  },
  {
    what: "a key is unique across tenants",
    how: ["create unique index users_email_once on app.users (email)"],
    noticed: ["unique_without_tenant"]
  },
  {
    what: "a foreign key deletes a tenant's rows with the tenant",
    how: [
      "alter table app.audit_events drop constraint audit_events_tenant_id_fkey",
      "alter table app.audit_events add foreign key (tenant_id) references app.tenants (id) on delete cascade"
    ],
    noticed: ["foreign_key_takes_tenant_along"]
  },
  {
    what: "a foreign key points anywhere",
    how: [
      "alter table app.users add unique (id)",
      "alter table app.feedback add foreign key (user_id) references app.users (id)"
    ],
    noticed: ["foreign_key_without_tenant", "unique_without_tenant"]
  },
  {
    what: "a view reads with its owner's rights",
    how: ["create view app.everybody as select * from app.users", "grant select on app.everybody to llm_tenant"],
    noticed: ["view_without_security_invoker", "owner_unknown", ADMIN, USER, NO_ROOM_TENANT]
  },
  {
    what: "a materialized view keeps all tenants' rows",
    how: [
      "create materialized view app.everybody as select tenant_id, email from app.users with data",
      "grant select on app.everybody to llm_tenant"
    ],
    noticed: ["table_without_rls", "view_without_security_invoker"]
  },
  {
    what: "a copy lies elsewhere",
    how: [
      "create schema copies",
      "create table copies.users as table app.users",
      "grant usage on schema copies to llm_tenant",
      "grant select on copies.users to llm_tenant"
    ],
    noticed: ["grant_elsewhere"]
  },
  {
    what: "the room's role may empty a table",
    how: ["grant truncate on app.feedback to llm_tenant"],
    noticed: ["grant_past_row_security", ADMIN]
  },
  {
    what: "a hash can be read",
    how: ["grant select (password_hash) on app.credentials to llm_tenant"],
    noticed: ["column_for_nobody"]
  },
  {
    what: "an auditor reads what was said",
    how: ["grant select (content) on app.messages to llm_auditor"],
    noticed: ["column_for_nobody"]
  },
  {
    what: "an auditor writes",
    how: ["grant update (revoked_at) on meta.readers to llm_reader"],
    noticed: ["auditor_writes"]
  },
  {
    what: "a tenant is there before any room",
    how: ["alter role llm_api set app.tenant_id = '00000000-0000-4000-8000-000000000000'"],
    noticed: ["setting_in_the_way"]
  },
  {
    what: "a room outlives its transaction",
    how: [rewrite("app.enter", "p_tenant::text, true)", "p_tenant::text, false)")],
    noticed: ["setting_past_transaction"]
  },
  {
    what: "a second room can be entered",
    how: [rewrite("app.enter", "if inside <> '' and", "if false and")],
    noticed: ["a second tenant is entered"]
  },
  {
    what: "a room opens to users of other tenants",
    how: [rewrite("app.enter", "if enter.role is null then", "if false then")],
    noticed: ["another tenant's user enters", "an unknown user enters"]
  },
  {
    what: "the room is everywhere",
    how: [
      "create or replace function app.tenant_id() returns uuid language sql stable return '00000000-0000-4000-8000-000000000000'::uuid"
    ],
    noticed: ["identity_rewritten"],
    either: ["the trial itself", "their own room"]
  },
  {
    what: "who is at psql is a setting",
    how: [
      "create or replace function app.reader_tenant() returns uuid language sql stable return current_setting('app.reader', true)::uuid"
    ],
    noticed: ["identity_rewritten"]
  },
  {
    what: "a rule rewrites what is asked",
    how: [
      "create rule elsewhere as on insert to app.feedback do also insert into app.idempotency_keys select * from app.idempotency_keys"
    ],
    noticed: ["table_with_rule"]
  },
  {
    what: "users read each other's questions",
    how: ["drop policy own_or_admin on app.messages"],
    noticed: ["catalogue", "another user of the tenant"]
  },
  {
    what: "an admin asks in a user's name",
    how: ["drop policy own_add on app.messages"],
    noticed: ["catalogue", "another admin of the tenant"]
  },
  {
    what: "an admin knows a user's idempotency keys",
    how: ["drop policy own on app.idempotency_keys"],
    noticed: ["catalogue", "another admin of the tenant", "another user of the tenant"]
  },
  {
    what: "statistics are collected",
    how: [
      "insert into app.tenants (id, name) select gen_random_uuid(), 'a name of the customer ' || n from generate_series(1, 50) n",
      "alter table app.tenants alter column name set statistics 100",
      "analyze app.tenants"
    ],
    noticed: ["statistics_across_tenants", "row estimates"]
  },
  {
    what: "statistics were collected, and stayed",
    how: [
      "insert into app.tenants (id, name) select gen_random_uuid(), 'a name of the customer ' || n from generate_series(1, 50) n",
      "alter table app.tenants alter column name set statistics 100",
      "analyze app.tenants",
      "alter table app.tenants alter column name set statistics 0"
    ],
    noticed: ["row estimates"]
  },
  {
    what: "a sequence counts for all tenants",
    how: ["alter table app.messages add column number bigserial"],
    noticed: ["sequence_across_tenants", "their own room"]
  }
]

layer(Administrator.layer, { timeout: "120 seconds" })("the isolation of tenants", (it) => {
  it.effect("is complete: every rule, and every verb on every table by each login that must not get through", () =>
    Effect.gen(function* () {
      const whole = yield* inspected([])
      assert.deepStrictEqual(whole.findings, [])
      const { adminUrl } = yield* TestDatabase
      const connection = yield* connect(adminUrl)
      const [counts] = yield* rows(
        connection,
        `select (select count(*)::int from pg_class where relnamespace = 'app'::regnamespace and relkind = 'r') as tables,
           (select count(*)::int from pg_class where relnamespace = 'lint'::regnamespace and relkind = 'v') as rules`
      )
      const tried = Object.fromEntries(whole.checks.map(({ name, tried }) => [name, tried]))
      const { rules, tables } = Object(counts)
      const lints = whole.checks.filter(({ kind, name }) => kind === "rule" && name !== "login" && name !== "catalogue")
      assert.strictEqual(lints.length, rules)
      assert.isAbove(tried["catalogue"] ?? 0, 900)
      assert.strictEqual(tried["their own room"], tables)
      for (const context of [ADMIN, USER, NO_ROOM, NO_ROOM_TENANT]) assert.strictEqual(tried[context], tables * 10)
    }).pipe(Effect.scoped)
  )

  it.effect("leaves nothing behind, even outside a transaction", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestDatabase
      const connection = yield* connect(adminUrl)
      yield* rows(connection, "set session authorization llm_api")
      yield* inspect(connection)
      yield* rows(connection, "reset session authorization")
      const [left] = yield* rows(
        connection,
        `select (select count(*)::int from app.tenants) + (select count(*)::int from app.audit_events) as rows,
           current_setting('app.tenant_id', true) as tenant, current_user::text as who`
      )
      assert.deepInclude(left, { rows: 0, tenant: "" })
    }).pipe(Effect.scoped)
  )

  for (const { either, how, noticed, what } of FAULTS) {
    it.effect(`is not whole where ${what}`, () =>
      Effect.gen(function* () {
        const checks = found(yield* inspected(how))
        assert.includeMembers(checks, [...noticed])
        if (either !== undefined)
          assert.isTrue(
            either.some((check) => checks.includes(check)),
            checks.join()
          )
      })
    )
  }

  it.effect("is not reported complete by a login that may not look", () =>
    Effect.gen(function* () {
      const { adminUrl, apiUrl } = yield* TestDatabase
      const admin = yield* connect(adminUrl)
      yield* rows(admin, "revoke execute on function lint.findings(), audit.proof() from llm_api")
      const looked = yield* inspect(yield* connect(apiUrl))
      assert.deepStrictEqual(found(looked), ["catalogue", "rules", "trials"])
      assert.include(looked.findings.find(({ check }) => check === "rules")?.detail, "permission denied for function")
    }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer, { local: true }))
  )

  it.effect("is tested as the API's role or not at all", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestDatabase
      const connection = yield* connect(adminUrl)
      const looked = yield* inspect(connection)
      assert.includeMembers(found(looked), ["trials", "login"])
    }).pipe(Effect.scoped)
  )
})

layer(TestDatabase.layer)("a connection used again", (it) => {
  const visit = Effect.gen(function* () {
    const { adminUrl, apiUrl } = yield* TestDatabase
    const { alice } = yield* office
    const connection = yield* connect(apiUrl)
    const visitor = { tenantId: TenantId.make(alice.tenant), userId: UserId.make(alice.user), tokenEpoch: 0 }
    return { adminUrl, connection, visitor }
  })

  it.effect("knows nothing of the room it was in, however that ended", () =>
    Effect.gen(function* () {
      const { connection, visitor } = yield* visit
      const inspection = yield* reused(connection, visitor)
      assert.deepStrictEqual(inspection.findings, [])
      const paper = report(yield* about(connection), yield* DateTime.now, [inspection])
      assert.deepInclude({ ...paper }, { ok: true, login: "llm_api" })
    }).pipe(Effect.scoped)
  )

  it.effect("is reported where it does, and where the room was not entered at all", () =>
    Effect.gen(function* () {
      const { adminUrl, connection, visitor } = yield* visit
      const absent = yield* reused(connection, { ...visitor, userId: UserId.make(visitor.tenantId) })
      assert.deepStrictEqual(
        absent.findings.map(({ object }) => object),
        ["before commit", "before rollback", "before error"]
      )
      const admin = yield* connect(adminUrl)
      yield* rows(admin, rewrite("app.enter", "p_tenant::text, true)", "p_tenant::text, false)"))
      yield* rows(admin, rewrite("app.enter", "'llm_tenant', true)", "'llm_tenant', false)"))
      const kept = yield* reused(connection, visitor)
      assert.include(
        kept.findings.map(({ object }) => object),
        "after commit"
      )
      assert.include(kept.findings[0]?.detail, `role llm_tenant, tenant '${visitor.tenantId}'`)
    }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer, { local: true }))
  )
})

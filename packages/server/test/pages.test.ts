import { assert, layer } from "@effect/vitest"
import { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import { Pool } from "@llm-saas/database/connections/Pool"
import { Tenancy } from "@llm-saas/database/Tenancy"
import { Conversations } from "@llm-saas/engine/messages/Conversations"
import { Generations } from "@llm-saas/engine/generations/Generations"
import { Messages } from "@llm-saas/engine/messages/Messages"
import { PasswordHasher } from "@llm-saas/engine/accounts/PasswordHasher"
import { PasswordRules } from "@llm-saas/engine/accounts/PasswordRules"
import { InvitationLimit } from "@llm-saas/engine/accounts/InvitationLimit"
import { Invitations } from "@llm-saas/engine/accounts/Invitations"
import { Keys } from "@llm-saas/engine/accounts/Keys"
import { Mails } from "@llm-saas/engine/accounts/Mails"
import { OneTimeTokens } from "@llm-saas/engine/accounts/OneTimeTokens"
import { ServiceAccounts } from "@llm-saas/engine/accounts/ServiceAccounts"
import { Users } from "@llm-saas/engine/accounts/Users"
import { KeyId } from "@llm-saas/domain/ApiKey"
import { ConversationId } from "@llm-saas/domain/Conversation"
import { MessageId } from "@llm-saas/domain/Message"
import { GenerationId } from "@llm-saas/domain/Generation"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { as, engine, question, newUser } from "@llm-saas/testing/EngineFixture"
import { Effect, Layer, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import pg from "pg"

// What the engine asks for a page must be answered from an index in its order, whatever the planner has been told of the tables. The
// statements are those the engine sends, looked at on their way, and not copies of them.

interface Statement {
  readonly sql: string
  readonly params: ReadonlyArray<unknown>
}
let sent: Array<Statement> = []

const listening = (pool: Pool["Service"]) =>
  Pool.of({
    ...pool,
    query: (sql, params, line) =>
      Effect.suspend(() => {
        sent.push({ sql, params })
        return pool.query(sql, params, line)
      }),
    write: (sql, params, line) =>
      Effect.suspend(() => {
        sent.push({ sql, params })
        return pool.write(sql, params, line)
      }),
    use: (work, line) =>
      pool.use(
        (connection) =>
          work({
            ...connection,
            query: (sql, params, prepare) => {
              sent.push({ sql, params: params ?? [] })
              return connection.query(sql, params, prepare)
            }
          }),
        line
      )
  })

const world = Layer.mergeAll(Users.layer, Keys.layer, ServiceAccounts.layer, Invitations.layer).pipe(
  Layer.provideMerge(engine({}, 3, listening)),
  Layer.provide([Layer.mock(PasswordHasher, {}), Layer.mock(PasswordRules, {}), Layer.mock(InvitationLimit, {})]),
  Layer.provide([Layer.mock(OneTimeTokens, {}), Layer.mock(Mails, {})]),
  Layer.provideMerge(TestDatabase.layer)
)

/** Rows of each table for a user with a long history, and for others. */
const LONG = 4000
/** So many index entries and rows may be looked at for a page of 100, with the account of each and whether it is deleted. */
const LOOKED = 2000

const administrator = Effect.gen(function* () {
  const { adminUrl } = yield* TestDatabase
  const client = new pg.Client({ connectionString: Redacted.value(adminUrl) })
  yield* Effect.acquireRelease(
    Effect.promise(() => client.connect()),
    () => Effect.promise(() => client.end())
  )
  return (sql: string, params?: ReadonlyArray<unknown>) =>
    Effect.map(
      Effect.promise(() => (params === undefined ? client.query(sql) : client.query(sql, [...params]))),
      ({ rows }) => rows
    )
})

/** Ids in the order of time, which differ in their first digits from others' (`digit`). */
const idOf = (digit: string, n: string) => `('0190000${digit}-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`

const history = (tenant: string, user: string, talk: string | null, digit: string, count: number) => `
  insert into app.messages (tenant_id, id, user_id, conversation_id, content, response, token_lengths)
    select '${tenant}', ${idOf(digit, "n")}, '${user}', ${talk === null ? "null" : `'${talk}'`}, 'q', 'a', '{1}' from generate_series(1, ${count}) n;
  insert into app.generations (tenant_id, id, message_id, user_id, conversation_id, source, provider, model, status, lease_owner,
      approx_tokens_in, prompt_length, trace_id, created_at, admitted_at, ended_at)
    select '${tenant}', ${idOf(digit, "n")}, ${idOf(digit, "n")}, '${user}', ${talk === null ? "null" : `'${talk}'`}, 'rpc', 'p', 'm', 'completed',
      gen_random_uuid(), 1, 1, repeat('a', 32), now(), now(), now() from generate_series(1, ${count}) n;`

/** A key with a long history, of which one answer is of this month; another one of this month. */
const KEY = KeyId.make("01900005-0000-7000-8000-000000000042")
const OTHER = KeyId.make("01900007-0000-7000-8000-000000000042")

const keys = (tenant: string, user: string, digit: string, count: number) => `
  insert into app.api_keys (tenant_id, id, user_id, public_id, secret_hash, name, scopes)
    select '${tenant}', ${idOf(digit, "n")}, '${user}', lpad(n::text, 16, '0'), sha256(('${user}' || n)::bytea), 'k', '{chat}'
    from generate_series(1, ${count}) n;`

/** A tenant with a user who has a long history, one with a short one, both in a conversation; and many users and conversations. */
const office = Effect.gen(function* () {
  const admin = yield* newUser()
  const [long, short] = [yield* newUser(admin.tenantId), yield* newUser(admin.tenantId)]
  const stranger = yield* newUser()
  const talk = ConversationId.make("01900000-0000-7000-8000-00000000aaaa")
  const little = ConversationId.make("01900000-0000-7000-8000-00000000bbbb")
  const conversation = (user: string, id: string) =>
    `insert into app.conversations (tenant_id, id, user_id) values ('${admin.tenantId}', '${id}', '${user}');`
  const fill = `set session_replication_role = replica;
    ${conversation(long.userId, talk)} ${conversation(short.userId, little)}
    ${history(admin.tenantId, long.userId, talk, "1", LONG)}
    ${history(admin.tenantId, short.userId, little, "0", 150)}
    ${history(admin.tenantId, long.userId, null, "2", LONG)}
    ${history(stranger.tenantId, stranger.userId, null, "3", LONG)}
    insert into app.conversations (tenant_id, id, user_id)
      select '${admin.tenantId}', ${idOf("4", "n")}, '${long.userId}' from generate_series(1, ${LONG}) n;
    insert into app.users (tenant_id, id, email, role)
      select '${admin.tenantId}', ${idOf("4", "n")}, 'n' || n || '@example.com', 'user' from generate_series(1, ${LONG}) n;
    insert into app.invitations (tenant_id, id, email, role, invited_by, expires_at)
      select '${admin.tenantId}', ${idOf("4", "n")}, 'i' || n || '@example.com', 'user', '${admin.userId}', now() from generate_series(1, ${LONG}) n;
    insert into app.users (tenant_id, id, email, role, kind, name)
      select '${admin.tenantId}', ${idOf("6", "n")}, 's' || n || '@service.invalid', 'user', 'service', 's' from generate_series(1, ${LONG}) n;
    ${keys(admin.tenantId, long.userId, "5", LONG)} ${keys(admin.tenantId, short.userId, "0", 150)} ${keys(stranger.tenantId, stranger.userId, "7", LONG)}
    update app.generations set key_id = '${KEY}', created_at = now() + interval '1 second' where id = ${idOf("0", "42")};
    update app.generations set key_id = '${KEY}', created_at = now() - interval '40 days' where user_id = '${long.userId}';
    update app.generations set key_id = '${OTHER}' where tenant_id = '${stranger.tenantId}';`
  return { admin: { ...admin, needs: "admin" as const }, long, short, talk, little, fill }
})

/** Statements that mislead the planner, before the rows are inserted and after. */
const STATISTICS: Readonly<Record<string, { readonly before: string; readonly after: string }>> = {
  "none at all": { before: "", after: "" },
  "of empty tables": { before: "analyze", after: "" },
  "that are right": { before: "", after: "analyze" },
  "of tables that were said to be empty": {
    before: "",
    after: "analyze; update pg_class set reltuples = 0 where RELS"
  },
  "of a thousand times more rows": {
    before: "",
    after: "analyze; update pg_class set reltuples = reltuples * 1000 where RELS"
  },
  "of a hundredth of the rows": {
    before: "",
    after: "analyze; update pg_class set reltuples = reltuples / 100 where RELS"
  },
  "of rows that are all different": {
    before: `do $$ declare t record; begin for t in select c.oid::regclass as place, a.attname from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname in ('tenant_id', 'user_id', 'conversation_id', 'message_id')
        where c.relnamespace = 'app'::regnamespace and c.relkind = 'r' loop
      execute format('alter table %s alter %I set (n_distinct = -1)', t.place, t.attname); end loop; end $$`,
    after: "analyze"
  },
  "of rows that are all the same": {
    before: `do $$ declare t record; begin for t in select c.oid::regclass as place, a.attname from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname in ('tenant_id', 'user_id', 'conversation_id', 'message_id')
        where c.relnamespace = 'app'::regnamespace and c.relkind = 'r' loop
      execute format('alter table %s alter %I set (n_distinct = 1)', t.place, t.attname); end loop; end $$`,
    after: "analyze"
  }
}
const RELS = "relnamespace = 'app'::regnamespace and relkind in ('r', 'i')"

/** Index entries and rows that a statement looks at, planned without knowing its parameters and knowing them: the most of both. */
const looked = Effect.fnUntraced(function* (statements: ReadonlyArray<Statement>) {
  const run = yield* administrator
  const total = Effect.map(
    run(`select sum(pg_stat_get_xact_tuples_returned(oid) + pg_stat_get_xact_tuples_fetched(oid))::int as n
      from pg_class where relnamespace = 'app'::regnamespace`),
    ([row]) => Number(row["n"])
  )
  // As the program's login has them.
  const settings = yield* run(
    "select format('set %s;', replace(s, '=', ' = ')) as it from pg_roles, unnest(rolconfig) s where rolname = 'llm_api' and s like 'enable%'"
  )
  const enter = statements.find(({ sql }) => sql.includes("app.enter("))
  let most = 0
  for (const mode of ["force_generic_plan", "force_custom_plan"]) {
    yield* run(
      `set session authorization llm_api; ${settings.map(({ it }) => it).join(" ")} set plan_cache_mode = ${mode}; begin`
    )
    if (enter !== undefined) yield* run(enter.sql, enter.params)
    for (const { params, sql } of statements) {
      // An event has an id, and is written once.
      if (/^(?:begin|commit)|app\.enter\(|into app\.audit_events/u.test(sql)) continue
      const before = yield* total
      // It was asked already: the same once more, under other ids.
      yield* run(
        sql,
        sql.includes("app.ask(")
          ? params.with(
              5,
              JSON.stringify({ ...JSON.parse(String(params[5])), id: randomUUID(), message_id: randomUUID() })
            )
          : params
      )
      most = Math.max(most, (yield* total) - before)
    }
    yield* run("rollback; reset session authorization")
  }
  return most
}, Effect.scoped)

for (const [what, { after, before }] of Object.entries(STATISTICS)) {
  layer(world, { timeout: "120 seconds" })(`with statistics ${what}`, (it) => {
    it.effect(
      "every page, and everything looked up by its id, is read on its index",
      () =>
        Effect.gen(function* () {
          const { admin, fill, little, long, short, talk } = yield* office
          const execute = yield* administrator
          yield* execute(
            `do $$ declare t record; begin for t in select oid::regclass as place from pg_class where relnamespace = 'app'::regnamespace and relkind = 'r' loop
             execute format('alter table %s set (autovacuum_enabled = false)', t.place); end loop; end $$`
          )
          if (before !== "") yield* execute(before)
          yield* execute(fill)
          yield* execute(after.replace("RELS", RELS))

          const tenancy = yield* Tenancy
          const messages = yield* Messages
          const conversations = yield* Conversations
          const generations = yield* Generations
          const users = yield* Users
          const apiKeys = yield* Keys
          const services = yield* ServiceAccounts
          const invitations = yield* Invitations
          const access = yield* PreTenantAccess
          const page = { limit: 100, cursor: undefined }
          const middle = { limit: 100, cursor: "01900001-0000-7000-8000-000000000999" }
          const asks = [
            ["one's own profile", tenancy.readFunction("own_profile", undefined).pipe(as(long))],
            ...[long, short].flatMap((who) =>
              [page, middle].flatMap(
                (at) =>
                  [
                    ["own keys", apiKeys.list({ ...at, scope: "own" }).pipe(as(who))],
                    ["own messages", messages.page({ ...at, scope: "own" }).pipe(as(who))],
                    ["own conversations", conversations.list(at).pipe(as(who))]
                  ] as const
              )
            ),
            ...[page, middle].flatMap(
              (at) =>
                [
                  ["the tenant's messages", messages.page({ ...at, scope: "tenant" }).pipe(as(admin))],
                  ["the tenant's keys", apiKeys.list({ ...at, scope: "tenant" }).pipe(as(admin))],
                  ["the tenant's service accounts", services.list(at).pipe(as(admin))],
                  ["the tenant's invitations", invitations.list(admin.tenantId, at).pipe(as(admin))],
                  ["the tenant's users", users.list(admin.tenantId, at).pipe(as(admin))],
                  ["a long conversation", conversations.messages(talk, at).pipe(as(long))],
                  ["a short conversation", conversations.messages(little, at).pipe(as(short))]
                ] as const
            ),
            ["a key", apiKeys.get(KEY).pipe(as(long))],
            ["a changed key", apiKeys.change(KEY, { name: "changed" }).pipe(as(long))],
            ["a rotated key", apiKeys.rotate(KEY, { graceSeconds: 0 }).pipe(as(long))],
            [
              "what was asked with a key",
              apiKeys.current.pipe(as({ ...long, key: { id: KEY, scopes: [], models: null, expiresAt: null } }))
            ],
            ["the key of a request", access.key("00".repeat(32), undefined)],
            ["a message", messages.get(MessageId.make("01900001-0000-7000-8000-000000000042")).pipe(as(long))],
            ["a generation", generations.get(GenerationId.make("01900001-0000-7000-8000-000000000042")).pipe(as(long))],
            [
              "a question in a long conversation",
              generations.ask(question("Why?", { conversationId: talk })).pipe(as(long))
            ],
            ["a cancel", generations.cancel(GenerationId.make("01900001-0000-7000-8000-000000000042")).pipe(as(long))]
          ] as const
          const costs: Record<string, number> = {}
          for (const [name, ask] of asks) {
            sent = []
            yield* ask as Effect.Effect<unknown>
            costs[name] = Math.max(costs[name] ?? 0, yield* looked(sent))
          }
          const beyond = Object.entries(costs).filter(([, rows]) => rows > LOOKED)
          assert.deepStrictEqual(beyond, [])
          assert.isAbove(costs["own messages"] ?? 0, 200)
        }).pipe(Effect.scoped),
      120_000
    )
  })
}

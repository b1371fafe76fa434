import { assert, layer } from "@effect/vitest"
import { grantReader, revokeReaders } from "@llm-saas/database/logins/AuditorLogins"
import { connect, rows, run } from "@llm-saas/database/connections/Script"
import { readSqlFiles } from "@llm-saas/database/SqlFiles"
import { TenantId } from "@llm-saas/domain/Tenant"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Duration, Effect } from "effect"
import { asked, office, room } from "./Questions.ts"
import { open, type Session } from "./Session.ts"

/** Two tenants, with rows that PostgreSQL would collect statistics about. */
const busy = Effect.gen(function* () {
  const [mine, theirs] = [yield* office, yield* office]
  for (const { alice, api } of [mine, theirs])
    for (let n = 0; n < 5; n++) yield* asked(api, alice, { content: `the recipe of the sauce, part ${n}` })
  yield* mine.superuser.rows(
    "insert into app.users (tenant_id, id, email, role) select $1, gen_random_uuid(), n || '@example.com', 'user' from generate_series(1, 2000) n",
    [theirs.alice.tenant]
  )
  return { mine, theirs, superuser: mine.superuser }
})

const COLLECTED = `
  select format('%s.%s', s.starelid::regclass, a.attname) as place from pg_statistic s
  join pg_class c on c.oid = s.starelid join pg_attribute a on a.attrelid = c.oid and a.attnum = s.staattnum
  where c.relnamespace in ('app'::regnamespace, 'operator'::regnamespace, 'meta'::regnamespace) order by 1`

/** Restores PostgreSQL's default statistics target on every column. */
const COLLECT = `
  do $$ declare place record; begin
    for place in select c.oid::regclass as name, a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relnamespace = 'app'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
    loop execute format('alter table %s alter column %I set statistics -1', place.name, place.attname); end loop;
  end $$;
  analyze`

/** Runs the files about statistics, as a migration does. */
const applied = Effect.fnUntraced(function* (as: string) {
  const { adminUrl } = yield* TestDatabase
  const files = yield* readSqlFiles()
  const connection = yield* connect(adminUrl)
  yield* rows(connection, "begin")
  yield* rows(connection, `set local session authorization ${as}`)
  // Policies read the columns whose statistics are removed: a migration builds them again.
  for (const file of [files.clean, ...files.rebuilt.filter(({ path }) => path.startsWith("statistics/"))]) {
    yield* rows(connection, "set local role llm_owner")
    yield* run(connection, file)
  }
  yield* rows(connection, "reset session authorization")
  const left = yield* rows(connection, COLLECTED)
  const targets = yield* rows(
    connection,
    `select count(*)::int as some from pg_attribute a join pg_class c on c.oid = a.attrelid left join pg_index i on i.indexrelid = c.oid
     where c.relnamespace = 'app'::regnamespace and a.attnum > 0 and not a.attisdropped and coalesce(a.attstattarget, -1) <> 0
       and (c.relkind = 'r' or c.relkind = 'i' and i.indkey[a.attnum - 1] = 0)`
  )
  yield* rows(connection, "rollback")
  return { left, targets }
})

const estimate = (session: Session, where: string) =>
  Effect.map(session.rows(`explain (format json) select id from app.users where ${where}`), ([row]) =>
    JSON.stringify(Object(row)["QUERY PLAN"][0].Plan["Plan Rows"])
  )

layer(TestDatabase.layer)("statistics about tenants' rows", (it) => {
  it.effect("are not collected by any role's ANALYZE", () =>
    Effect.gen(function* () {
      const { superuser } = yield* busy
      yield* superuser.rows("analyze")
      assert.deepStrictEqual(yield* superuser.rows(COLLECTED), [])
      const [counted] = yield* superuser.rows(
        "select reltuples::int as some from pg_class where oid = 'app.users'::regclass"
      )
      assert.isAbove(Number(counted?.["some"]), 0, "rows are counted")
    }).pipe(Effect.scoped)
  )

  it.effect("do not tell a user in a room, or an auditor, whether a value is another tenant's", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestDatabase
      const { mine, superuser, theirs } = yield* busy
      const login = yield* Effect.acquireRelease(
        grantReader(adminUrl, {
          tenantId: TenantId.make(mine.alice.tenant),
          content: true,
          lifetime: Duration.days(1),
          note: undefined
        }),
        ({ role }) => Effect.orDie(revokeReaders(adminUrl, { role }))
      )
      const reader = yield* open(login.url)
      const GUESSES = [
        [`email = '${theirs.alice.user}@example.com'`, "email = 'no such address'"],
        [`email < '${theirs.alice.user}'`, `email < '${theirs.alice.user}z'`, "email < ''"],
        [`id = '${theirs.alice.user}'`, "id = '00000000-0000-4000-8000-000000000000'"],
        ["created_at < '2000-01-01'", "created_at < '2500-01-01'", "created_at < now()"],
        ["role = 'admin'", "role = 'user'", "role = 'nobody'"]
      ]
      const differ = Effect.fnUntraced(function* (session: Session) {
        const differing: Array<string> = []
        for (const guesses of GUESSES) {
          const told = yield* Effect.forEach(guesses, (guess) => estimate(session, guess))
          if (new Set(told).size > 1) differing.push(`${guesses.join(", ")}: ${told.join()}`)
        }
        return differing
      })
      yield* superuser.rows("analyze")
      assert.deepStrictEqual(yield* differ(reader), [])
      assert.deepStrictEqual(yield* room(mine.api, mine.alice, differ(mine.api)), [])
      // The guesses are good ones: with statistics each of them would reveal it.
      yield* superuser.rows(COLLECT)
      assert.isAtLeast((yield* differ(reader)).length, 2)
    }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer, { local: true }))
  )

  it.effect("that were collected before are removed, also of indexes on expressions and of tables added later", () =>
    Effect.gen(function* () {
      const { superuser } = yield* busy
      yield* superuser.rows(
        `create table app.parcels (tenant_id uuid, id uuid, label text, primary key (tenant_id, id));
         alter table app.parcels owner to llm_owner;
         create index on app.parcels (tenant_id, upper(label));
         create index on app.users (tenant_id, lower(email));
         insert into app.parcels select gen_random_uuid(), gen_random_uuid(), 'x' || n from generate_series(1, 100) n;
         create statistics app.together on role, status from app.users; alter statistics app.together owner to llm_owner;
         ${COLLECT}`
      )
      assert.isAbove((yield* superuser.rows(COLLECTED)).length, 20)
      assert.deepStrictEqual(yield* applied("default"), { left: [], targets: [{ some: 0 }] })
    }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer, { local: true }))
  )

  it.effect("are removed where the administrator is no superuser", () =>
    Effect.gen(function* () {
      const { name } = yield* TestDatabase
      const { superuser } = yield* busy
      const owner = `forgets_${name}`
      yield* superuser.rows(
        `create role ${owner}; grant llm_owner, llm_auth, llm_work, llm_tracking, llm_operator to ${owner}; alter database ${name} owner to ${owner}`
      )
      yield* Effect.addFinalizer(() =>
        Effect.orDie(superuser.rows(`alter database ${name} owner to current_user; drop role ${owner}`))
      )
      yield* superuser.rows(`create index on app.users (tenant_id, lower(email)); ${COLLECT}`)
      assert.isAbove((yield* superuser.rows(COLLECTED)).length, 20)
      assert.deepStrictEqual(yield* applied(owner), { left: [], targets: [{ some: 0 }] })
    }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer, { local: true }))
  )
})

import { assert, describe, it } from "@effect/vitest"
import { tables } from "@llm-saas/database/catalogue/Catalogue"
import * as Databases from "@llm-saas/database/backup/Databases"
import { migrate, status } from "@llm-saas/database/migrations/Migrations"
import { planRollback, rollback } from "@llm-saas/database/migrations/Rollback"
import { connect, run } from "@llm-saas/database/connections/Script"
import { DIRECTORY, readSqlFiles } from "@llm-saas/database/SqlFiles"
import { dumpSchema } from "@llm-saas/database/migrations/SchemaDump"
import * as TestDatabase from "@llm-saas/testing/TestDatabase"
import { Effect, type Redacted } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { plant } from "./SampleRows.ts"
import { open } from "./Session.ts"

const found = (url: Redacted.Redacted, sql: string) => Effect.map(Databases.execute(url, sql), ({ rows }) => rows)

/** Tables with their columns, constraints and indexes, whatever the order of columns. */
const structure = (url: Redacted.Redacted) =>
  found(
    url,
    `select c.oid::regclass::text as place,
       array(select format('%s %s %s %s', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid))
         from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attname)::text as columns,
       array(select format('%s %s', conname, pg_get_constraintdef(oid)) from pg_constraint where conrelid = c.oid and contype <> 'n' order by 1)::text as constraints,
       array(select pg_get_indexdef(indexrelid) from pg_index where indrelid = c.oid order by 1)::text as indexes
     from pg_class c where c.relnamespace in ('app'::regnamespace, 'operator'::regnamespace, 'meta'::regnamespace) and c.relkind in ('r', 'p')
       and c.oid not in ('meta.migrations'::regclass, 'meta.repeatables'::regclass)
     order by 1`
  )

/** The tables as they were at a version, made by the migrations up to it and nothing else. */
const structureAt = Effect.fnUntraced(function* (version: number) {
  const { adminUrl } = yield* TestDatabase.empty
  const { migrations, roles } = yield* readSqlFiles()
  const connection = yield* connect(adminUrl)
  for (const file of [...roles, ...migrations.filter((migration) => migration.version <= version)])
    yield* run(connection, {
      ...file,
      text: `${file.path.startsWith("roles/") ? "" : "set local role llm_owner;"}${file.text}`
    })
  return yield* structure(adminUrl)
})

describe("every migration", () => {
  it.effect(
    "has a way back, which leaves the tables as they were before it, and forward again all is as it was",
    () =>
      Effect.gen(function* () {
        const { migrations } = yield* readSqlFiles()
        for (const { down, path } of migrations)
          assert.isDefined(down, `${path} has no way back: write ${path.replace(/sql$/u, "down.sql")}`)
        const { adminUrl } = yield* TestDatabase.migrated
        const session = yield* open(adminUrl)
        const all = yield* Effect.scoped(Effect.flatMap(connect(adminUrl), tables))
        yield* plant(session, all)
        for (const { name } of all) assert.isAbove(yield* session.count(`select from app.${name}`), 0, name)

        for (const { name, version } of migrations.toReversed()) {
          const undone = yield* rollback(adminUrl, { yes: true })
          assert.deepStrictEqual([undone.version, undone.name], [version, name])
          assert.deepStrictEqual(
            yield* structure(adminUrl),
            yield* structureAt(version - 1),
            `after ${version} ${name}`
          )
        }
        assert.match((yield* Effect.flip(rollback(adminUrl))).message, /nothing to roll back/u)
        yield* migrate(adminUrl)
        assert.strictEqual(yield* dumpSchema(adminUrl), readFileSync(join(DIRECTORY, "schema.sql"), "utf8"))
      }).pipe(Effect.scoped),
    120_000
  )

  it.effect(
    "keeps what it can on the way back and forward: tenants, users, questions and answers",
    () =>
      Effect.gen(function* () {
        const { adminUrl } = yield* TestDatabase.migrated
        const session = yield* open(adminUrl)
        yield* plant(session, yield* Effect.scoped(Effect.flatMap(connect(adminUrl), tables)))
        const kept = () =>
          Effect.forEach(["tenants", "users", "credentials", "conversations", "messages", "generations"], (table) =>
            session.rows(
              `select tenant_id, id from (select ${table === "tenants" ? "id as tenant_id, id" : table === "credentials" ? "tenant_id, user_id as id" : "tenant_id, id"} from app.${table}) as every`
            )
          )
        const before = yield* kept()
        const { migrations } = yield* readSqlFiles()
        for (const { version } of migrations.toReversed()) if (version > 2) yield* rollback(adminUrl, { yes: true })
        assert.strictEqual((yield* status(adminUrl)).version, 2)
        assert.deepStrictEqual(yield* kept(), before)
        yield* migrate(adminUrl)
        assert.deepStrictEqual(yield* kept(), before)
        assert.deepStrictEqual(
          yield* session.rows(
            "select count(*)::int as n from app.generation_chunks c join app.generations g on g.id = c.generation_id and g.user_id = c.user_id"
          ),
          [{ n: 1 }]
        )
      }).pipe(Effect.scoped),
    120_000
  )
})

describe("going back", () => {
  it.effect("is refused while programs are connected, and where it loses data, unless both are asked for", () =>
    Effect.gen(function* () {
      const { adminUrl, apiUrl } = yield* TestDatabase.migrated
      const { migrations } = yield* readSqlFiles()
      // Down to one that loses data.
      while ((yield* planRollback(adminUrl)).loses === undefined) yield* rollback(adminUrl)
      const { migration } = yield* planRollback(adminUrl)
      const { version } = yield* status(adminUrl)
      assert.strictEqual(migration.version, version)
      const lossy = yield* Effect.flip(rollback(adminUrl))
      assert.match(lossy.message, new RegExp(`^undoing ${version} \\S+ loses .*--yes$`, "u"))

      // CONNECT is a grant of the database's, which stays.
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* open(apiUrl)
          assert.strictEqual((yield* planRollback(adminUrl)).connections, 1)
          const used = yield* Effect.flip(rollback(adminUrl, { yes: true }))
          assert.match(used.message, /^programs are running: 1 connection of llm_api and llm_jobs\..*--force$/u)
          assert.strictEqual((yield* status(adminUrl)).version, version)
          yield* rollback(adminUrl, { yes: true, force: true })
        })
      )
      assert.isBelow((yield* status(adminUrl)).version, version)
      assert.isAbove(migrations.length, 5)
    }).pipe(Effect.scoped)
  )

  it.effect("below the list of auditors at psql is refused while they can log in", () =>
    Effect.gen(function* () {
      const { adminUrl, name } = yield* TestDatabase.migrated
      while ((yield* status(adminUrl)).version > 5) yield* rollback(adminUrl, { yes: true })
      const reader = `llm_auditor_${name.slice(-12)}`
      // Other databases of the server see the role too: it has the limits that `audit:grant` gives.
      yield* Effect.acquireRelease(
        found(adminUrl, `create role ${reader} login valid until 'tomorrow' connection limit 3`),
        () => Effect.ignore(found(adminUrl, `drop role ${reader}`))
      )
      yield* found(adminUrl, `insert into meta.readers (role, content) values ('${reader}', false)`)
      const refused = yield* Effect.flip(rollback(adminUrl, { yes: true }))
      assert.include(refused.message, reader)
      assert.include(refused.message, "audit:revoke")
      yield* found(adminUrl, "update meta.readers set revoked_at = now()")
      assert.strictEqual((yield* rollback(adminUrl, { yes: true })).version, 5)
    }).pipe(Effect.scoped)
  )
})

import { assert, describe, it } from "@effect/vitest"
import { PgConnection } from "@effect/sql-pg"
import * as Databases from "@llm-saas/database/backup/Databases"
import { prepareLogin } from "@llm-saas/database/logins/LoginRole"
import { migrate, status } from "@llm-saas/database/migrations/Migrations"
import { rollback } from "@llm-saas/database/migrations/Rollback"
import { newMigration } from "@llm-saas/database/migrations/NewMigration"
import { psqlLine } from "@llm-saas/database/Psql"
import { dumpSchema } from "@llm-saas/database/migrations/SchemaDump"
import { DIRECTORY } from "@llm-saas/database/SqlFiles"
import * as TestDatabase from "@llm-saas/testing/TestDatabase"
import { Effect, Exit, Redacted } from "effect"
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { open } from "./Session.ts"

/** The version `sql/` is at: what the tests add comes after it, however many there are by now. */
const LATEST = Math.max(...readdirSync(join(DIRECTORY, "migrations")).map((name) => Number(name.slice(0, 4))))

/** `migrations/NNNN_name`, the `place`th after those there are. */
const later = (place: number, name: string) => `migrations/${String(LATEST + place).padStart(4, "0")}_${name}.sql`

/** A copy of `sql/` to put more migrations into. */
const files = Effect.acquireRelease(
  Effect.sync(() => {
    const directory = mkdtempSync(join(tmpdir(), "llm-saas-sql-"))
    cpSync(DIRECTORY, directory, { recursive: true })
    return {
      directory,
      write: (path: string, text: string) => writeFileSync(join(directory, path), text),
      append: (path: string, text: string) => appendFileSync(join(directory, path), text),
      remove: (path: string) => rmSync(join(directory, path))
    }
  }),
  ({ directory }) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

const PARCELS =
  "create table app.parcels (tenant_id uuid not null references app.tenants (id), id uuid not null, size integer not null, primary key (tenant_id, id));\n"

/** The visible state: the dump, and the rows of the history. */
const picture = (url: Redacted.Redacted) =>
  Effect.scoped(
    Effect.gen(function* () {
      const session = yield* open(url)
      const [has] = yield* session.rows("select to_regclass('meta.migrations') is not null as it")
      return has?.["it"] === true
        ? [
            yield* dumpSchema(url),
            yield* session.rows("select version, checksum from meta.migrations"),
            yield* session.rows("table meta.repeatables")
          ]
        : yield* session.rows(
            "select nspname from pg_namespace where nspname in ('app', 'auth', 'work', 'tracking', 'operator', 'audit', 'lint', 'meta')"
          )
    })
  )

const failure = <A, E>(work: Effect.Effect<A, E>) => Effect.flip(work)

describe("migrating", () => {
  it.effect("an empty database gets everything, and a second time nothing", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestDatabase.empty
      const before = yield* status(adminUrl)
      assert.deepStrictEqual([before.state, before.version], ["behind", 0])
      const first = yield* migrate(adminUrl)
      assert.deepStrictEqual(first.applied[0], { version: 1, name: "tenants" })
      assert.strictEqual((yield* status(adminUrl)).state, "current")
      assert.deepStrictEqual(yield* migrate(adminUrl), {
        version: first.version,
        applied: [],
        rebuilt: false,
        mended: [],
        foreign: []
      })
    }).pipe(Effect.scoped)
  )

  it.effect("by two processes at once, one does it and the other finds it done", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestDatabase.empty
      const reports = yield* Effect.all([migrate(adminUrl), migrate(adminUrl)], { concurrency: "unbounded" })
      assert.deepStrictEqual(reports.map((report) => report.rebuilt).sort(), [false, true])
      assert.strictEqual((yield* status(adminUrl)).state, "current")
    }).pipe(Effect.scoped)
  )

  it.effect("two databases of one server at once does no harm, though roles belong to both", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* TestDatabase.empty, yield* TestDatabase.empty]
      const reports = yield* Effect.all([migrate(one.adminUrl), migrate(two.adminUrl)], { concurrency: "unbounded" })
      assert.deepStrictEqual(
        reports.map((report) => report.rebuilt),
        [true, true]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("that fails half way leaves nothing half done, and names the file and the line", () =>
    Effect.gen(function* () {
      const { append, directory, write } = yield* files
      const { adminUrl } = yield* TestDatabase.empty
      write(later(1, "parcels"), `${PARCELS}\nselect\n  nonsense;\n`)
      const error = yield* failure(migrate(adminUrl, { directory }))
      assert.strictEqual(error.message, `${later(1, "parcels")}:4: column "nonsense" does not exist`)
      assert.deepStrictEqual([error.reason, error.state], ["statement", "42703"])
      assert.deepStrictEqual(yield* picture(adminUrl), [])

      yield* migrate(adminUrl)
      const before = yield* picture(adminUrl)
      yield* failure(migrate(adminUrl, { directory }))
      assert.deepStrictEqual(yield* picture(adminUrl), before)

      write(later(1, "parcels"), PARCELS)
      append("policies/20_tenant.sql", "create policy oops on app.nowhere using (true);\n")
      assert.strictEqual((yield* failure(migrate(adminUrl, { directory }))).file, "policies/20_tenant.sql")
      assert.deepStrictEqual(yield* picture(adminUrl), before)

      write(later(1, "parcels"), `${PARCELS}commit;\n`)
      assert.strictEqual((yield* failure(migrate(adminUrl, { directory }))).file, later(1, "parcels"))
      assert.deepStrictEqual(yield* picture(adminUrl), before)
    }).pipe(Effect.scoped)
  )

  it.effect("that breaks a rule is taken back whole, and names the rule and the offender", () =>
    Effect.gen(function* () {
      const { directory, write } = yield* files
      const { adminUrl } = yield* TestDatabase.migrated
      const before = yield* picture(adminUrl)
      write(later(1, "parcels"), `${PARCELS}create unique index parcels_by_size on app.parcels (size);\n`)
      const error = yield* failure(migrate(adminUrl, { directory }))
      assert.strictEqual(error.reason, "lint")
      assert.include(error.message, "unique_without_tenant: app.parcels_by_size: tenant_id among its columns")
      assert.deepStrictEqual(yield* picture(adminUrl), before)
    }).pipe(Effect.scoped)
  )

  it.effect("that makes a table of no tenant names the table and what it lacks", () =>
    Effect.gen(function* () {
      const { directory, write } = yield* files
      const { adminUrl } = yield* TestDatabase.migrated
      write(later(1, "parcels"), "create table app.parcels (id uuid primary key, size integer);\n")
      const error = yield* failure(migrate(adminUrl, { directory }))
      assert.strictEqual(error.reason, "lint")
      assert.include(error.message, "table_without_tenant: app.parcels: tenant_id uuid not null")
    }).pipe(Effect.scoped)
  )

  it.effect("a new table puts it behind the wall, whatever its migration says", () =>
    Effect.gen(function* () {
      const { directory, write } = yield* files
      const { adminUrl } = yield* TestDatabase.migrated
      write(
        later(1, "parcels"),
        `${PARCELS}create policy everybody on app.parcels using (true);\ngrant select on app.parcels to public;\n`
      )
      assert.deepStrictEqual((yield* migrate(adminUrl, { directory })).applied, [
        { version: LATEST + 1, name: "parcels" }
      ])
      const dump = yield* dumpSchema(adminUrl)
      assert.include(dump, "create policy tenant_wall on app.parcels as restrictive for all to llm_tenant")
      assert.include(
        dump,
        "alter table app.parcels owner to llm_owner, enable row level security, force row level security;"
      )
      assert.notInclude(dump, "policy everybody")
      assert.notInclude(dump, "to public")
    }).pipe(Effect.scoped)
  )

  it.effect("data that it would not see, behind FORCE, fails instead of doing nothing", () =>
    Effect.gen(function* () {
      const { directory, write } = yield* files
      const { adminUrl } = yield* TestDatabase.migrated
      write(later(1, "rename"), "update app.tenants set name = 'x';\n")
      assert.strictEqual((yield* failure(migrate(adminUrl, { directory }))).state, "42501")
      write(
        later(1, "rename"),
        "alter table app.tenants no force row level security;\nupdate app.tenants set name = 'x';\nalter table app.tenants force row level security;\n"
      )
      yield* migrate(adminUrl, { directory })
    }).pipe(Effect.scoped)
  )

  it.effect("objects removed from the files are removed from the database", () =>
    Effect.gen(function* () {
      const { append, directory } = yield* files
      const { adminUrl } = yield* TestDatabase.migrated
      const before = yield* dumpSchema(adminUrl)
      append("functions/10_room.sql", "create function app.later() returns integer language sql return 1;\n")
      append(
        "policies/20_tenant.sql",
        "create policy later on app.users as restrictive for select to llm_tenant using (true);\n"
      )
      append("grants/20_tables.sql", "grant update (email) on app.users to llm_tenant;\n")
      append("audit/20_activity.sql", "create view audit.later with (security_invoker = true) as select 1 as one;\n")
      assert.strictEqual((yield* status(adminUrl, { directory })).state, "behind")
      assert.deepStrictEqual(yield* migrate(adminUrl, { directory }), {
        version: LATEST,
        applied: [],
        rebuilt: true,
        mended: [],
        foreign: []
      })
      assert.notStrictEqual(yield* dumpSchema(adminUrl), before)
      yield* migrate(adminUrl)
      assert.strictEqual(yield* dumpSchema(adminUrl), before)
    }).pipe(Effect.scoped)
  )
})

describe("the history", () => {
  it.effect("refuses a migration that changed after it was applied, and one numbered below", () =>
    Effect.gen(function* () {
      const { append, directory, remove, write } = yield* files
      const { adminUrl } = yield* TestDatabase.migrated
      write(later(2, "parcels"), PARCELS)
      yield* migrate(adminUrl, { directory })
      write(later(1, "late"), "select 1;\n")
      const late = yield* failure(migrate(adminUrl, { directory }))
      assert.deepStrictEqual(late.reason, "history")
      assert.include(late.message, later(1, "late"))
      remove(later(1, "late"))
      append(later(2, "parcels"), "-- and a word\n")
      assert.include((yield* failure(migrate(adminUrl, { directory }))).message, later(2, "parcels"))
      assert.strictEqual((yield* status(adminUrl, { directory })).state, "changed")
      // As a checkout on Windows has it, it is the same file.
      write(later(2, "parcels"), PARCELS.replaceAll("\n", "\r\n"))
      assert.strictEqual((yield* status(adminUrl, { directory })).state, "current")
    }).pipe(Effect.scoped)
  )

  it.effect("tells code that is older than the schema, and whether that breaks it", () =>
    Effect.gen(function* () {
      const { directory, write } = yield* files
      const { adminUrl, apiUrl } = yield* TestDatabase.migrated
      write(later(1, "parcels"), PARCELS)
      yield* migrate(adminUrl, { directory })
      const ahead = yield* status(apiUrl)
      assert.deepStrictEqual([ahead.state, ahead.version, ahead.codeVersion], ["ahead", LATEST + 1, LATEST])
      write(later(2, "break"), "-- breaking\nalter table app.parcels drop column size;\n")
      yield* migrate(adminUrl, { directory })
      assert.strictEqual((yield* status(apiUrl)).state, "incompatible")
      assert.strictEqual((yield* failure(migrate(adminUrl))).reason, "history")
      assert.strictEqual((yield* status(apiUrl, { directory })).state, "current")
    }).pipe(Effect.scoped)
  )

  it.effect("goes back one step where there is a way back, and forward again", () =>
    Effect.gen(function* () {
      const { directory, write } = yield* files
      const { adminUrl } = yield* TestDatabase.migrated
      const before = yield* dumpSchema(adminUrl)
      write(later(1, "parcels"), PARCELS)
      write(
        "functions/40_parcels.sql",
        "create function app.parcels() returns bigint language sql begin atomic select count(*) from app.parcels; end;\n"
      )
      yield* migrate(adminUrl, { directory })
      const after = yield* dumpSchema(adminUrl)
      assert.include((yield* failure(rollback(adminUrl, { directory }))).message, "has no .down.sql")
      write(later(1, "parcels.down"), "drop table app.parcels;\n")
      assert.strictEqual((yield* rollback(adminUrl, { directory })).name, "parcels")
      const { state, version } = yield* status(adminUrl, { directory })
      assert.deepStrictEqual([state, version], ["behind", LATEST])
      yield* migrate(adminUrl)
      assert.strictEqual(yield* dumpSchema(adminUrl), before)
      yield* migrate(adminUrl, { directory })
      assert.strictEqual(yield* dumpSchema(adminUrl), after)
    }).pipe(Effect.scoped)
  )
})

describe("the files", () => {
  it.effect("are refused with two migrations of one number, a strange name, or a way back from nowhere", () =>
    Effect.gen(function* () {
      const { directory, remove, write } = yield* files
      const { adminUrl } = yield* TestDatabase.empty
      for (const name of ["0001_again.sql", "second.sql", "0001_nothing.down.sql"]) {
        write(`migrations/${name}`, "select 1;\n")
        const error = yield* failure(status(adminUrl, { directory }))
        assert.deepStrictEqual(
          [error.reason, error.file],
          ["files", `migrations/${name === "0001_again.sql" ? "0001_tenants.sql" : name}`]
        )
        remove(`migrations/${name}`)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("get a new migration with the next number", () =>
    Effect.gen(function* () {
      const { directory } = yield* files
      const { adminUrl } = yield* TestDatabase.migrated
      const next = String((yield* status(adminUrl)).codeVersion + 1).padStart(4, "0")
      const path = yield* newMigration("Add parcels, and more!", { directory })
      assert.strictEqual(path, join(directory, "migrations", `${next}_add_parcels_and_more.sql`))
      assert.strictEqual((yield* migrate(adminUrl, { directory })).applied[0]?.name, "add_parcels_and_more")
      assert.strictEqual((yield* failure(newMigration("…", { directory }))).reason, "files")
    }).pipe(Effect.scoped)
  )

  it.effect("make the schema that sql/schema.sql shows; after a change on purpose: npm run db:schema", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestDatabase.migrated
      assert.strictEqual(yield* dumpSchema(adminUrl), readFileSync(join(DIRECTORY, "schema.sql"), "utf8"))
    }).pipe(Effect.scoped)
  )
})

describe("who migrates", () => {
  it.effect("need not be a superuser: the database's owner with CREATEROLE makes the same schema", () =>
    Effect.gen(function* () {
      const { adminUrl, name } = yield* TestDatabase.empty
      const superuser = yield* open(adminUrl)
      const owner = `owner_of_${name}`
      // Roles of the server that an earlier administrator made are given to this one, as such a server would have it.
      yield* migrate((yield* TestDatabase.empty).adminUrl)
      yield* Effect.acquireRelease(
        superuser.rows(
          `create role ${owner} login createrole password 'owner';
           do $$ declare ours name; begin
             for ours in select rolname from pg_roles where rolname like 'llm\\_%' loop
               execute format('grant %I to ${owner} with admin option', ours);
             end loop;
           end $$;
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
      assert.strictEqual((yield* migrate(Redacted.make(url.href))).rebuilt, true)
      const schema = readFileSync(join(DIRECTORY, "schema.sql"), "utf8")
      assert.strictEqual(yield* dumpSchema(adminUrl), schema)
    }).pipe(Effect.scoped)
  )

  it.effect("is told in one line when the server is not there, or does not let them in", () =>
    Effect.gen(function* () {
      const { apiUrl } = yield* TestDatabase.empty
      const gone = yield* failure(migrate(Redacted.make("postgres://nobody:hunter2@127.0.0.1:1/nothing")))
      assert.strictEqual(gone.reason, "unreachable")
      assert.notInclude(gone.message, "hunter2")
      const powerless = yield* failure(migrate(apiUrl))
      assert.deepStrictEqual([powerless.reason, powerless.state], ["statement", "42501"])
    }).pipe(Effect.scoped)
  )

  it.effect("gives the API's login a password that works, without telling it to the server", () =>
    Effect.gen(function* () {
      // The password belongs to the server's other databases too: the one they have is set again.
      const { adminUrl, apiUrl } = yield* TestDatabase.migrated
      const password = Redacted.make(new URL(Redacted.value(apiUrl)).password)
      const url = yield* prepareLogin(adminUrl, "api", password)
      assert.strictEqual(Redacted.value(url), Redacted.value(apiUrl))
      const result = yield* Databases.execute(url, "select current_user::text as me")
      assert.deepStrictEqual(result.rows, [{ me: "llm_api" }])
      assert.strictEqual((yield* failure(prepareLogin(adminUrl, "api", Redacted.make("p\u00e4ss")))).reason, "files")
      const wrong = new URL(Redacted.value(apiUrl))
      wrong.password = "wrong"
      assert.isTrue(
        Exit.isFailure(yield* Effect.exit(Effect.scoped(PgConnection.make({ url: Redacted.make(wrong.href) }))))
      )
      assert.strictEqual(
        psqlLine(Redacted.make("postgres://me:it's@localhost/db")),
        "psql 'postgresql://me:it%27s@localhost:5432/db'"
      )
    }).pipe(Effect.scoped)
  )
})

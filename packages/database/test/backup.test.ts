import { assert, describe, it } from "@effect/vitest"
import { backup, restore } from "@llm-saas/database/backup/Backup"
import { tables } from "@llm-saas/database/catalogue/Catalogue"
import * as Databases from "@llm-saas/database/backup/Databases"
import { asLogin, format, read } from "@llm-saas/database/logins/DatabaseUrl"
import { inspect } from "@llm-saas/database/isolation/DatabaseChecks"
import { prepareLogin } from "@llm-saas/database/logins/LoginRole"
import { migrate, status } from "@llm-saas/database/migrations/Migrations"
import * as PgPrograms from "@llm-saas/database/backup/PgPrograms"
import { grantReader } from "@llm-saas/database/logins/AuditorLogins"
import { roleNames, Roles } from "@llm-saas/database/logins/Roles"
import { dumpSchema } from "@llm-saas/database/migrations/SchemaDump"
import { connect } from "@llm-saas/database/connections/Script"
import { DIRECTORY } from "@llm-saas/database/SqlFiles"
import { Duration, Effect, Redacted } from "effect"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { localServer, noServer, program } from "@llm-saas/testing/LocalServer"
import { plant } from "./SampleRows.ts"
import { open } from "./Session.ts"

const PATIENCE = 180_000

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "llm-saas-test-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const found = (url: Redacted.Redacted, sql: string) => Effect.map(Databases.execute(url, sql), ({ rows }) => rows)

/** A database and its owner as a provider gives them: the owner makes roles, and is no superuser. */
const managed = Effect.fnUntraced(function* (server: Redacted.Redacted, name: string) {
  yield* found(server, `create role ${name} login createrole password 'owner'`)
  yield* Databases.create(server, `db_${name}`)
  yield* found(server, `alter database db_${name} owner to ${name}`)
  return asLogin(Databases.urlOf(server, `db_${name}`), name, Redacted.make("owner"))
})

const catalogue = (url: Redacted.Redacted) => Effect.scoped(Effect.flatMap(connect(url), tables))

/** Rows of two tenants in every table, and more of one of them. */
const filled = Effect.fnUntraced(function* (superuser: Redacted.Redacted) {
  const session = yield* open(superuser)
  const all = yield* catalogue(superuser)
  yield* plant(session, all)
  yield* plant(session, all)
  yield* session.rows(
    "update app.messages set content = E'naïve ''quoted'' \\\\ \\t\\n line' where content is not null"
  )
  return yield* content(superuser)
})

/** Everything in every table, as text. */
const content = Effect.fnUntraced(function* (superuser: Redacted.Redacted) {
  const session = yield* open(superuser)
  const all = yield* catalogue(superuser)
  return Object.fromEntries(
    yield* Effect.forEach(all, ({ name }) =>
      Effect.map(session.rows(`select to_jsonb(t)::text as row from app.${name} t order by 1`), (rows) => [
        name,
        rows.map(({ row }) => row)
      ])
    )
  )
})

const schema = readFileSync(join(DIRECTORY, "schema.sql"), "utf8")

/** Whether tenants are kept apart, as the API's own login finds. */
const isolated = Effect.fnUntraced(function* (admin: Redacted.Redacted) {
  const connection = yield* connect(yield* prepareLogin(admin, "api", Redacted.make("of-the-api")))
  const { checks, findings } = yield* inspect(connection)
  assert.deepStrictEqual(findings, [])
  assert.isAbove(checks.length, 40)
})

describe.skipIf(noServer)("a backup", () => {
  it.live(
    "by an owner who is no superuser has every row, and on another server becomes the same database, apart as before",
    () =>
      Effect.gen(function* () {
        const [here, there] = [yield* localServer, yield* localServer]
        const owner = yield* managed(here.url, "owner")
        yield* migrate(owner)
        const superuser = Databases.urlOf(here.url, "db_owner")
        const before = yield* filled(superuser)
        const options = { tenantId: undefined, content: false, lifetime: Duration.days(1), note: "before" }
        const reader = yield* grantReader(superuser, options)
        const file = join(yield* directory, "a backup #1.dump")
        const said: Array<string> = []

        const made = yield* backup(owner, file, (line) => said.push(line))
        assert.strictEqual(made.bytes, statSync(file).size)
        assert.strictEqual(statSync(file).mode & 0o777, 0o600)
        assert.includeMembers(said, ["app.users", "app.messages", "meta.readers"])
        assert.strictEqual(made.tables, said.length)
        assert.deepStrictEqual(readdirSync(join(file, "..")), ["a backup #1.dump"])
        // Never over another one.
        assert.match((yield* Effect.flip(backup(owner, file))).message, /is there already/u)

        const elsewhere = yield* managed(there.url, "other_owner")
        const progress: Array<string> = []
        const report = yield* restore(elsewhere, file, { progress: (line) => progress.push(line) })
        assert.strictEqual(report.version, (yield* status(elsewhere)).codeVersion)
        assert.strictEqual(report.readers, 1)
        assert.includeMembers(progress, ["app.users", "app.messages"])
        const copy = Databases.urlOf(there.url, "db_other_owner")
        assert.deepStrictEqual(yield* content(copy), before)
        assert.strictEqual(yield* dumpSchema(copy), schema)
        assert.deepStrictEqual(yield* found(copy, "select role::text from meta.readers where revoked_at is null"), [])
        assert.deepStrictEqual(yield* found(copy, `select role::text from meta.readers`), [{ role: reader.role }])
        yield* isolated(elsewhere)
        assert.strictEqual((yield* migrate(elsewhere)).rebuilt, false)
        // And a backup of the restored one.
        yield* backup(elsewhere, `${file}.2`)
        assert.match((yield* Effect.flip(restore(elsewhere, file))).message, /not empty/u)
      }).pipe(Effect.scoped),
    PATIENCE
  )

  it.live(
    "by a superuser is restored under another prefix, beside the first installation",
    () =>
      Effect.gen(function* () {
        const { url } = yield* localServer
        yield* Databases.create(url, "first")
        const first = Databases.urlOf(url, "first")
        yield* migrate(first)
        const before = yield* filled(first)
        yield* isolated(first)
        const file = join(yield* directory, "first.dump")
        yield* backup(first, file)
        yield* Databases.create(url, "second")
        const second = Databases.urlOf(url, "second")
        const other = Effect.provideService(Roles, roleNames("second_"))
        yield* other(restore(second, file))
        assert.deepStrictEqual(yield* content(second), before)
        yield* other(isolated(second))
        yield* isolated(first)
      }).pipe(Effect.scoped),
    PATIENCE
  )

  it.live(
    "made and restored by other tools, without roles, owners or privileges, is repaired by migrate",
    () =>
      Effect.gen(function* () {
        const [here, there] = [yield* localServer, yield* localServer]
        yield* Databases.create(here.url, "source")
        const source = Databases.urlOf(here.url, "source")
        yield* migrate(source)
        const before = yield* filled(source)
        const file = join(yield* directory, "plain.dump")
        const pg = (name: string, args: ReadonlyArray<string>, url: Redacted.Redacted) =>
          PgPrograms.run({ path: program(name), major: 15 }, args, { url })
        yield* pg("pg_dump", ["--format=custom", `--file=${file}`], source)
        for (const [name, ...args] of [
          ["plain"],
          ["no_owner", "--no-owner"],
          ["nothing", "--no-owner", "--no-acl"]
        ] as const) {
          yield* Databases.create(there.url, name)
          const copy = Databases.urlOf(there.url, name)
          // It reports the missing roles, and goes on.
          yield* Effect.ignore(pg("pg_restore", [...args, file], copy))
          assert.deepStrictEqual(yield* content(copy), before, name)
          assert.strictEqual((yield* status(copy)).state, "current")
          assert.strictEqual((yield* migrate(copy)).rebuilt, true, name)
          assert.strictEqual(yield* dumpSchema(copy), schema, name)
          assert.deepStrictEqual(yield* content(copy), before)
          yield* isolated(copy)
          assert.strictEqual((yield* migrate(copy)).rebuilt, false, name)
          // The first one made the roles: remove them again for the next.
          yield* Databases.drop(there.url, name)
          for (const role of Object.values(roleNames("llm_")).filter((each) => each !== "llm_"))
            yield* found(there.url, `drop role ${role}`)
        }
      }).pipe(Effect.scoped),
    PATIENCE
  )

  it.live(
    "that is none, or incomplete, changes nothing and reports it in one line",
    () =>
      Effect.gen(function* () {
        const { url } = yield* localServer
        yield* Databases.create(url, "target")
        const target = Databases.urlOf(url, "target")
        const place = yield* directory
        const file = (name: string, text: string | Buffer) => {
          writeFileSync(join(place, name), text)
          return join(place, name)
        }
        assert.match((yield* Effect.flip(backup(target, join(place, "none.dump")))).message, /nothing of this program/u)
        assert.isFalse(existsSync(join(place, "none.dump")))
        assert.match((yield* Effect.flip(restore(target, join(place, "gone")))).message, /^there is no file/u)
        for (const broken of [
          file("empty", ""),
          file("text", "create table x ();\n"),
          file("binary", Buffer.alloc(5000, 7))
        ]) {
          const { message } = yield* Effect.flip(restore(target, broken))
          assert.match(message, /pg_restore failed: ./u)
          assert.notInclude(message, "\n")
        }
        yield* Databases.create(url, "strange")
        const strange = Databases.urlOf(url, "strange")
        yield* found(strange, "create table theirs (id integer)")
        const theirs = join(place, "theirs")
        yield* PgPrograms.run({ path: program("pg_dump"), major: 15 }, ["-Fc", `--file=${theirs}`], { url: strange })
        assert.match((yield* Effect.flip(restore(target, theirs))).message, /no backup of this program/u)

        yield* Databases.create(url, "source")
        const source = Databases.urlOf(url, "source")
        yield* migrate(source)
        yield* filled(source)
        const whole = join(place, "whole")
        yield* backup(source, whole)
        const half = file("half", readFileSync(whole).subarray(0, -2000))
        yield* Effect.flip(restore(target, half))
        assert.deepStrictEqual(yield* found(target, "select from pg_namespace where nspname = 'app'"), [])
        // A row that is hidden from the backup stops it; there is no file.
        yield* found(source, "drop policy backup_rows on app.users; ")
        yield* found(source, "revoke select on app.messages from llm_backup")
        assert.match((yield* Effect.flip(backup(source, join(place, "less")))).message, /permission denied/u)
        assert.isFalse(existsSync(join(place, "less")))
        const unreachable = Redacted.make(Redacted.value(format({ ...read(source), port: 1 })))
        assert.match((yield* Effect.flip(backup(unreachable, join(place, "x")))).message, /not running/u)
      }).pipe(Effect.scoped),
    PATIENCE
  )
})

describe("the programs of a backup", () => {
  it.effect("that are missing or too old are named, with what to install", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(PgPrograms.find("pg_dump", 99))
      assert.match(message, /^pg_dump of PostgreSQL 99 or newer is needed .*postgresql-client-99/u)
      assert.notInclude(message, "\n")
    })
  )
})

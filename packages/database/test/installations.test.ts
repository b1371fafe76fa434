import { assert, describe, it } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { asLogin, read } from "@llm-saas/database/logins/DatabaseUrl"
import * as EmbeddedPostgres from "@llm-saas/embedded-postgres/EmbeddedPostgres"
import { inspect } from "@llm-saas/database/isolation/DatabaseChecks"
import { checkLogin, prepareLogin } from "@llm-saas/database/logins/LoginRole"
import { migrate } from "@llm-saas/database/migrations/Migrations"
import { Pool } from "@llm-saas/database/connections/Pool"
import { psqlLine } from "@llm-saas/database/Psql"
import { grantReader, revokeReaders } from "@llm-saas/database/logins/AuditorLogins"
import { inspectLogin } from "@llm-saas/database/logins/RoleSafety"
import { everyRole, prefixTrouble, roleNames, Roles, withPrefix } from "@llm-saas/database/logins/Roles"
import { connect, connectAs } from "@llm-saas/database/connections/Script"
import { DIRECTORY } from "@llm-saas/database/SqlFiles"
import { Duration, Effect, Redacted } from "effect"
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

// Each test has a server of its own: roles, passwords and limits are a server's.

const withRoles = (prefix: string) => Effect.provideService(Roles, roleNames(prefix))

const database = Effect.fnUntraced(function* (server: Redacted.Redacted, name: string) {
  yield* Databases.create(server, name)
  return Databases.urlOf(server, name)
})

const found = (url: Redacted.Redacted, sql: string) => Effect.map(Databases.execute(url, sql), ({ rows }) => rows)

const install = Effect.fnUntraced(function* (url: Redacted.Redacted, secret: string) {
  yield* checkLogin(url, "api", Redacted.make(secret))
  yield* migrate(url)
  return yield* prepareLogin(url, "api", Redacted.make(secret))
})

const serves = (url: Redacted.Redacted) =>
  found(url, "select session_user::text as login, app.tenant_id() as tenant").pipe(
    Effect.map(([row]) => row?.["login"])
  )

describe("two installations in one server", () => {
  it.effect(
    "work side by side with prefixes of their own, in any order, and also when one prefix begins with the other",
    () =>
      Effect.gen(function* () {
        const { url } = yield* EmbeddedPostgres.make()
        const logins: Array<readonly [string, Redacted.Redacted]> = []
        for (const prefix of ["second_", "llm_", "llm_two_"]) {
          const own = yield* database(url, `db_of_${prefix}`)
          logins.push([prefix, yield* withRoles(prefix)(install(own, `secret-of-${prefix}`))])
          // The earlier ones go on, and may be migrated again.
          for (const [each, login] of logins) {
            assert.strictEqual(yield* serves(login), `${each}api`)
            const admin = Databases.urlOf(url, `db_of_${each}`)
            assert.strictEqual((yield* withRoles(each)(migrate(admin))).rebuilt, false)
            const connection = yield* connect(login)
            const { checks, findings } = yield* withRoles(each)(inspect(connection))
            assert.deepStrictEqual(findings, [])
            assert.isAbove(checks.length, 40)
            assert.deepStrictEqual((yield* withRoles(each)(inspectLogin(login))).risks, [])
          }
        }
        // No role of ours but those with a prefix of the three.
        const roles = yield* found(
          url,
          "select rolname::text as name from pg_roles where rolname !~ '^(pg_|postgres$)'"
        )
        for (const { name } of roles) assert.match(String(name), /^(?:second|llm|llm_two)_/u)
        // A reader's login is of its installation too, and goes with it.
        const admin = Databases.urlOf(url, "db_of_second_")
        const options = { tenantId: undefined, content: false, lifetime: Duration.days(1), note: undefined }
        const reader = yield* withRoles("second_")(grantReader(admin, options))
        assert.match(reader.role, /^second_auditor_[0-9a-f]{12}$/u)
        assert.deepStrictEqual(yield* withRoles("second_")(revokeReaders(admin, { role: reader.role })), [reader.role])
      }).pipe(Effect.scoped),
    120_000
  )

  it.effect(
    "with the same prefix: the second one is refused before anything is changed, and told of the first one and the way out",
    () =>
      Effect.gen(function* () {
        const { url } = yield* EmbeddedPostgres.make()
        const first = yield* install(yield* database(url, "first"), "secret-of-first")
        const second = yield* database(url, "second")
        const refused = yield* Effect.flip(install(second, "secret-of-second"))
        assert.strictEqual(refused.reason, "occupied")
        assert.match(refused.message, /llm_api.*database first.*DATABASE_ROLE_PREFIX/u)
        assert.deepStrictEqual(yield* found(second, "select from pg_namespace where nspname = 'app'"), [])
        assert.strictEqual(yield* serves(first), "llm_api")
        // Also where the schema is there already.
        yield* migrate(second)
        assert.strictEqual((yield* Effect.flip(prepareLogin(second, "api", Redacted.make("other")))).reason, "occupied")
        assert.strictEqual(yield* serves(first), "llm_api")
        // With the first one's password nothing has to change; and a sole installation may change it.
        assert.strictEqual(
          yield* serves(yield* prepareLogin(second, "api", Redacted.make("secret-of-first"))),
          "llm_api"
        )
        yield* Databases.drop(url, "second")
        yield* prepareLogin(Databases.urlOf(url, "first"), "api", Redacted.make("changed"))
        assert.strictEqual(yield* serves(asLogin(first, "llm_api", Redacted.make("changed"))), "llm_api")
      }).pipe(Effect.scoped),
    120_000
  )

  it.effect(
    "with the same prefix and other limits: the second one is refused, and the first one's stay",
    () =>
      Effect.gen(function* () {
        const { url } = yield* EmbeddedPostgres.make()
        const first = yield* database(url, "first")
        yield* migrate(first)
        const limits =
          "select rolname::text, rolconnlimit, rolconfig::text from pg_roles where rolname like 'llm\\_%' order by 1"
        for (const change of ["set statement_timeout = '99s'", "connection limit 7"]) {
          yield* found(url, `alter role llm_api ${change}`)
          const before = yield* found(url, limits)
          const second = yield* database(url, `second_${change.length}`)
          const refused = yield* Effect.flip(migrate(second))
          assert.strictEqual(refused.reason, "occupied")
          assert.match(refused.message, /database first.*other limits.*DATABASE_ROLE_PREFIX/u)
          assert.deepStrictEqual(yield* found(url, limits), before)
          assert.deepStrictEqual(yield* found(second, "select from pg_namespace where nspname = 'app'"), [])
        }
        // The first one restores them when it is migrated.
        yield* found(first, "delete from meta.repeatables")
        yield* migrate(first)
        yield* migrate(yield* database(url, "third"))
      }).pipe(Effect.scoped),
    120_000
  )

  it.effect(
    "schemas of another program, or of another prefix, are left alone: it says whose they are",
    () =>
      Effect.gen(function* () {
        const { url } = yield* EmbeddedPostgres.make()
        for (const schema of ["auth", "app", "meta"]) {
          const theirs = yield* database(url, `theirs_${schema}`)
          yield* found(url, `create role supabase_${schema}`)
          yield* found(theirs, `create schema ${schema} authorization supabase_${schema}`)
          const refused = yield* Effect.flip(migrate(theirs))
          assert.strictEqual(refused.reason, "occupied")
          assert.match(
            refused.message,
            new RegExp(`^schema ${schema} .* belongs to supabase_${schema}.*database of its own`, "u")
          )
        }
        assert.deepStrictEqual(yield* found(url, "select from pg_roles where rolname like 'llm\\_%'"), [])
        const ours = yield* database(url, "ours")
        yield* migrate(ours)
        const other = yield* Effect.flip(withRoles("second_")(migrate(ours)))
        assert.match(other.message, /made with DATABASE_ROLE_PREFIX=llm_, and not with second_/u)
        assert.deepStrictEqual(yield* found(url, "select from pg_roles where rolname like 'second\\_%'"), [])
      }).pipe(Effect.scoped),
    120_000
  )
})

describe("a prefix", () => {
  it("is refused where a name would be too long, quoted, PostgreSQL's own, or another's", () => {
    for (const prefix of ["llm_", "a_", "acme_prod_", "x9_", `${"a".repeat(39)}_`])
      assert.strictEqual(prefixTrouble(prefix), undefined, prefix)
    for (const prefix of ["", "_", "llm", "Llm_", "9a_", "a-b_", "ä_", "pg_x_", "a b_", "a'_", `${"a".repeat(40)}_`])
      assert.notStrictEqual(prefixTrouble(prefix), undefined, prefix)
    for (const prefix of ["llm_reader_", "api_", "a_owner_b_"]) assert.match(prefixTrouble(prefix) ?? "", /words/u)
  })

  it("is in every file of sql/ wherever a role is named, and in no other name", () => {
    const files = readdirSync(DIRECTORY, { recursive: true, encoding: "utf8" }).filter(
      (path) => path.endsWith(".sql") && !path.startsWith("audit/scripts") && path !== "schema.sql"
    )
    assert.isAbove(files.length, 80)
    for (const path of files) {
      const text = readFileSync(join(DIRECTORY, path), "utf8")
      assert.strictEqual(withPrefix(text, "llm_"), text)
      const changed = withPrefix(text, "other9_")
      // Any llm_ left is the end of a longer name.
      assert.notMatch(changed, /(?<![a-z]_)llm\\?_/u, path)
      assert.strictEqual(withPrefix(changed.replaceAll(/(?<![a-z_])other9(\\?)_/gu, "llm$1_"), "llm_"), text)
    }
  })

  it.effect("and what lints take for ours: every role that sql/roles makes, and no other installation's", () =>
    Effect.gen(function* () {
      const { url } = yield* EmbeddedPostgres.make()
      yield* migrate(url)
      const unknown = yield* found(
        url,
        "select rolname::text from pg_roles where rolname like 'llm\\_%' and not lint.is_ours(rolname)"
      )
      assert.deepStrictEqual(unknown, [])
      const made = (yield* found(url, "select rolname::text as name from pg_roles where rolname like 'llm\\_%'")).map(
        ({ name }) => name
      )
      assert.deepStrictEqual(made.toSorted(), everyRole("llm_").toSorted())
      assert.deepStrictEqual(
        yield* found(
          url,
          "select name from unnest(array['llm_two_api', 'llm_two_reader', 'llmx_api', 'llm_x']) name where lint.is_ours(name::name)"
        ),
        []
      )
    }).pipe(Effect.scoped)
  )
})

describe("a login made from the administrator's URL", () => {
  it.effect(
    "comes in as itself wherever the administrator stands in the URL, by address and by socket",
    () =>
      Effect.gen(function* () {
        const directory = yield* Effect.acquireRelease(
          Effect.sync(() => mkdtempSync(join(tmpdir(), "llm-saas-test-"))),
          (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
        )
        // As root the server runs as another user, who makes its socket here.
        chmodSync(directory, 0o777)
        const server = yield* EmbeddedPostgres.make({ settings: { unix_socket_directories: directory } })
        const { password, port } = read(server.url)
        const secret = encodeURIComponent(password === undefined ? "" : Redacted.value(password))
        const socket = encodeURIComponent(directory)
        const forms = [
          `postgres://127.0.0.1:${port}/DB?user=postgres&password=${secret}`,
          `postgres:///DB?host=${socket}&port=${port}&user=postgres&password=${secret}`,
          `postgres://postgres:${secret}@/DB?host=${socket}&port=${port}`,
          `postgres://nobody:nothing@${socket}:1/nowhere?user=postgres&password=${secret}&port=${port}&dbname=DB`,
          `postgresql+asyncpg://postgres:${secret}@localhost:${port}/DB?host=127.0.0.1&options=-c%20role%3Dpostgres`
        ]
        for (const [index, form] of forms.entries()) {
          yield* Databases.create(server.url, `db${index}`)
          const admin = Redacted.make(form.replace("DB", `db${index}`))
          yield* migrate(admin)
          const api = yield* prepareLogin(admin, "api", Redacted.make("of-the-api"))
          assert.strictEqual(yield* serves(api), "llm_api")
          assert.notInclude(Redacted.value(api), secret)
          const options = { tenantId: undefined, content: false, lifetime: Duration.days(1), note: undefined }
          const reader = yield* grantReader(admin, options)
          const line = psqlLine(reader.url)
          assert.notInclude(line, secret)
          assert.notInclude(line, "postgres:")
          const who = yield* found(reader.url, "select session_user::text as who, current_database()::text as at")
          assert.deepStrictEqual(who, [{ who: reader.role, at: `db${index}` }])
        }
      }).pipe(Effect.scoped),
    120_000
  )

  it.effect("is refused where the server admits another login, or puts it in another role", () =>
    Effect.gen(function* () {
      const { url } = yield* EmbeddedPostgres.make()
      yield* migrate(url)
      assert.strictEqual((yield* Effect.flip(Effect.scoped(connectAs(url, "llm_api")))).reason, "login")
      const api = yield* prepareLogin(url, "api", Redacted.make("x"))
      yield* found(url, "alter role llm_api set role = llm_tenant")
      const refused = yield* Effect.flip(prepareLogin(url, "api", Redacted.make("x")))
      assert.deepStrictEqual(
        [refused.reason, refused.message],
        ["login", "the server took the login of llm_api for llm_api, acting as llm_tenant: refused"]
      )
      // Nothing is served there either.
      const work = Effect.flatMap(Pool, (pool) => pool.query("select 1", [])).pipe(
        Effect.provide(Pool.layer({ url: api, size: 1, acquireTimeout: "5 seconds", waiting: 10 }))
      )
      assert.strictEqual((yield* Effect.exit(work))._tag, "Failure")
      yield* found(url, "alter role llm_api reset role")
      yield* work
      assert.strictEqual(yield* serves(api), "llm_api")
    }).pipe(Effect.scoped)
  )
})

describe("a database whose texts are not UTF-8", () => {
  it.effect("is refused by migrate and by every login, with the way to a right one", () =>
    Effect.gen(function* () {
      const { url } = yield* EmbeddedPostgres.make()
      for (const encoding of ["SQL_ASCII", "LATIN1", "WIN1252", "EUC_JP"]) {
        const name = encoding.toLowerCase()
        yield* found(
          url,
          `create database ${name} template template0 encoding '${encoding}' locale_provider libc locale 'C'`
        )
        const other = Databases.urlOf(url, name)
        for (const asked of [Effect.asVoid(migrate(other)), Effect.asVoid(inspectLogin(other))]) {
          const refused = yield* Effect.flip(asked)
          assert.strictEqual(refused.reason, "encoding")
          assert.match(refused.message, new RegExp(`in ${encoding}, and not in UTF8: .*template0 encoding 'UTF8'`, "u"))
        }
      }
    }).pipe(Effect.scoped)
  )
})

import { assert, layer } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { IsolationReport } from "@llm-saas/domain/Isolation"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Console, Effect, Redacted, Schema } from "effect"
import * as Command from "effect/cli/Command"
import { tmpdir } from "node:os"
import { fileURLToPath } from "node:url"
import { auditGrant, auditIsolation, auditRevoke } from "../src/commands/Audit.ts"
import { program, run } from "../src/commands/Program.ts"
import { explain } from "../src/process/Startup.ts"
import { configured } from "./Configured.ts"
import { signUp } from "./People.ts"
import { spawned } from "./Process.ts"
import { Running } from "./Running.ts"

const CLI = fileURLToPath(new URL("../src/cli.ts", import.meta.url))

/** `npm run audit:…` as a process of its own, as the administrator of the file's database. */
const ran = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  const { adminUrl } = yield* TestDatabase
  const started = yield* spawned(
    process.execPath,
    [CLI, ...args],
    { DATABASE_ADMIN_URL: Redacted.value(adminUrl) },
    tmpdir()
  )
  const { code } = yield* started.ended
  return { code, ...started.output() }
})

/** The same without a process, which takes a second to start; or with other settings. */
const command = Effect.fnUntraced(function* (args: ReadonlyArray<string>, variables?: Record<string, string>) {
  const { adminUrl } = yield* TestDatabase
  const written = { stdout: "", stderr: "" }
  const exit = yield* program.pipe(
    Command.withSubcommands([auditIsolation, auditGrant, auditRevoke]),
    run(args),
    Effect.tapCause(explain),
    Effect.provide(configured({ APP_ENV: "test", ...(variables ?? { DATABASE_ADMIN_URL: Redacted.value(adminUrl) }) })),
    Effect.provideService(Console.Console, {
      ...globalThis.console,
      log: (line: unknown) => void (written.stdout += `${String(line)}\n`),
      error: (line: unknown) => void (written.stderr += `${String(line)}\n`)
    }),
    Effect.exit
  )
  return { code: exit._tag === "Success" ? 0 : 1, ...written }
})

const sql = Effect.fnUntraced(function* (statement: string) {
  const { adminUrl } = yield* TestDatabase
  return yield* Databases.execute(adminUrl, statement)
})

const decode = Schema.decodeUnknownEffect(IsolationReport)

layer(Running.layer, { timeout: "120 seconds" })("the isolation report", (it) => {
  it.effect(
    "is for admins of the tenant: what was tried on the very connections that serve, and that nothing was found",
    () =>
      Effect.gen(function* () {
        const { send } = yield* Running
        const admin = yield* signUp(send)
        const user = yield* signUp(send, admin.tenant)
        const stranger = yield* signUp(send)
        const path = `/tenants/${admin.tenant}/isolation-report`
        const answer = yield* send("GET", path, { token: admin.token })
        assert.strictEqual(answer.status, 200)
        const report = yield* decode(answer.body)
        assert.deepStrictEqual([report.ok, report.findings, report.login], [true, [], "llm_api"])
        const tried = Object.fromEntries(report.checks.map(({ name, tried }) => [name, tried]))
        assert.isAbove(tried["an admin of another tenant"] ?? 0, 100)
        assert.strictEqual(tried["a connection used again"], 3)
        assert.isTrue(report.notes.some((note) => note.startsWith("Not looked at:")))

        assert.strictEqual((yield* send("GET", path, { token: user.token })).status, 403)
        assert.strictEqual((yield* send("GET", path, { token: stranger.token })).status, 404)
        assert.strictEqual((yield* send("GET", path)).status, 401)
        assert.strictEqual((yield* send("HEAD", path, { token: admin.token })).status, 405)

        // Fifty at once are one look, and leave no tenant behind.
        const many = yield* Effect.all(
          Array.from({ length: 50 }, () => send("GET", path, { token: admin.token })),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(new Set(many.map(({ status }) => status)), new Set([200]))
        assert.deepStrictEqual(
          new Set(many.map(({ body }) => body["checked_at"])),
          new Set([answer.body["checked_at"]])
        )
        const { rows } = yield* sql("select count(*)::int4 as canaries from app.tenants where name = 'canary'")
        assert.deepStrictEqual(rows, [{ canaries: 0 }])
      })
  )
})

layer(TestDatabase.layer, { timeout: "120 seconds" })("npm run audit:isolation", (it) => {
  it.effect(
    "says so for people and programs, and its exit code says it too",
    () =>
      Effect.gen(function* () {
        yield* sql("insert into app.tenants (id, name) values ('018f0000-0000-7000-8000-000000000001', 'Acme')")
        yield* sql(
          "insert into app.users (tenant_id, id, email, role) values ('018f0000-0000-7000-8000-000000000001', '018f0000-0000-7000-8000-000000000002', 'a@b', 'user')"
        )
        const fine = yield* ran(["audit:isolation"])
        assert.deepStrictEqual([fine.code, fine.stderr], [0, ""])
        assert.match(fine.stdout, /✓ \d\d of \d\d rules are kept\n/u)
        assert.match(fine.stdout, /✓ a connection used again: 3 tries\n/u)
        assert.match(fine.stdout, /\nNothing was found\.\n/u)

        // As the API itself, which needs no administrator: all but what needs a user.
        const { apiUrl } = yield* TestDatabase
        const api = yield* command(["audit:isolation", "--json"], { DATABASE_URL: Redacted.value(apiUrl) })
        assert.strictEqual(api.code, 0)
        const report = yield* decode(JSON.parse(api.stdout))
        assert.isTrue(report.ok)
        assert.isTrue(report.notes.some((note) => note.startsWith("Not tried: what a connection keeps")))

        yield* sql("alter policy tenant_wall on app.users using (true)")
        const broken = yield* command(["audit:isolation"])
        assert.strictEqual(broken.code, 1)
        assert.match(broken.stderr, /^\d+ findings: tenants may not be kept apart\n$/u)
        assert.include(broken.stdout, "table_without_wall: app.users: restrictive policy tenant_wall")
        assert.match(broken.stdout, /✗ an admin of another tenant: \d+ tries, \d+ not as it should be/u)
        const machine = yield* ran(["audit:isolation", "--json"])
        assert.strictEqual(machine.code, 1)
        assert.isFalse((yield* decode(JSON.parse(machine.stdout))).ok)
        assert.strictEqual((yield* command(["audit:isolation", "--jsn"])).code, 1)
      }),
    120_000
  )
})

layer(TestDatabase.layer, { timeout: "120 seconds" })("npm run audit:grant", (it) => {
  it.effect("prints a line for psql that reads one tenant, until it is revoked", () =>
    Effect.gen(function* () {
      for (const id of [1, 2])
        yield* sql(
          `insert into app.tenants (id, name) values ('018f0000-0000-7000-8000-00000000000${id}', 'Tenant ${id}')`
        )
      const tenant = "018f0000-0000-7000-8000-000000000001"
      const granted = yield* command(["audit:grant", "--tenant", tenant, "--days", "2", "--note", "Eve"])
      assert.strictEqual(granted.code, 0)
      assert.match(granted.stdout, /^psql 'postgresql?:\/\/llm_reader_[0-9a-f]{12}:[\w-]{32}@[^']+'\n$/u)
      assert.match(granted.stderr, /reads tenant .*, but no questions and answers until /u)
      const url = Redacted.make(granted.stdout.slice("psql '".length, -2))
      const { rows } = yield* Databases.execute(url, "select name from audit.tenants")
      assert.deepStrictEqual(rows, [{ name: "Tenant 1" }])
      const all = yield* command(["audit:grant"])
      const auditor = Redacted.make(all.stdout.slice("psql '".length, -2))
      assert.strictEqual((yield* Databases.execute(auditor, "select name from audit.tenants")).rowCount, 2)
      const readers = yield* Databases.execute(
        auditor,
        "select tenant, note, active from audit.readers order by granted_at"
      )
      assert.deepStrictEqual(readers.rows, [
        { tenant: "Tenant 1", note: "Eve", active: true },
        { tenant: "(every tenant)", note: null, active: true }
      ])
      const revoked = yield* command(["audit:revoke", "--tenant", tenant])
      assert.match(revoked.stdout, /^llm_reader_[0-9a-f]{12} reads nothing any more\n$/u)
      assert.strictEqual((yield* Effect.exit(Databases.execute(url, "select 1")))._tag, "Failure")
      yield* command(["audit:revoke", "--auditors"])
      assert.strictEqual((yield* Effect.exit(Databases.execute(auditor, "select 1")))._tag, "Failure")
      assert.strictEqual(
        (yield* command(["audit:revoke", "--auditors"])).stdout,
        "no login reads this: nothing was taken away\n"
      )
    })
  )

  it.effect("says what it lacks", () =>
    Effect.gen(function* () {
      for (const [args, said] of [
        [["--tenant", "nobody"], "--tenant is the id of a tenant\n"],
        [["--tenant", "018f0000-0000-7000-8000-00000000000a"], "there is no tenant of this id\n"],
        [["--content"], "--content is what was said in one tenant: it needs --tenant\n"],
        [["--days", "0"], "--days is a number from 1 to 366\n"]
      ] as const) {
        const { code, stderr, stdout } = yield* command(["audit:grant", ...args])
        assert.deepStrictEqual([code, stderr, stdout], [1, said, ""])
      }
      assert.match((yield* command(["audit:revoke"])).stderr, /^usage:/mu)
    })
  )
})

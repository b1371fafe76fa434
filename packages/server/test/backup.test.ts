import { assert, describe, it } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { asLogin } from "@llm-saas/database/logins/DatabaseUrl"
import { localServer, noServer } from "@llm-saas/testing/LocalServer"
import { Effect, Redacted } from "effect"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { spawned } from "./Process.ts"

const CLI = fileURLToPath(new URL("../src/cli.ts", import.meta.url))

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "llm-saas-test-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

describe.skipIf(noServer)("db:backup and db:restore", () => {
  it.live(
    "move a database to another server, and say there whether tenants are apart",
    () =>
      Effect.gen(function* () {
        const [here, there] = [yield* localServer, yield* localServer]
        const cwd = yield* directory
        const run = Effect.fnUntraced(function* (args: ReadonlyArray<string>, admin: Redacted.Redacted) {
          const command = yield* spawned(
            process.execPath,
            [CLI, ...args],
            { DATABASE_ADMIN_URL: Redacted.value(admin) },
            cwd
          )
          const { code } = yield* command.ended
          return { code, ...command.output() }
        })
        yield* Databases.create(here.url, "mine")
        const source = Databases.urlOf(here.url, "mine")
        assert.strictEqual((yield* run(["db:migrate"], source)).code, 0)

        const made = yield* run(["db:backup"], source)
        assert.strictEqual(made.code, 0, made.stderr)
        const [file = ""] = readdirSync(cwd)
        assert.match(file, /^mine-\d{4}-.*\.dump$/u)
        assert.match(made.stdout, /\.dump: \d+\.\d\d MB, \d+ tables/u)
        assert.match(made.stderr, /^app\.\w+$/mu)
        // No address: it may have a password.
        assert.notMatch(made.stdout + made.stderr, /postgres(?:ql)?:\/\//u)

        // A provider's owner, no superuser: the API's own login tries.
        yield* Databases.execute(there.url, "create role provider login createrole password 'owner'")
        yield* Databases.create(there.url, "theirs")
        yield* Databases.execute(there.url, "alter database theirs owner to provider")
        const owner = asLogin(Databases.urlOf(there.url, "theirs"), "provider", Redacted.make("owner"))
        const restored = yield* run(["db:restore", file], owner)
        assert.strictEqual(restored.code, 0, restored.stderr)
        assert.match(restored.stdout, /^restored; the schema is at version \d+$/mu)
        assert.match(restored.stdout, /tried as llm_api[^]*Nothing was found\./u)

        const again = yield* run(["db:restore", file], owner)
        assert.deepStrictEqual([again.code, again.stdout], [1, ""])
        assert.match(again.stderr, /^this database is not empty .*Nothing was changed\n$/u)

        // By a superuser of the same server, beside.
        yield* Databases.create(there.url, "more")
        const more = yield* run(["db:restore", file], Databases.urlOf(there.url, "more"))
        assert.strictEqual(more.code, 0, more.stderr)
        assert.match(more.stdout, /tried as llm_api[^]*Nothing was found\./u)
        for (const args of [["db:restore"], ["db:restore", "a", "b"], ["db:backup", "--all"]])
          assert.match((yield* run(args, owner)).stderr, /^.+\nusage: npm run db:(?:restore|backup) .*\n$/u)
      }).pipe(Effect.scoped),
    240_000
  )
})

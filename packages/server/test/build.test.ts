import { assert, layer } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import * as FakeUpstream from "@llm-saas/testing/FakeUpstream"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Fiber, Layer, Redacted } from "effect"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { freePort, spawned } from "./Process.ts"
import { sender } from "./Running.ts"

const BUILD = fileURLToPath(new URL("../../../scripts/build.mjs", import.meta.url))

// Outside the repository, whose packages the server would find there too; called what a directory may be called.
const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "llm-saas build #1 50%20? ü-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

layer(Layer.merge(TestDatabase.layer, FakeUpstream.layer), { timeout: "120 seconds" })("the built server", (it) => {
  it.effect(
    "needs nothing beside it: it migrates, starts in production, hashes passwords, asks a model and shows its documentation",
    () =>
      Effect.gen(function* () {
        const { adminUrl, apiUrl } = yield* TestDatabase
        const upstream = yield* FakeUpstream.FakeUpstream
        const cwd = yield* directory
        const run = (file: string, args: ReadonlyArray<string>, env: Record<string, string>) =>
          spawned(process.execPath, [join(cwd, "server", file), ...args], env, cwd)

        const building = yield* spawned(process.execPath, [BUILD, join(cwd, "server")], {}, cwd)
        assert.deepStrictEqual(yield* building.ended, { code: 0, signal: null }, building.output().stderr)

        const migrating = yield* run("cli.js", ["migrate"], { DATABASE_ADMIN_URL: Redacted.value(adminUrl) })
        assert.deepStrictEqual(yield* migrating.ended, { code: 0, signal: null }, migrating.output().stderr)
        assert.match(migrating.output().stdout, /^nothing to do: the schema is at version \d+\n$/u)

        const usage = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
          const refused = yield* run("cli.js", args, {})
          assert.deepStrictEqual(yield* refused.ended, { code: 1, signal: null })
          return refused.output().stderr
        })
        assert.match(yield* usage("migrate", "--login"), /\nusage: node cli\.js migrate \[--logins\] \[--accept\]\n$/u)
        assert.strictEqual(
          yield* usage("restore"),
          "Missing required argument: FILE\nusage: node cli.js restore FILE\n"
        )
        assert.match(
          yield* usage(),
          /^usage: node cli\.js migrate\|status\|rollback\|backup\|restore\|psql\|.*\|audit:revoke\|operator\n$/u
        )
        assert.match(yield* usage("audit:revoke"), /\nusage: node cli\.js audit:revoke \[--role NAME\] /u)

        const port = yield* freePort
        const production = {
          APP_ENV: "production",
          TENANT_CREATION: "open",
          PORT: String(port),
          DATABASE_URL: Redacted.value(apiUrl),
          SECRET_KEY: "vN3wQm0Zk8JtYx5Lr2PbHs7Dc4Fg9Ua1Ee6Oi0XqRz",
          ENCRYPTION_KEY: "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=",
          OPENAI_BASE_URL: upstream.url
        }
        const server = yield* run("main.js", [], production)
        yield* server.says(/serves on/u)
        const send = sender(port)
        const tenant = yield* send("POST", "/create-tenant", { json: { name: "Built" } })
        const alice = { email: "alice@built.test", password: "correct horse battery staple" }
        const registered = yield* send("POST", "/register", { json: { ...alice, tenant_id: tenant.body["id"] } })
        const login = yield* send("POST", "/login", { form: { username: alice.email, password: alice.password } })
        const docs = yield* send("GET", "/docs")
        const console = yield* send("GET", "/console/chat")
        const statuses = [registered, login, docs, console].map(({ status }) => status)
        assert.deepStrictEqual(statuses, [201, 200, 200, 200])
        const licences = yield* Effect.sync(() => readFileSync(join(cwd, "server/THIRD-PARTY-LICENCES"), "utf8"))
        for (const each of ["effect", "react-dom"]) assert.include(licences, `\n${each} `)
        const token = String(login.body["access_token"])
        const asking = yield* Effect.forkChild(send("POST", "/messages", { token, json: { content: "Built?" } }))
        const call = yield* upstream.next
        call.head()
        call.say("Well", " built.")
        call.finish()
        assert.strictEqual((yield* Fiber.join(asking)).body["response"], "Well built.")
        assert.strictEqual(server.output().stderr, "")

        yield* Databases.execute(adminUrl, "delete from meta.migrations")
        const unmigrated = yield* run("main.js", [], production)
        yield* unmigrated.says(/ is not this program's \(\d+\): run `node cli\.js migrate`/u)
      }),
    120_000
  )
})

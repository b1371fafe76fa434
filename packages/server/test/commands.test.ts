import { assert, describe, it } from "@effect/vitest"
import * as EmbeddedPostgres from "@llm-saas/embedded-postgres/EmbeddedPostgres"
import { Effect, Redacted } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { freePort, spawned, start } from "./Process.ts"
import { sender } from "./Running.ts"

const CLI = fileURLToPath(new URL("../src/cli.ts", import.meta.url))
const SECRET_KEY = "vN3wQm0Zk8JtYx5Lr2PbHs7Dc4Fg9Ua1Ee6Oi0XqRz"
const ENCRYPTION_KEY = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k="

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "llm-saas-test-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** A command in a directory without `.env`. */
const run = Effect.fnUntraced(function* (args: ReadonlyArray<string>, variables: Record<string, string>) {
  const command = yield* spawned(process.execPath, [CLI, ...args], variables, yield* directory)
  const { code } = yield* command.ended
  return { code, ...command.output() }
})

it.effect(
  "a command's usage is that of npm where there are sources",
  () =>
    Effect.gen(function* () {
      const named = [
        { args: [], said: /^usage: npm run db:migrate\|.*\|db:schema\|.*\|audit:revoke\|operator\n$/u },
        { args: ["db:backup", "a", "b"], said: /^Unexpected .* "b"\nusage: npm run db:backup \[FILE\]\n$/u },
        {
          args: ["db:migrate", "--login"],
          said: /^Unrecognized flag: --login in command npm run db:migrate. Did you mean this\? --logins\nusage: npm run db:migrate -- \[--logins\] \[--accept\]\n$/u
        },
        { args: ["audit:revoke"], said: /^It takes one of .*\nusage: npm run audit:revoke -- \[--role NAME\] /u }
      ]
      for (const { args, said } of named) {
        const { code, stderr, stdout } = yield* run(args, {})
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.match(stderr, said)
      }
    }),
  120_000
)

it.effect(
  "a command's help tells its flags, in colour nowhere and whatever the settings are",
  () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run(["audit:grant", "--help"], { APP_ENV: "wrong", FORCE_COLOR: "1" })
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.match(stdout, /^ {2}npm run audit:grant -- \[--tenant ID\] \[--content\] \[--days N\] \[--note WHO\]$/mu)
      assert.match(stdout, /^ {2}--days N +how long/mu)
      const all = yield* run(["--help"], {})
      assert.match(all.stdout, /^ {2}db:migrate +Apply .*\n {2}db:status +List /mu)
    }),
  120_000
)

describe("db:migrate -- --logins", () => {
  // A server of its own: passwords belong to all databases of one.
  it.effect(
    "makes the database ready for a production that knows neither the administrator nor how it was done",
    () =>
      Effect.gen(function* () {
        const administrator = Redacted.value((yield* EmbeddedPostgres.make()).url)
        const login = (role: string, password: string) => {
          const url = new URL(administrator)
          url.username = role
          url.password = encodeURIComponent(password)
          return url.href
        }
        const logins = {
          DATABASE_URL: login("llm_api", "p@ss/word:1"),
          DATABASE_JOBS_URL: login("llm_jobs", "p@ss%word:2")
        }
        const migrated = yield* run(["db:migrate", "--logins"], {
          APP_ENV: "production",
          DATABASE_ADMIN_URL: administrator,
          ...logins
        })
        assert.deepStrictEqual([migrated.code, migrated.stderr], [0, ""])
        assert.match(
          migrated.stdout,
          /llm_api logs in with the password of DATABASE_URL\nllm_jobs .*DATABASE_JOBS_URL\n$/u
        )
        assert.notMatch(migrated.stdout, /p@ss|p%40ss/u)

        const port = yield* freePort
        const server = yield* start({
          APP_ENV: "production",
          SECRET_KEY,
          ENCRYPTION_KEY,
          PORT: String(port),
          ...logins
        })
        yield* server.says(/serves on/u)
        assert.strictEqual((yield* sender(port)("GET", "/ready")).status, 200)
      }),
    120_000
  )

  it.effect(
    "says what it lacks",
    () =>
      Effect.gen(function* () {
        const url = (login: string) => `postgres://${login}@db.invalid/app`
        const refuses = Effect.fn(function* (
          args: ReadonlyArray<string>,
          variables: Record<string, string>,
          said: string
        ) {
          const { code, stderr } = yield* run(["db:migrate", ...args], variables)
          assert.deepStrictEqual([code, stderr], [1, `${said}\n`])
        })
        yield* refuses(
          ["--logins"],
          { DATABASE_URL: url("llm_api:pw") },
          "--logins sets passwords as DATABASE_ADMIN_URL, which is missing"
        )
        for (const DATABASE_URL of ["", url("llm_api"), url("postgres:pw")]) {
          yield* refuses(
            ["--logins"],
            { DATABASE_ADMIN_URL: url("postgres:pw"), DATABASE_JOBS_URL: url("llm_jobs:pw"), DATABASE_URL },
            "--logins takes the password of llm_api from DATABASE_URL: it has none"
          )
        }
      }),
    120_000
  )
})

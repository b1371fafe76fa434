import { assert, describe, it } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { read } from "@llm-saas/database/logins/DatabaseUrl"
import * as EmbeddedPostgres from "@llm-saas/embedded-postgres/EmbeddedPostgres"
import { Effect, Redacted } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort, start } from "./Process.ts"
import { sender } from "./Running.ts"

const PATIENCE = 240_000

const SECRETS = ["first-0123456789abcdefghijklmnopqrstuvwxyz", "second-0123456789abcdefghijklmnopqrstuvwxyz"] as const

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "llm-saas-test-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** The program in development, which prepares its database itself with an administrator's URL. */
const development = Effect.fnUntraced(function* (variables: Record<string, string>) {
  const port = yield* freePort
  const process = yield* start({ PORT: String(port), ...variables }, { cwd: yield* directory })
  return { process, port }
})

/** The logins that serve from this database. */
const logins = (url: Redacted.Redacted, database: string) =>
  Effect.map(
    Databases.execute(
      url,
      `select distinct usename::text as login from pg_stat_activity where datname = '${database}' and application_name = 'llm-saas' order by 1`
    ),
    ({ rows }) => rows.map(({ login }) => login)
  )

const register = Effect.fnUntraced(function* (port: number) {
  const { body, status } = yield* sender(port)("POST", "/create-tenant", { json: { name: "Acme" } })
  assert.strictEqual(status, 201)
  return body["id"]
})

describe("in development, with an administrator's URL", () => {
  it.effect(
    "requests are served as the program's own login, wherever in the URL the administrator stands",
    () =>
      Effect.gen(function* () {
        const { url } = yield* EmbeddedPostgres.make()
        const { password, port } = read(url)
        const secret = password === undefined ? "" : encodeURIComponent(Redacted.value(password))
        yield* Databases.create(url, "mine")
        const running = yield* development({
          SECRET_KEY: SECRETS[0],
          DATABASE_URL: `postgres://127.0.0.1:${port}/mine?user=postgres&password=${secret}`
        })
        yield* running.process.says(/is running on/u)
        yield* register(running.port)
        assert.deepStrictEqual(yield* logins(url, "mine"), ["llm_api", "llm_jobs"])
      }).pipe(Effect.scoped),
    PATIENCE
  )

  it.effect(
    "a second installation in the same server says what is in its way, and with a prefix of its own both serve",
    () =>
      Effect.gen(function* () {
        const { url } = yield* EmbeddedPostgres.make()
        yield* Databases.create(url, "first")
        yield* Databases.create(url, "second")
        const variables = (index: 0 | 1, name: string) => ({
          SECRET_KEY: SECRETS[index],
          DATABASE_URL: Redacted.value(Databases.urlOf(url, name))
        })
        const first = yield* development(variables(0, "first"))
        yield* first.process.says(/is running on/u)

        const refused = yield* development(variables(1, "second"))
        assert.strictEqual((yield* refused.process.ended).code, 1)
        assert.match(
          refused.process.output().stderr,
          /^the database cannot be used: the role llm_api has another password, and database first uses it\. .*DATABASE_ROLE_PREFIX.*\n$/u
        )

        const second = yield* development({ ...variables(1, "second"), DATABASE_ROLE_PREFIX: "acme_two_" })
        yield* second.process.says(/is running on/u)
        yield* register(second.port)
        assert.deepStrictEqual(yield* logins(url, "second"), ["acme_two_api", "acme_two_jobs"])
        // The first one's connections are made anew.
        yield* Databases.execute(
          url,
          "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'llm_api' and datname = 'first'"
        )
        yield* Effect.retry(register(first.port), { times: 3 })
        assert.deepStrictEqual(yield* logins(url, "first"), ["llm_api", "llm_jobs"])
      }).pipe(Effect.scoped),
    PATIENCE
  )
})

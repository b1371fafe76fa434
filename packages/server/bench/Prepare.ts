import * as EmbeddedPostgres from "@llm-saas/embedded-postgres/EmbeddedPostgres"
import { prepareLogin } from "@llm-saas/database/logins/LoginRole"
import { migrate } from "@llm-saas/database/migrations/Migrations"
import { Effect, Exit, Redacted, Scope } from "effect"
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import pg from "pg"

/** A migrated database of the benchmark's own. */
export interface Prepared {
  /** Logs in as `llm_api`, as the servers under test do. */
  readonly apiUrl: string
  /** Logs in as `llm_jobs`. */
  readonly jobsUrl: string
  /** Logs in as the server's administrator. */
  readonly adminUrl: string
  /** The id of the server's first process. */
  readonly pid: number
  readonly stop: () => Promise<void>
}

export const prepare = (): Promise<Prepared> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { url } = yield* Scope.provide(EmbeddedPostgres.make(), scope)
      yield* migrate(url)
      const password = Redacted.make(randomBytes(24).toString("base64url"))
      const [api, jobs] = [yield* prepareLogin(url, "api", password), yield* prepareLogin(url, "jobs", password)]
      const pid = yield* Effect.promise(() => firstProcess(Redacted.value(url)))
      return {
        pid,
        apiUrl: Redacted.value(api),
        jobsUrl: Redacted.value(jobs),
        adminUrl: Redacted.value(url),
        stop: () => Effect.runPromise(Scope.close(scope, Exit.void))
      }
    })
  )

const firstProcess = async (url: string): Promise<number> => {
  const client = new pg.Client(url)
  await client.connect()
  const { rows } = await client.query<{ readonly data_directory: string }>("show data_directory")
  await client.end()
  return Number(readFileSync(join(rows[0]?.data_directory ?? "", "postmaster.pid"), "utf8").split("\n")[0])
}

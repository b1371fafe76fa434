import * as EmbeddedPostgres from "@llm-saas/embedded-postgres/EmbeddedPostgres"
import { migrate, prepareLogin } from "@llm-saas/database/migrations/Migrations"
import { Effect, Exit, Redacted, Scope } from "effect"
import { randomBytes } from "node:crypto"

/** A migrated database of the benchmark's own. */
export interface Prepared {
  /** Logs in as `llm_api`, as the servers under test do. */
  readonly apiUrl: string
  /** Logs in as `llm_jobs`. */
  readonly jobsUrl: string
  /** Logs in as the server's administrator. */
  readonly adminUrl: string
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
      return {
        apiUrl: Redacted.value(api),
        jobsUrl: Redacted.value(jobs),
        adminUrl: Redacted.value(url),
        stop: () => Effect.runPromise(Scope.close(scope, Exit.void))
      }
    })
  )

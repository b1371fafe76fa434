import * as EmbeddedPostgres from "@llm-saas/database/EmbeddedPostgres"
import { migrate, prepareLogin } from "@llm-saas/database/Migrations"
import { Effect, Exit, Redacted, Scope } from "effect"
import { randomBytes } from "node:crypto"

/** A migrated database of the benchmark's own. */
export interface Prepared {
  /** Logs in as `llm_api`, as the servers under test do. */
  readonly apiUrl: string
  readonly stop: () => Promise<void>
}

export const prepare = (): Promise<Prepared> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { url } = yield* Scope.provide(EmbeddedPostgres.make(), scope)
      yield* migrate(url)
      const api = yield* prepareLogin(url, "llm_api", Redacted.make(randomBytes(24).toString("base64url")))
      return { apiUrl: Redacted.value(api), stop: () => Effect.runPromise(Scope.close(scope, Exit.void)) }
    })
  )

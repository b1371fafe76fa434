import * as Databases from "@llm-saas/database/backup/Databases"
import * as EmbeddedPostgres from "@llm-saas/embedded-postgres/EmbeddedPostgres"
import { loginUrl, prepareLogin } from "@llm-saas/database/logins/LoginRole"
import { migrate } from "@llm-saas/database/migrations/Migrations"
import { DEFAULT_PREFIX, roleNames } from "@llm-saas/database/logins/Roles"
import { Context, Effect, Layer, Redacted, type Scope } from "effect"
import { randomUUID } from "node:crypto"
import { inject } from "vitest"
import { ask, type DatabaseSupply } from "./DatabaseBroker.ts"
import { TestDatabaseFailed } from "./TestDatabaseFailed.ts"
import type { DatabaseBrokerAddress } from "./globalSetup.ts"

export { TestDatabaseFailed }

/** A PostgreSQL database of this test's own, dropped at the end. For a whole file: `layer(TestDatabase.layer)("…", (it) => …)`. */
export class TestDatabase extends Context.Service<
  TestDatabase,
  {
    readonly name: string
    /** Logs in as the server's administrator, who sees every row. */
    readonly adminUrl: Redacted.Redacted
    /** Logs in as `llm_api`, as the program does. In an empty database it can only connect. */
    readonly apiUrl: Redacted.Redacted
    /** Logs in as `llm_jobs`, as the program does for work across tenants. */
    readonly jobsUrl: Redacted.Redacted
  }
>()("@llm-saas/testing/TestDatabase") {
  /** Migrated: a copy of this run's template. */
  static readonly layer = Layer.effect(
    TestDatabase,
    Effect.suspend(() => migrated)
  )
  /** Migrated, in a server of its own: for tests that create roles, which every database of a server would see. */
  static readonly layerAlone = Layer.effect(
    TestDatabase,
    Effect.suspend(() => alone)
  )
  /** Empty, for tests of the migrator. */
  static readonly layerEmpty = Layer.effect(
    TestDatabase,
    Effect.suspend(() => empty)
  )
}

const DEFAULT = roleNames(DEFAULT_PREFIX)

type Lent = Effect.Effect<TestDatabase["Service"], TestDatabaseFailed, Scope.Scope>

const lend = (fill: (supply: DatabaseSupply, name: string) => ReturnType<typeof Databases.create>): Lent =>
  Effect.gen(function* () {
    const supply = yield* ask(inject("databaseBroker" satisfies keyof DatabaseBrokerAddress))
    const name = `llm_test_${randomUUID().replaceAll("-", "")}`
    yield* Effect.acquireRelease(
      Effect.mapError(
        fill(supply, name),
        ({ message }) => new TestDatabaseFailed({ message: `no database: ${message}` })
      ),
      () => Effect.orDie(Databases.drop(supply.server, name))
    )
    const adminUrl = Databases.urlOf(supply.server, name)
    return TestDatabase.of({
      name,
      adminUrl,
      apiUrl: loginUrl(adminUrl, DEFAULT.api, supply.password),
      jobsUrl: loginUrl(adminUrl, DEFAULT.jobs, supply.password)
    })
  })

const alone: Lent = Effect.gen(function* () {
  const server = yield* EmbeddedPostgres.make()
  const password = Redacted.make(randomUUID())
  const name = "alone"
  yield* Databases.create(server.url, name)
  const adminUrl = Databases.urlOf(server.url, name)
  yield* migrate(adminUrl)
  return TestDatabase.of({
    name,
    adminUrl,
    apiUrl: yield* prepareLogin(adminUrl, "api", password),
    jobsUrl: yield* prepareLogin(adminUrl, "jobs", password)
  })
}).pipe(Effect.mapError(({ message }) => new TestDatabaseFailed({ message })))

/** A migrated database while the scope is open: one more beside the file's, or one for a single test. */
export const migrated: Lent = lend((supply, name) => Databases.clone(supply.server, name, supply.template))

/** An empty database while the scope is open. */
export const empty: Lent = lend((supply, name) => Databases.create(supply.server, name))

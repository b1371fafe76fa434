import * as EmbeddedPostgres from "@llm-saas/embedded-postgres/EmbeddedPostgres"
import { format, parse } from "@llm-saas/database/logins/DatabaseUrl"
import { Effect, Match, Redacted, Result, type Scope } from "effect"
import { TestDatabaseFailed } from "./TestDatabaseFailed.ts"

/** Environment variables that say where tests find PostgreSQL. */
export interface ClusterSettings {
  /** `embedded` (the default) or `testcontainers`. */
  readonly TEST_DATABASE?: string | undefined
  /** An administrator's URL of a server for tests. Its roles `llm_api` and `llm_jobs` get a password of the tests. */
  readonly TEST_DATABASE_URL?: string | undefined
}

type Cluster = Effect.Effect<Redacted.Redacted, TestDatabaseFailed, Scope.Scope>

// No durability: tests keep nothing.
const IN_A_HURRY = [
  "fsync=off",
  "synchronous_commit=off",
  "full_page_writes=off",
  "autovacuum=off",
  "max_connections=300"
]

const embedded: Cluster = EmbeddedPostgres.make({ settings: { max_connections: 300 } }).pipe(
  Effect.map((server) => server.url),
  Effect.mapError(({ message }) => new TestDatabaseFailed({ message }))
)

// Loaded only when used: the package brings a Docker client along.
const container: Cluster = Effect.acquireRelease(
  Effect.tryPromise({
    try: () =>
      import("@testcontainers/postgresql").then(({ PostgreSqlContainer }) =>
        new PostgreSqlContainer("postgres:18")
          .withUsername("postgres")
          .withCommand(["postgres", ...IN_A_HURRY.flatMap((setting) => ["-c", setting])])
          .start()
      ),
    catch: (error) =>
      new TestDatabaseFailed({
        message: `no container with PostgreSQL: ${error instanceof Error ? error.message : String(error)}`
      })
  }),
  (started) => Effect.promise(() => started.stop())
).pipe(Effect.map((started) => Redacted.make(started.getConnectionUri())))

/** A server with the URL of a superuser (or of a CREATEROLE and CREATEDB login), while the scope is open. */
export const cluster = ({ TEST_DATABASE, TEST_DATABASE_URL }: ClusterSettings): Cluster =>
  TEST_DATABASE_URL
    ? Effect.fromResult(Result.map(parse(TEST_DATABASE_URL), format)).pipe(
        Effect.mapError(({ reason }) => new TestDatabaseFailed({ message: `TEST_DATABASE_URL: ${reason}` }))
      )
    : Match.value(TEST_DATABASE || "embedded").pipe(
        Match.when("embedded", () => embedded),
        Match.when("testcontainers", () => container),
        Match.orElse((other) =>
          Effect.fail(
            new TestDatabaseFailed({ message: `TEST_DATABASE=${other}: it takes embedded or testcontainers` })
          )
        )
      )

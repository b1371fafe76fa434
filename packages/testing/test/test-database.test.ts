import * as Databases from "@llm-saas/database/backup/Databases"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { cluster } from "../src/Cluster.ts"
import { empty, migrated, TestDatabase } from "../src/TestDatabase.ts"

const rows = (url: Redacted.Redacted, sql: string) => Effect.map(Databases.execute(url, sql), (result) => result.rows)

layer(TestDatabase.layer)("a database of its own for a test file", (it) => {
  it.effect("is migrated, and the API logs in as itself", () =>
    Effect.gen(function* () {
      const { apiUrl, adminUrl, name } = yield* TestDatabase
      assert.deepStrictEqual(
        yield* rows(apiUrl, "select current_user::text as who, current_database()::text as database"),
        [{ who: "llm_api", database: name }]
      )
      const [migrations] = yield* rows(adminUrl, "select count(*)::int > 0 as some from meta.migrations")
      assert.deepStrictEqual(migrations, { some: true })
    })
  )

  it.effect("shares nothing with another one", () =>
    Effect.gen(function* () {
      const here = yield* TestDatabase
      const there = yield* migrated
      yield* Databases.execute(there.adminUrl, "create table only_there ()")
      assert.deepStrictEqual(yield* rows(here.adminUrl, "select to_regclass('only_there')::text as found"), [
        { found: null }
      ])
    })
  )

  it.effect("is dropped at the end, with its open connections", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestDatabase
      const gone = yield* Effect.scoped(Effect.tap(empty, ({ adminUrl }) => rows(adminUrl, "select 1")))
      assert.isFalse(yield* Databases.exists(adminUrl, gone.name))
    })
  )
})

describe("where the tests find PostgreSQL", () => {
  it.effect("is refused by name when it is nothing we know", () =>
    Effect.gen(function* () {
      const failed = yield* Effect.flip(cluster({ TEST_DATABASE: "oracle" }))
      assert.include(failed.message, "TEST_DATABASE=oracle")
    })
  )
  it.effect("is the server of TEST_DATABASE_URL, whatever else is said", () =>
    Effect.gen(function* () {
      const url = yield* cluster({ TEST_DATABASE: "oracle", TEST_DATABASE_URL: "postgres://me@localhost/postgres" })
      assert.strictEqual(Redacted.value(url), "postgresql://me@localhost:5432/postgres")
    })
  )
})

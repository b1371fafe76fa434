import { assert, layer } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { Running } from "./Running.ts"

layer(Running.layer, { timeout: "120 seconds" })("a running program", (it) => {
  it.effect("is alive whatever becomes of its database, and ready only where the schema fits", () =>
    Effect.gen(function* () {
      const { send } = yield* Running
      const { adminUrl, name } = yield* TestDatabase
      const owner = (sql: string) => Databases.execute(adminUrl, sql)
      const statuses = Effect.map(Effect.all([send("GET", "/health"), send("GET", "/ready")]), (answers) =>
        answers.map(({ status }) => status)
      )
      const migrated = (version: number, breaking: boolean) =>
        owner(
          `insert into meta.migrations (version, name, checksum, breaking) values (${version}, 'x', 'x', ${breaking})`
        )
      assert.deepStrictEqual(yield* statuses, [200, 200])
      yield* migrated(9000, false)
      assert.deepStrictEqual(yield* statuses, [200, 200], "newer, and no harm to older programs")
      yield* migrated(9001, true)
      assert.deepStrictEqual(yield* statuses, [200, 503], "newer, and for newer programs only")
      yield* owner("delete from meta.migrations where version >= 9000")
      assert.deepStrictEqual(yield* statuses, [200, 200])
      yield* owner("delete from meta.migrations where version = 1")
      assert.deepStrictEqual(yield* statuses, [200, 503], "taken back")
      yield* migrated(1, false)

      yield* owner(`alter database ${name} connection limit 0`)
      yield* owner(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and usename = 'llm_api'`
      )
      const down = yield* send("GET", "/ready")
      assert.deepStrictEqual([down.status, down.body["code"]], [503, "unavailable"])
      assert.isAtLeast(Number(down.headers.get("retry-after")), 1)
      assert.strictEqual((yield* send("GET", "/health")).status, 200)
      yield* owner(`alter database ${name} connection limit -1`)
      assert.deepStrictEqual(yield* statuses, [200, 200], "back, by itself")
    })
  )
})

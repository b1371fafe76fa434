import { assert, layer } from "@effect/vitest"
import { DIRECTORY } from "@llm-saas/database/SqlFiles"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { open } from "./Session.ts"

const SCRIPTS = readdirSync(join(DIRECTORY, "test"))
  .filter((name) => name.endsWith(".sql"))
  .map((name) => name.slice(0, -".sql".length))

layer(TestDatabase.layer)("a lint", (it) => {
  for (const rule of SCRIPTS) {
    it.effect(`${rule}: finds the fault, and nothing once it is repaired`, () =>
      Effect.gen(function* () {
        const { adminUrl } = yield* TestDatabase
        const admin = yield* open(adminUrl)
        const script = readFileSync(join(DIRECTORY, "test", `${rule}.sql`), "utf8")
        // A fault, a check of the offenders, a repair, another check: a failing ASSERT's message contains the offenders.
        assert.match(script, /^--[^\n]*\nbegin;\n[^]*\nrollback;\n$/u)
        assert.strictEqual(script.match(new RegExp(`assert .*lint\\.${rule}\\b`, "gu"))?.length, 2)
        yield* admin.rows(script)
      }).pipe(Effect.scoped)
    )
  }

  it.effect("has a test, whichever it is", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestDatabase
      const admin = yield* open(adminUrl)
      const views = yield* admin.rows("select viewname from pg_views where schemaname = 'lint' order by 1")
      assert.deepStrictEqual(
        views.map((view) => view["viewname"]),
        [...SCRIPTS].sort()
      )
    }).pipe(Effect.scoped)
  )

  it.effect("finds nothing in the schema as it is", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestDatabase
      const admin = yield* open(adminUrl)
      assert.deepStrictEqual(yield* admin.rows("select * from lint.findings()"), [])
    }).pipe(Effect.scoped)
  )
})

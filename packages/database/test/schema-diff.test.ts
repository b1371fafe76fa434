import { assert, describe, it } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { migrate } from "@llm-saas/database/migrations/Migrations"
import { newMigration } from "@llm-saas/database/migrations/NewMigration"
import { schemaDiff } from "@llm-saas/database/migrations/SchemaDiff"
import { DIRECTORY } from "@llm-saas/database/SqlFiles"
import { dumpSchema } from "@llm-saas/database/migrations/SchemaDump"
import * as TestDatabase from "@llm-saas/testing/TestDatabase"
import { Effect } from "effect"
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const missing = !existsSync(join(DIRECTORY, "..", "tools", "schema-diff", "node_modules"))
if (missing)
  console.warn(
    "Tests of --from-diff are skipped: `npm ci` in tools/schema-diff installs what they need, as the command does."
  )

const sqlDirectory = Effect.acquireRelease(
  Effect.sync(() => {
    const directory = mkdtempSync(join(tmpdir(), "llm-saas-sql-"))
    cpSync(DIRECTORY, directory, { recursive: true })
    return directory
  }),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

describe.skipIf(missing)("a draft from a difference", () => {
  it.live(
    "is nothing where nothing was changed by hand, and else a migration that makes the same tables",
    () =>
      Effect.gen(function* () {
        const [files, changed] = [yield* TestDatabase.migrated, yield* TestDatabase.migrated]
        assert.strictEqual(yield* schemaDiff(files.adminUrl, changed.adminUrl), "")
        for (const sql of [
          "create table app.parcels (tenant_id uuid not null references app.tenants (id), id uuid not null, size integer not null default 3, primary key (tenant_id, id))",
          "alter table app.users add column nick text check (char_length(nick) < 50)",
          "create index parcels_of_size on app.parcels (tenant_id, size)"
        ])
          yield* Databases.execute(changed.adminUrl, sql)
        const draft = yield* schemaDiff(files.adminUrl, changed.adminUrl)
        const directory = yield* sqlDirectory
        const path = yield* newMigration("add parcels", { directory, draft })
        assert.include(readFileSync(path, "utf8"), "A DRAFT")
        assert.deepStrictEqual(
          (yield* migrate(files.adminUrl, { directory })).applied.map(({ name }) => name),
          ["add_parcels"]
        )
        assert.strictEqual(
          yield* schemaDiff(files.adminUrl, changed.adminUrl).pipe(
            Effect.map((rest) => rest.includes("parcels_of_size"))
          ),
          false
        )
        assert.include(yield* dumpSchema(files.adminUrl), "create policy tenant_wall on app.parcels")
      }).pipe(Effect.scoped),
    120_000
  )
})

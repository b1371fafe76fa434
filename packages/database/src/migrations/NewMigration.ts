import { Effect } from "effect"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { MigrationFailed } from "../MigrationFailed.ts"
import type { MigrationOptions } from "./Migrations.ts"
import { readSqlFiles } from "../SqlFiles.ts"

/**
 * Writes a migration with the next number, empty or with this draft, and returns its path. The name may be words: "add parcels" becomes
 * `0002_add_parcels.sql`.
 */
export const newMigration = Effect.fn("NewMigration.write")(function* (
  name: string,
  options: MigrationOptions & { readonly draft?: string | undefined } = {}
) {
  const files = yield* readSqlFiles(options.directory)
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, "_")
    .replaceAll(/^_|_$/gu, "")
  if (slug === "")
    return yield* new MigrationFailed({ reason: "files", detail: "a migration needs a name of letters and digits" })
  const number = Math.max(0, ...files.migrations.map(({ version }) => version)) + 1
  const path = join(files.directory, "migrations", `${String(number).padStart(4, "0")}_${slug}.sql`)
  yield* Effect.tryPromise({
    // `wx`: never over a file that is there.
    try: () =>
      writeFile(path, `${TEMPLATE}${options.draft === undefined ? "" : `${DRAFT}${options.draft}\n`}`, { flag: "wx" }),
    catch: () => new MigrationFailed({ reason: "files", detail: `cannot write ${path}` })
  })
  return path
})

const TEMPLATE = `-- What changes, and why. Tables only: functions, policies and grants have their own files and are built again each time.
-- The way back goes beside it, into the same name with .down.sql; its first line "-- loses: …" says what goes with it, if anything does.
-- A first line "-- breaking" keeps code that does not know this migration from running on a schema that has it.

`

const DRAFT = `-- A DRAFT of the difference between these files and a database that was changed by hand. Read it: a renamed column is a dropped and a new
-- one here, and comments are missing.

`

import * as Databases from "@llm-saas/database/backup/Databases"
import { prepareLogin } from "@llm-saas/database/logins/LoginRole"
import { migrate } from "@llm-saas/database/migrations/Migrations"
import { Effect, Redacted } from "effect"
import { createHash, createHmac, randomUUID } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { TestDatabaseFailed } from "./TestDatabaseFailed.ts"

const SQL = fileURLToPath(new URL("../../../sql", import.meta.url))

/** Hash of the content of `sql/`: the same files, the same template. */
const contentHash = Effect.sync(() => {
  const hash = createHash("sha256")
  const files = readdirSync(SQL, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name.endsWith(".sql")
  )
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort()) {
    hash
      .update(`${relative(SQL, path)}\0`)
      .update(readFileSync(path))
      .update("\0")
  }
  return hash.digest("hex").slice(0, 16)
})

/**
 * The password of the program's logins on this server. Roles belong to the whole server, so runs that share one must agree on it without
 * communicating: it is derived from the administrator's URL.
 */
const passwordOf = (server: Redacted.Redacted) =>
  Redacted.make(
    createHmac("sha256", Redacted.value(Databases.urlOf(server, "")))
      .update("llm_api in tests")
      .digest("base64url")
  )

/** A migrated database to copy, and how the program logs in to its server. */
export interface Template {
  readonly name: string
  readonly password: Redacted.Redacted
}

/** Migrates a template, unless the server has one with the same content. */
export const template = Effect.fnUntraced(
  function* (server: Redacted.Redacted) {
    const password = passwordOf(server)
    const name = `llm_template_${yield* contentHash}`
    const ready: Template = { name, password }
    if (yield* Databases.exists(server, name)) return ready

    const draft = `${name}_${randomUUID().slice(0, 8)}`
    yield* Databases.create(server, draft)
    const url = Databases.urlOf(server, draft)
    yield* migrate(url).pipe(
      Effect.andThen(prepareLogin(url, "api", password)),
      Effect.andThen(prepareLogin(url, "jobs", password)),
      Effect.onError(() => Effect.ignore(Databases.drop(server, draft)))
    )
    yield* Databases.makeTemplate(server, draft, name)
    return ready
  },
  Effect.mapError(
    (error) => new TestDatabaseFailed({ message: `the test database could not be migrated: ${error.message}` })
  )
)

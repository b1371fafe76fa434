import { Effect } from "effect"
import { createHash } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { MigrationFailed } from "./MigrationFailed.ts"
import { Roles, withPrefix } from "./logins/Roles.ts"

/** A file under `sql/`: its path from there, with forward slashes, and its text, with the names of this installation's roles. */
export interface SqlFile {
  readonly path: string
  readonly text: string
}

/** A numbered step forward. */
export interface Migration extends SqlFile {
  readonly version: number
  readonly name: string
  /** First line `-- breaking`: code that does not know this migration must not run on a schema that has it. */
  readonly breaking: boolean
  /** Hash of the file as it is, with the default role names. */
  readonly checksum: string
  /** The text of `NNNN_name.down.sql`, where there is one. */
  readonly down: SqlFile | undefined
}

/** The content of `sql/`, in the order it is applied. */
export interface SqlFiles {
  readonly directory: string
  /** Run as the administrator. */
  readonly roles: ReadonlyArray<SqlFile>
  readonly clean: SqlFile
  readonly migrations: ReadonlyArray<Migration>
  /** Statistics, functions, policies, audit views, grants, lints: built again when one of them or of `roles` changes. */
  readonly rebuilt: ReadonlyArray<SqlFile>
  /** Prices of models that come with the program: lines of JSON. */
  readonly prices: { readonly lines: ReadonlyArray<string>; readonly hash: string }
  /** Hash of everything that is not a migration. */
  readonly hash: string
  /** Hash of all files; `catalogue.tsv` names the hash it was made from. */
  readonly content: string
}

/** `sql/` of this repository. */
export const DIRECTORY = fileURLToPath(new URL("../../../sql", import.meta.url))

const NAME = /^(\d{4})_([a-z0-9_]+)(\.down)?\.sql$/u

/** Reads `sql/` for the installation's roles. Fails with reason `files` if it is not there or two migrations share a number. */
export const readSqlFiles = Effect.fn("SqlFiles.read")(function* (directory: string = DIRECTORY) {
  const roles = yield* folder(directory, "roles")
  const clean = yield* file(directory, "clean.sql")
  const migrations = yield* readMigrations(directory)
  const rebuilt = (yield* Effect.forEach(["statistics", "functions", "policies", "audit", "grants", "lint"], (name) =>
    folder(directory, name)
  )).flat()
  const seed = yield* file(directory, "seed/prices.jsonl")
  const prices = { lines: seed.original.split("\n").filter((line) => line !== ""), hash: sha256(seed.original) }
  const hash = hashOf([...roles, clean, ...rebuilt, { path: seed.path, text: seed.original }])
  // The same for any role names.
  const content = sha256(
    [
      ...[...roles, clean, ...rebuilt].map(({ original, path }) => `${path}\0${original}`),
      ...migrations.map(({ checksum, path }) => `${path}\0${checksum}`)
    ].join("\0")
  )
  const files: SqlFiles = { directory, roles, clean, migrations, rebuilt, prices, hash, content }
  return files
})

const readMigrations = Effect.fnUntraced(function* (directory: string) {
  const files = yield* folder(directory, "migrations")
  const downs = new Map<string, SqlFile>()
  const migrations: Array<Migration> = []
  for (const { original, path, text } of files) {
    const [, number, name, down] = NAME.exec(path.slice("migrations/".length)) ?? []
    if (number === undefined || name === undefined) {
      return yield* new MigrationFailed({ reason: "files", file: path, detail: "a migration is called NNNN_name.sql" })
    }
    if (down !== undefined) {
      downs.set(path, { path, text })
      continue
    }
    const version = Number(number)
    const twin = migrations.find((migration) => migration.version === version)
    if (twin !== undefined) {
      return yield* new MigrationFailed({ reason: "files", file: path, detail: `${twin.path} has this number too` })
    }
    migrations.push({
      path,
      text,
      version,
      name,
      breaking: /^-- breaking\b/u.test(text),
      checksum: sha256(original),
      down: undefined
    })
  }
  const withDown = migrations.map((migration) => ({
    ...migration,
    down: downs.get(migration.path.replace(/\.sql$/u, ".down.sql"))
  }))
  for (const path of downs.keys()) {
    if (!withDown.some((migration) => migration.down?.path === path)) {
      return yield* new MigrationFailed({
        reason: "files",
        file: path,
        detail: "there is no migration of this name to roll back"
      })
    }
  }
  return withDown
})

const folder = (directory: string, name: string) =>
  Effect.tryPromise({
    try: () => readdir(join(directory, name)),
    catch: () => new MigrationFailed({ reason: "files", detail: `there is no ${name}/ in ${directory}` })
  }).pipe(
    Effect.flatMap((names) =>
      Effect.forEach(names.filter((entry) => entry.endsWith(".sql")).sort(), (entry) =>
        file(directory, `${name}/${entry}`)
      )
    )
  )

const file = (directory: string, path: string) =>
  Effect.tryPromise({
    try: () => readFile(join(directory, path), "utf8"),
    catch: () => new MigrationFailed({ reason: "files", file: path, detail: `cannot be read in ${directory}` })
  }).pipe(
    // A checkout on Windows may have CRLF: the migration is the same.
    Effect.map((text) => text.replaceAll("\r\n", "\n")),
    Effect.flatMap((original) =>
      Effect.map(Roles, ({ prefix }): SqlFile & { readonly original: string } => ({
        path,
        text: withPrefix(original, prefix),
        original
      }))
    )
  )

const hashOf = (files: ReadonlyArray<SqlFile>) => sha256(files.map(({ path, text }) => `${path}\0${text}`).join("\0"))

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")

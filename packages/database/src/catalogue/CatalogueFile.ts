import { Effect } from "effect"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Fact } from "./Drift.ts"
import { MigrationFailed } from "../MigrationFailed.ts"
import { Roles, withPrefix } from "../logins/Roles.ts"
import { DIRECTORY } from "../SqlFiles.ts"

/** `sql/catalogue.tsv`: the output of `audit.catalogue()` in a database just made from the other files of `sql/`. */
export interface CatalogueFile {
  /** Hash of the files it was made from; see `SqlFiles.content`. */
  readonly content: string
  readonly facts: ReadonlyArray<Fact>
}

const NAME = "catalogue.tsv"

const HEADER =
  "-- What sql/ makes of PostgreSQL's catalogue. Written by `npm run db:schema`, compared by every isolation report; of "

/** Reads it, for the installation's roles. Fails with reason `files` if it is not there. */
export const readCatalogueFile = Effect.fnUntraced(function* (directory: string = DIRECTORY) {
  const text = yield* Effect.tryPromise({
    try: () => readFile(join(directory, NAME), "utf8"),
    catch: () => new MigrationFailed({ reason: "files", file: NAME, detail: `cannot be read in ${directory}` })
  })
  const { prefix } = yield* Roles
  const [header = "", ...lines] = text.replaceAll("\r\n", "\n").trimEnd().split("\n")
  const file: CatalogueFile = {
    content: header.slice(HEADER.length),
    facts: lines.map((line) => {
      const [kind = "", object = "", aspect = "", fact = ""] = line
        .split("\t")
        .map((part) => withPrefix(unescaped(part), prefix))
      return { kind, object, aspect, fact }
    })
  }
  return file
})

/** Writes it, and returns the path. */
export const writeCatalogueFile = Effect.fnUntraced(function* (file: CatalogueFile, directory: string = DIRECTORY) {
  const path = join(directory, NAME)
  const lines = file.facts.map(({ aspect, fact, kind, object }) => [kind, object, aspect, fact].map(escaped).join("\t"))
  yield* Effect.tryPromise({
    try: () => writeFile(path, `${HEADER}${file.content}\n${lines.sort(byCodePoint).join("\n")}\n`),
    catch: () => new MigrationFailed({ reason: "files", detail: `cannot write ${path}` })
  })
  return path
})

const byCodePoint = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0)

const escaped = (text: string) => text.replaceAll("\\", "\\\\").replaceAll("\t", "\\t").replaceAll("\n", "\\n")

const unescaped = (text: string) =>
  text.replaceAll(/\\([\\tn])/gu, (_, letter: string) => (letter === "t" ? "\t" : letter === "n" ? "\n" : "\\"))

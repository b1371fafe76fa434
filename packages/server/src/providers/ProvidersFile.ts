import type { Configuration } from "@llm-saas/llm/routes/Configuration"
import { type ConfigProvider, Effect, FileSystem, Result, Schema } from "effect"
import { parseDocument } from "yaml"
import { checked } from "./CheckedFile.ts"
import type { Defaults } from "./Defaults.ts"
import { configurationOf } from "./FileConfiguration.ts"
import { type FileError, lineOf } from "./FileErrors.ts"
import { secretsOf } from "./Secrets.ts"

/** The file cannot be used. The message has one line for each error, for the operator. */
export class ProvidersFileInvalid extends Schema.TaggedError<ProvidersFileInvalid>()("ProvidersFileInvalid", {
  path: Schema.String,
  errors: Schema.Array(Schema.Struct({ path: Schema.String, message: Schema.String }))
}) {
  override get message(): string {
    const { length } = this.errors
    return [
      `PROVIDERS_FILE is not usable: ${this.path} has ${length === 1 ? "an error" : `${length} errors`}`,
      ...this.errors.map((error) => `  ${lineOf(error)}`)
    ].join("\n")
  }
}

/** A file's configuration, and what to tell the operator about it. */
export interface Loaded {
  readonly configuration: Configuration
  readonly warnings: ReadonlyArray<string>
}

/** Everything that a configuration is made of: the file's text, and those of the files with keys that it names. Undefined: not readable. */
export interface Snapshot {
  readonly text: string | undefined
  readonly files: ReadonlyMap<string, string | undefined>
}

export const same = (one: Snapshot, other: Snapshot): boolean =>
  one.text === other.text
  && one.files.size === other.files.size
  && [...one.files].every(([name, text]) => other.files.has(name) && other.files.get(name) === text)

/** Reads the file, and the files that it names. It fails for nothing: what is missing is an error of the configuration. */
export const snapshot = Effect.fnUntraced(function* (path: string) {
  const text = yield* textAt(path)
  const document = text === undefined ? undefined : parse(path, text)
  const entries =
    document === undefined || Result.isFailure(document) ? [] : [...checked(document.success).providers.values()]
  const names = entries.flatMap(({ api_key_file }) => (api_key_file === undefined ? [] : [api_key_file]))
  const files = yield* Effect.forEach(new Set(names), (name) =>
    Effect.map(textAt(name), (text) => [name, text] as const)
  )
  const found: Snapshot = { text, files: new Map(files) }
  return found
})

const textAt = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const bytes = yield* Effect.orElseSucceed(fs.readFile(path), () => undefined)
  if (bytes === undefined) return undefined
  return yield* Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => undefined
  }).pipe(Effect.orElseSucceed(() => undefined))
})

/** The configuration of a file's contents. All errors are found, not only the first. */
export const load = Effect.fnUntraced(function* (
  path: string,
  { files, text }: Snapshot,
  defaults: Defaults,
  variables: ConfigProvider.ConfigProvider
) {
  const refuse = (errors: ReadonlyArray<FileError>) => new ProvidersFileInvalid({ path, errors })
  if (text === undefined)
    return yield* refuse([{ path: "", message: "expected a text file in UTF-8 that may be read" }])
  const document = parse(path, text)
  if (Result.isFailure(document)) return yield* refuse(document.failure)
  const file = checked(document.success)
  const secrets = yield* secretsOf(file, files, variables)
  const errors = [...file.errors, ...secrets.errors]
  if (errors.length > 0) return yield* refuse(errors)
  const loaded: Loaded = {
    configuration: configurationOf(file, secrets.found, defaults),
    warnings: file.warnings
  }
  return loaded
})

/** YAML 1.2, of which JSON is a part. The parser's own messages quote the text: only the place is told. */
const parse = (path: string, text: string): Result.Result<unknown, ReadonlyArray<FileError>> => {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true, version: "1.2", schema: "core" })
  if (document.errors.length === 0) {
    // An alias may be repeated to no end ("billion laughs"): the package refuses more than a hundred.
    const value = Result.try((): unknown => document.toJS({ maxAliasCount: 100 }))
    return Result.mapError(value, () => [{ path: "", message: "expected at most 100 uses of anchors" }])
  }
  const kind = path.endsWith(".json") ? "JSON" : "YAML"
  const messages = document.errors.map(({ code, linePos }) => {
    const at = linePos?.[0]
    const place = at === undefined ? "" : ` (line ${at.line}, column ${at.col})`
    return `expected ${code === "DUPLICATE_KEY" ? "no name twice in one object" : kind}${place}`
  })
  return Result.fail([...new Set(messages)].map((message) => ({ path: "", message })))
}

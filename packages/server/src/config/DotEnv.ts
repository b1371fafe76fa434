import { Array, ConfigProvider, Effect, FileSystem } from "effect"
import { type BrokenVariable, SettingsInvalid } from "./SettingsInvalid.ts"

/** Sources of a process's variables. */
export interface Sources {
  /** Path of a `.env` file, which may be missing. */
  readonly path: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The variables to read. For these, `NAME_FILE` is read too. */
  readonly names: ReadonlyArray<string>
}

/**
 * The variables of the process, then those of a `.env` file if there is one: the environment wins. An empty variable counts as absent in
 * both, as in a compose file's `${NAME:-}`, except for {@link SPEAKS_EMPTY}. In both, `NAME_FILE` names a file with the value of `NAME`:
 * mounted secrets are files, and do not show where a process or a container is described.
 */
export const provider = Effect.fnUntraced(function* ({ environment, names, path }: Sources) {
  const given = yield* withFiles(ConfigProvider.fromEnvRecord(environment, KEPT), names)
  const fs = yield* FileSystem.FileSystem
  const broken = (expected: string) => new SettingsInvalid({ broken: [{ variable: path, expected }] })
  const bytes = yield* fs.readFile(path).pipe(
    Effect.catchReason("PlatformError", "NotFound", () => Effect.succeed(new Uint8Array())),
    Effect.mapError(() => broken("a text file that may be read"))
  )
  const text = yield* Effect.mapError(textOf(bytes), () => broken(UTF8))
  const file = ConfigProvider.fromDotEnvContents(text, KEPT)
  return ConfigProvider.orElse(given, yield* withFiles(file, names))
})

/** An unquoted or double-quoted value with a `$`; a comment begins with a `#` after a space. */
const DOLLAR = /^[ \t]*(?:export[ \t]+)?([A-Z0-9_]+)[ \t]*=[ \t]*(?![ \t'])[^\n#$]*\$/gmu

/** Variables of a `.env` file that docker compose reads differently: it expands a `$` as a variable's name. */
export const withDollar = (text: string, names: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...text.matchAll(DOLLAR)].flatMap(([, name = ""]) => (names.includes(name.replace(/_FILE$/u, "")) ? [name] : []))

/**
 * A file's text, with or without a byte order mark. Fails for UTF-16, which older PowerShell and editors on Windows write and which would
 * read as no variables at all, and for every other encoding than UTF-8.
 */
const textOf = (bytes: Uint8Array): Effect.Effect<string, undefined> =>
  Effect.try({ try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes), catch: () => undefined }).pipe(
    Effect.filterOrFail(
      (text) => !text.includes("\0"),
      () => undefined
    )
  )

const UTF8 =
  'a text file in UTF-8; save it again with that encoding (an editor\'s "Save as", or in PowerShell: Set-Content -Encoding utf8)'

/** Values only. The provider of an environment sees a record `A` in `A_B`, so that the next provider would not be asked for `A`. */
const flat = (source: ConfigProvider.ConfigProvider): ConfigProvider.ConfigProvider =>
  ConfigProvider.make((path) =>
    Effect.map(source.load(path), (node) =>
      node?.value === undefined || (node.value === "" && !SPEAKS_EMPTY.has(path.join("_")))
        ? undefined
        : ConfigProvider.makeValue(node.value)
    )
  )

/** Variables for which empty is a value: none. */
const SPEAKS_EMPTY = new Set(["LLM_TEMPERATURE"])
const KEPT = { preserveEmptyStrings: true }

const withFiles = Effect.fnUntraced(function* (given: ConfigProvider.ConfigProvider, names: ReadonlyArray<string>) {
  const source = flat(given)
  const found = yield* Effect.forEach(names, (name) => Effect.result(contentOf(source, name)))
  const broken = Array.getFailures(found)
  if (Array.isArrayNonEmpty(broken)) return yield* new SettingsInvalid({ broken })
  const contents = ConfigProvider.fromEnvRecord(Object.fromEntries(Array.getSuccesses(found).flat()))
  return ConfigProvider.orElse(flat(contents), source)
})

/** The name and its value, from a file if `NAME_FILE` is set. Setting both is an error: either choice could surprise the operator. */
const contentOf = Effect.fnUntraced(function* (source: ConfigProvider.ConfigProvider, name: string) {
  const variable = `${name}_FILE`
  const refuse = (expected: string) => Effect.fail<BrokenVariable>({ variable, expected })
  const read = (key: string) => Effect.map(Effect.orDie(source.load([key])), (node) => node?.value)
  const path = yield* read(variable)
  if (path === undefined) return []
  if ((yield* read(name)) !== undefined) return yield* refuse(`nothing, because ${name} is set too`)
  const fs = yield* FileSystem.FileSystem
  const bytes = yield* Effect.catch(fs.readFile(path), () => refuse("the path of a text file that may be read"))
  const text = yield* Effect.catch(textOf(bytes), () => refuse("the path of a text file in UTF-8"))
  // Editors and tools end the line; no value of ours ends with one.
  const value = text.replace(/(?<![\r\n])[\r\n]+$/u, "")
  return value === "" ? yield* refuse("the path of a file that is not empty") : [[name, value] as const]
})

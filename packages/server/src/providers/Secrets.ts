import type { ProviderSettings } from "@llm-saas/llm/routes/Configuration"
import { type ConfigProvider, Effect, Redacted } from "effect"
import type { CheckedFile } from "./CheckedFile.ts"
import { type FileError, type Path, pathOf } from "./FileErrors.ts"
import type { ProviderEntry } from "./ProvidersDocument.ts"

/** What a provider needs of the environment and of files. */
export type Secrets = Pick<ProviderSettings, "headers" | "key">

const KEY = /^[\x21-\x7e]{1,1000}$/u
const HEADER = /^[\x20-\x7e]{0,4096}$/u

/** The keys and secret headers of a file's providers; `files`: the contents of the files that it names. */
export const secretsOf = Effect.fnUntraced(function* (
  { providers }: CheckedFile,
  files: ReadonlyMap<string, string | undefined>,
  variables: ConfigProvider.ConfigProvider
) {
  const errors: Array<FileError> = []
  const refuse = (path: Path, expected: string) => {
    errors.push({ path: pathOf(path), message: `expected ${expected}` })
    return undefined
  }

  const variable = (name: string) =>
    variables.load([name]).pipe(
      Effect.map((node) => node?.value),
      Effect.orElseSucceed(() => undefined)
    )

  const keyOf = Effect.fnUntraced(function* (name: string, { api_key, api_key_env, api_key_file }: ProviderEntry) {
    if (api_key !== undefined) return api_key
    if (api_key_env !== undefined) {
      const text = yield* variable(api_key_env)
      if (text !== undefined && KEY.test(text)) return Redacted.make(text)
      return refuse(
        ["providers", name, "api_key_env"],
        "a variable that is set, with a key of one line, without spaces"
      )
    }
    if (api_key_file === undefined) return undefined
    const text = files.get(api_key_file)?.trim()
    if (text !== undefined && KEY.test(text)) return Redacted.make(text)
    return refuse(
      ["providers", name, "api_key_file"],
      "the path of a readable file with a key of one line, without spaces"
    )
  })

  const headersOf = Effect.fnUntraced(function* (name: string, { headers }: ProviderEntry) {
    const found: Record<string, Redacted.Redacted> = {}
    for (const [header, value] of Object.entries(headers ?? {})) {
      const text = typeof value === "string" ? value : yield* variable(value.env)
      if (text !== undefined && HEADER.test(text)) found[header] = Redacted.make(text)
      else
        refuse(
          ["providers", name, "headers", header, "env"],
          "a variable that is set, with a header's value of visible ASCII characters"
        )
    }
    return found
  })

  const found = new Map<string, Secrets>()
  for (const [name, entry] of providers)
    found.set(name, { key: yield* keyOf(name, entry), headers: yield* headersOf(name, entry) })
  return { errors, found }
})

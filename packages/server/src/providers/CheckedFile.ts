import { isJsonObject, type JsonObject } from "@llm-saas/domain/Json"
import { Result } from "effect"
import { PriceEntry } from "./PriceEntry.ts"
import { decode, type FileError, meant, type Path, pathOf } from "./FileErrors.ts"
import {
  ALIAS,
  HEADER_NAME,
  ModelEntry,
  Outline,
  OWN_HEADERS,
  PROVIDER_NAME,
  ProviderEntry,
  TargetEntry
} from "./ProvidersDocument.ts"

/** A file's entries as far as they can be read, and everything that is wrong with it. */
export interface CheckedFile {
  readonly providers: ReadonlyMap<string, ProviderEntry>
  readonly models: ReadonlyMap<string, ModelEntry>
  readonly defaultModel: string | undefined
  readonly errors: ReadonlyArray<FileError>
  /** For the log. */
  readonly warnings: ReadonlyArray<string>
}

/** Checks a file's value: each entry by itself, then what one says of another. */
export const checked = (value: unknown): CheckedFile => {
  const outline = decode(Outline, value, [], () => Object.keys(Outline.fields))
  const entries = (member: string) => {
    const found = isJsonObject(value) ? value[member] : undefined
    return isJsonObject(found) ? Object.entries(found) : []
  }
  const providers = new Map<string, ProviderEntry>()
  const models = new Map<string, ModelEntry>()
  const errors = [...(Result.isFailure(outline) ? outline.failure : [])]
  const take = <A>(result: Result.Result<A, ReadonlyArray<FileError>>, into: Map<string, A>, name: string) => {
    if (Result.isSuccess(result)) into.set(name, result.success)
    else errors.push(...result.failure)
  }
  const provided = new Map(entries("providers").map(([name, entry]) => [name, isJsonObject(entry) ? entry : {}]))
  for (const [name, entry] of entries("providers")) {
    take(decode(ProviderEntry, entry, ["providers", name], providerMembers), providers, name)
    if (!PROVIDER_NAME.test(name)) errors.push(wrong(["providers", name], NAME))
    if (isJsonObject(entry)) errors.push(...providerErrors(name, entry))
  }
  for (const [alias, entry] of entries("models")) {
    take(decode(ModelEntry, entry, ["models", alias], modelMembers), models, alias)
    if (!ALIAS.test(alias)) errors.push(wrong(["models", alias], VISIBLE))
    if (isJsonObject(entry)) errors.push(...modelErrors(alias, entry, provided))
  }
  const aliases = entries("models").map(([alias]) => alias)
  if (Result.isSuccess(outline) && aliases.length === 0) errors.push(wrong(["models"], "at least one model"))
  const given = isJsonObject(value) ? value["default_model"] : undefined
  const defaultModel = typeof given === "string" ? given : undefined
  if (
    defaultModel !== undefined
    && (!aliases.includes(defaultModel) || models.get(defaultModel)?.kind === "embeddings")
  )
    errors.push(wrong(["default_model"], `the name of a chat model of this file${meant(defaultModel, aliases)}`))
  return { providers, models, defaultModel, errors, warnings: warningsOf(providers, models) }
}

const NAME = "a name of at most 63 lower-case letters, digits, '.', '-' and '_', with a letter or a digit first"
const VISIBLE = "a name of at most 200 visible ASCII characters, without spaces"

const wrong = (path: Path, expected: string): FileError => ({ path: pathOf(path), message: `expected ${expected}` })

const providerMembers = (path: Path) => (path.length === 0 ? Object.keys(ProviderEntry.fields) : ["env"])
const modelMembers = (path: Path) =>
  path.at(-1) === "price"
    ? Object.keys(PriceEntry.fields)
    : path.length === 0
      ? Object.keys(ModelEntry.fields)
      : Object.keys(TargetEntry.fields)

/** What a type of provider must have, and must not; also of an entry that cannot be read otherwise. */
const providerErrors = (name: string, entry: JsonObject): ReadonlyArray<FileError> => {
  const at = (member: string) => ["providers", name, member]
  const given = (member: string) => entry[member] !== undefined
  const keys = ["api_key_env", "api_key_file", "api_key"].filter(given)
  const errors = keys.slice(1).map((member) => wrong(at(member), `nothing, because there is ${keys[0]}`))
  const rest = ["base_url", "api_version", "responses", "headers"].filter(given)
  const { headers, key, type } = entry
  if (type === "mock")
    return [...errors, ...[...keys, ...rest].map((member) => wrong(at(member), "nothing: type is mock"))]
  if (type === "azure" && !given("base_url"))
    errors.push(wrong(at("base_url"), "the URL of the resource: type is azure"))
  if (type === "azure" && !given("api_version"))
    errors.push(wrong(at("api_version"), "a version of the API such as 2024-10-21: type is azure"))
  if (type === "openai" && given("api_version"))
    errors.push(wrong(at("api_version"), "nothing: type is openai. Azure's classic API is type azure"))
  if (type !== "openai" && given("responses"))
    errors.push(wrong(at("responses"), "nothing: only the type openai has Responses"))
  const needsKey = type === "azure" || !given("base_url")
  if (needsKey && keys.length === 0 && key !== "tenant_only")
    errors.push(wrong(["providers", name], "api_key_env, api_key_file or key: tenant_only"))
  for (const header of headers !== undefined && isJsonObject(headers) ? Object.keys(headers) : []) {
    if (!HEADER_NAME.test(header) || OWN_HEADERS.has(header))
      errors.push(wrong([...at("headers"), header], "the name of a header in lower case that is not the program's own"))
  }
  return errors
}

/** What a model says of itself and of providers; also of an entry that cannot be read otherwise. */
const modelErrors = (
  alias: string,
  { fallback_on, kind, strategy, targets }: JsonObject,
  providers: ReadonlyMap<string, JsonObject>
): ReadonlyArray<FileError> => {
  const at = (...rest: Path) => ["models", alias, ...rest]
  const errors: Array<FileError> = []
  const all = (Array.isArray(targets) ? targets : []).map((target: unknown) => (isJsonObject(target) ? target : {}))
  const single = strategy === undefined || strategy === "single"
  if (all.length > 1 && single) errors.push(wrong(at("strategy"), "fallback or loadbalance: there are several targets"))
  if (fallback_on !== undefined && single)
    errors.push(wrong(at("fallback_on"), "nothing: with the strategy single there is no other target"))
  if (strategy === "loadbalance" && all.length > 0 && all.every(({ weight }) => weight === 0))
    errors.push(wrong(at("targets"), "a weight above 0 at one of them"))
  for (const [index, { provider, weight }] of all.entries()) {
    if (weight !== undefined && strategy !== "loadbalance")
      errors.push(wrong(at("targets", index, "weight"), "nothing: weights are for the strategy loadbalance"))
    if (typeof provider !== "string") continue
    const found = providers.get(provider)
    const where = at("targets", index, "provider")
    if (found === undefined)
      errors.push(wrong(where, `the name of a provider of this file${meant(provider, providers.keys())}`))
    if (kind === "embeddings" && found?.["type"] === "anthropic")
      errors.push(wrong(where, "a provider that makes embeddings, which anthropic does not"))
  }
  return errors
}

const warningsOf = (providers: ReadonlyMap<string, ProviderEntry>, models: ReadonlyMap<string, ModelEntry>) => {
  const used = new Set([...models.values()].flatMap(({ targets }) => targets.map(({ provider }) => provider)))
  return [...providers].flatMap(([name, { api_key }]) => [
    ...(api_key === undefined
      ? []
      : [
          `${pathOf(["providers", name, "api_key"])} has a key in the file itself: api_key_env or api_key_file keep it elsewhere`
        ]),
    ...(used.has(name) ? [] : [`${pathOf(["providers", name])} is not used by any model`])
  ])
}

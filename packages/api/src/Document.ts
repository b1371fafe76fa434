import { MAX_PAGE } from "@llm-saas/domain/Page"
import { Predicate, Struct } from "effect"
import { OpenApi } from "effect/http-api"

type Json = { readonly [key: string]: unknown }

/** How the contract's document reads: for people in `/docs`, for linters, and for programs that make clients of it. */
export const tidy = OpenApi.annotations({
  license: { name: "MIT", url: "https://spdx.org/licenses/MIT.html" },
  servers: [{ url: "/", description: "The server that this document came from" }],
  transform: (document) => {
    const names = plainNames(schemasOf(document))
    const tidied = tidyValue(document, names)
    return Predicate.isObject(tidied) ? { ...tidied } : document
  }
})

const schemasOf = (document: Json): Json =>
  Predicate.hasProperty(document["components"], "schemas") && Predicate.isObject(document["components"].schemas)
    ? document["components"].schemas
    : {}

const SUFFIX = /(?:Encoded)?(?:_\d+)?$/u

/**
 * Names as people would give them. What travels of a `Tenant` is called `TenantEncoded` by the generator, and a schema used in a form
 * and in JSON is there twice: each gets the plain name, unless that is another schema's.
 */
const plainNames = (schemas: Json): ReadonlyMap<string, string> => {
  const owners = new Map<string, string>()
  const names = new Map<string, string>()
  // The plain ones come first: a name goes to who has it already.
  for (const name of Object.keys(schemas).toSorted((a, b) => a.length - b.length)) {
    const plain = name.replace(SUFFIX, "")
    const text = JSON.stringify(schemas[name])
    const owner = owners.get(plain)
    if (owner === undefined) owners.set(plain, text)
    names.set(name, owner === undefined || owner === text ? plain : name)
  }
  return names
}

const REFERENCE = "#/components/schemas/"

const tidyValue = (value: unknown, names: ReadonlyMap<string, string>, key = ""): unknown => {
  if (Array.isArray(value)) return value.map((each) => tidyValue(each, names))
  if (!Predicate.isObject(value)) {
    return key === "$ref" && Predicate.isString(value)
      ? `${REFERENCE}${names.get(value.slice(REFERENCE.length)) ?? value.slice(REFERENCE.length)}`
      : value
  }
  const entries = Object.entries(value).map(([name, each]) => [
    key === "schemas" ? (names.get(name) ?? name) : name,
    tidyValue(each, names, name)
  ])
  return tidySchema(Object.fromEntries(entries), key)
}

const tidySchema = (schema: Json, key: string): Json => {
  // A list's limit is sent as text, as everything in a query is; it is a number all the same.
  if (schema["in"] === "query" && schema["name"] === "limit")
    return { ...schema, schema: { type: "integer", minimum: 1, maximum: MAX_PAGE } }
  if (schema["type"] !== "string") return schema
  if (schema["format"] !== undefined) {
    return Struct.omit(schema, ["pattern"])
  }
  // Names that end so are times, everywhere in the contract.
  return key.endsWith("_at") && schema["enum"] === undefined ? { ...schema, format: "date-time" } : schema
}

import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"

/** Levels of a schema that are followed: a schema may refer to itself. */
const DEPTH = 8

/**
 * A value that a JSON schema allows, for the schemas that clients of models send: objects, lists, texts, numbers, choices, references into
 * `$defs`. `word` is the text where any text will do.
 */
export const exampleOf = (schema: JsonObject, word: string): Json => make(schema, schema, word, 0)

const make = (schema: JsonObject, root: JsonObject, word: string, depth: number): Json => {
  const inner = (each: Json | undefined): Json => (isJsonObject(each) ? make(each, root, word, depth + 1) : null)
  if (typeof schema["$ref"] === "string") return depth < DEPTH ? inner(resolve(schema["$ref"], root)) : null
  if (schema["const"] !== undefined) return schema["const"]
  if (Array.isArray(schema["enum"])) return schema["enum"][0] ?? null
  if (schema["default"] !== undefined) return schema["default"]
  for (const name of ["anyOf", "oneOf"]) {
    const choices = schema[name]
    if (Array.isArray(choices)) return inner(choices[0])
  }
  if (Array.isArray(schema["allOf"])) return inner(merged(schema, schema["allOf"].filter(isJsonObject)))
  const type = Array.isArray(schema["type"]) ? schema["type"][0] : schema["type"]
  switch (type ?? (isJsonObject(schema["properties"]) ? "object" : "string")) {
    case "object": {
      const properties = isJsonObject(schema["properties"]) ? schema["properties"] : {}
      const required = Array.isArray(schema["required"]) ? schema["required"] : []
      // Where it may end, a schema that refers to itself does.
      const wanted = Object.keys(properties).filter((name) => required.includes(name) || depth < DEPTH / 2)
      return Object.fromEntries(wanted.map((name) => [name, inner(properties[name])]))
    }
    case "array": {
      const least = typeof schema["minItems"] === "number" ? schema["minItems"] : depth < DEPTH / 2 ? 1 : 0
      return Array.from({ length: Math.min(least, 100) }, () => inner(schema["items"]))
    }
    case "number":
    case "integer":
      return numberIn(schema)
    case "boolean":
      return true
    case "null":
      return null
    default:
      return textIn(schema, word)
  }
}

const numberIn = ({ exclusiveMinimum, maximum, minimum }: JsonObject): number => {
  if (typeof minimum === "number") return minimum
  if (typeof exclusiveMinimum === "number") return exclusiveMinimum + 1
  return typeof maximum === "number" ? Math.min(1, maximum) : 1
}

const FORMATS: Readonly<Record<string, string>> = {
  date: "2026-01-01",
  "date-time": "2026-01-01T00:00:00Z",
  time: "00:00:00Z",
  email: "mock@example.com",
  uri: "https://example.com",
  uuid: "00000000-0000-4000-8000-000000000000"
}

const textIn = ({ format, maxLength, minLength }: JsonObject, word: string): string => {
  const known = typeof format === "string" ? FORMATS[format] : undefined
  if (known !== undefined) return known
  const padded = typeof minLength === "number" ? word.padEnd(Math.min(minLength, 10_000), ".") : word
  return typeof maxLength === "number" ? padded.slice(0, maxLength) : padded
}

/** A reference inside the schema, as a JSON pointer (RFC 6901). */
const resolve = (reference: string, root: JsonObject): Json | undefined => {
  if (!reference.startsWith("#")) return undefined
  let found: Json | undefined = root
  for (const part of reference.slice(1).split("/").slice(1)) {
    const name = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~")
    found = isJsonObject(found) ? found[name] : undefined
  }
  return found
}

const merged = (schema: JsonObject, parts: ReadonlyArray<JsonObject>): JsonObject => {
  const properties = [schema, ...parts].map((part) => (isJsonObject(part["properties"]) ? part["properties"] : {}))
  const required = [schema, ...parts].flatMap((part) => (Array.isArray(part["required"]) ? part["required"] : []))
  return { ...Object.assign({}, ...parts), properties: Object.assign({}, ...properties), required }
}

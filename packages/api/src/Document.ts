import { Predicate, Struct } from "effect"
import { OpenApi } from "effect/http-api"
import { KEY_HEADERS } from "./Access.ts"
import { asObject, at, type Json, mapOperations, REFERENCE } from "./Json.ts"
import { withOptionalBodies } from "./OptionalBody.ts"
import { withParameterTexts } from "./ParameterTexts.ts"
import { withResponses } from "./Responses.ts"

/**
 * Completes the generated OpenAPI document, for `/docs`, for linters and for client generators. It adds what the generator cannot know
 * about this server, for all endpoints at once.
 */
export const tidy = OpenApi.annotations({
  license: { name: "MIT", url: "https://spdx.org/licenses/MIT.html" },
  servers: [{ url: "/", description: "The server that this document came from" }],
  transform: (document) => {
    const names = plainNames(at(document, "components", "schemas"))
    const open = reachable(document, "requestBody", names)
    return {
      ...withResponses(
        withParameterTexts(withOptionalBodies(withOtherCredentials(asObject(tidyValue(document, names, open)))))
      )
    }
  }
})

const SUFFIX = /(?:Encoded)?(?:_\d+)?$/u

/**
 * Plain names of schemas. The generator calls the encoded form of `Tenant` `TenantEncoded`, and lists a schema that is used in a form
 * and in JSON twice: each gets the plain name, unless another schema has it.
 */
const plainNames = (schemas: Json): ReadonlyMap<string, string> => {
  const owners = new Map<string, string>()
  const names = new Map<string, string>()
  // Shorter names first: a schema that has the plain name already keeps it.
  for (const name of Object.keys(schemas).toSorted((a, b) => a.length - b.length)) {
    const plain = name.replace(SUFFIX, "")
    const text = JSON.stringify(schemas[name])
    const owner = owners.get(plain)
    if (owner === undefined) owners.set(plain, text)
    names.set(name, owner === undefined || owner === text ? plain : name)
  }
  return names
}

/** The plain names of the schemas used below a key, directly or by another schema. */
const reachable = (document: Json, key: string, names: ReadonlyMap<string, string>): ReadonlySet<string> => {
  const schemas = at(document, "components", "schemas")
  const found = new Set<string>()
  const visit = (value: unknown, inside: boolean): void => {
    if (Array.isArray(value)) return value.forEach((each) => visit(each, inside))
    if (!Predicate.isObject(value)) return
    for (const [name, each] of Object.entries(value)) {
      if (inside && name === "$ref" && Predicate.isString(each)) {
        const target = each.slice(REFERENCE.length)
        const plain = names.get(target) ?? target
        if (!found.has(plain)) {
          found.add(plain)
          visit(schemas[target], true)
        }
      } else visit(each, inside || name === key)
    }
  }
  visit(document["paths"], false)
  return found
}

const tidyValue = (
  value: unknown,
  names: ReadonlyMap<string, string>,
  open: ReadonlySet<string>,
  key = ""
): unknown => {
  if (Array.isArray(value)) return value.map((each) => tidyValue(each, names, open))
  if (!Predicate.isObject(value)) {
    return key === "$ref" && Predicate.isString(value)
      ? `${REFERENCE}${names.get(value.slice(REFERENCE.length)) ?? value.slice(REFERENCE.length)}`
      : value
  }
  const entries = Object.entries(value).map(([name, each]) => {
    if (key !== "schemas") return [name, tidyValue(each, names, open, name)]
    const plain = names.get(name) ?? name
    const tidied = tidyValue(each, names, open, plain)
    return [plain, open.has(plain) ? opened(asObject(tidied)) : tidied]
  })
  return tidySchema(Object.fromEntries(entries), key)
}

/** A request may have unknown members, as older and newer clients send them. An answer has only the members of its schema. */
const opened = (schema: Json): Json =>
  "additionalProperties" in schema ? { ...schema, additionalProperties: true } : schema

const tidySchema = (given: Json, key: string): Json => {
  const schema = isOpen(given) ? { ...Struct.omit(given, ["allOf"]), additionalProperties: true } : given
  if (schema["type"] !== "string") return isProblem(schema) ? asProblem(schema) : schema
  // A string schema with bounds of a number: a query sends text, but the value is an integer.
  if (schema["minimum"] !== undefined) return { ...schema, type: "integer" }
  // The format says all that the pattern does; of days, the pattern says that no year begins with 0.
  if (schema["format"] === "date") return schema
  if (schema["format"] !== undefined) return Struct.omit(schema, ["pattern"])
  // Everywhere in the API, members with names that end in `_at` are times.
  return key.endsWith("_at") && schema["enum"] === undefined ? { ...schema, format: "date-time" } : schema
}

/** Whether the generator says of it, in its own way, that it may have other members. */
const isOpen = ({ allOf }: Json): boolean =>
  Array.isArray(allOf) && JSON.stringify(allOf) === '[{"type":"object","additionalProperties":{}}]'

const isProblem = (schema: Json): boolean =>
  ["type", "title", "status", "code", "detail"].every((member) => member in at(schema, "properties"))

/** RFC 9457 §3.1 makes all members of a problem optional; ours always has all of them, except `instance`. */
const asProblem = (schema: Json): Json => {
  const properties = Struct.omit(at(schema, "properties"), ["instance"])
  const optional = ["errors", "generation_id"]
  const sure = Object.keys(properties).filter(
    (name) => !optional.includes(name) || (Array.isArray(schema["required"]) && schema["required"].includes(name))
  )
  return { ...schema, properties, required: sure }
}

const PASSWORD_FLOW = {
  type: "oauth2",
  description: "Email and password, without a client id: `POST /login` is the token endpoint (RFC 6749 §4.3).",
  flows: { password: { tokenUrl: "/login", scopes: {} } }
}

/** Whether a user's token is required. An optional token is one of another kind. */
const asksForToken = (security: unknown): security is ReadonlyArray<unknown> =>
  Array.isArray(security) && security.length > 0 && security.every((each) => "bearer" in asObject(each))

const KEY_SCHEMES = Object.fromEntries(
  KEY_HEADERS.map((name) => [
    name,
    {
      type: "apiKey",
      in: "header",
      name,
      description: `An API key of \`POST /keys\` (\`sk-…\`), as some SDKs send it. \`Authorization\` counts where it is sent too.`
    }
  ])
)
const KEY_REQUIREMENTS = KEY_HEADERS.map((name) => ({ [name]: [] }))

/**
 * Offers what else is accepted wherever a bearer token is required: the password flow, by which `/docs` gets the token, and the headers
 * that API keys are sent in. A key may be the bearer token too.
 */
const withOtherCredentials = (document: Json): Json => {
  const components = at(document, "components")
  const schemes = at(components, "securitySchemes")
  if (!("bearer" in schemes)) return document
  return {
    ...document,
    components: { ...components, securitySchemes: { ...schemes, password: PASSWORD_FLOW, ...KEY_SCHEMES } },
    paths: mapOperations(document, (operation) =>
      asksForToken(operation["security"])
        ? { ...operation, security: [...operation["security"], { password: [] }, ...KEY_REQUIREMENTS] }
        : operation
    )
  }
}

import { Predicate, Struct } from "effect"
import { OpenApi } from "effect/http-api"
import { asObject, at, type Json, mapOperations, REFERENCE } from "./Json.ts"
import { withParameterTexts } from "./ParameterTexts.ts"
import { withResponses } from "./Responses.ts"

/**
 * How the contract's document reads: for people in `/docs`, for linters, and for programs that make clients of it. What the generator
 * cannot know of this server is said here, for all endpoints at once.
 */
export const tidy = OpenApi.annotations({
  license: { name: "MIT", url: "https://spdx.org/licenses/MIT.html" },
  servers: [{ url: "/", description: "The server that this document came from" }],
  transform: (document) => {
    const names = plainNames(at(document, "components", "schemas"))
    const open = reachable(document, "requestBody", names)
    return { ...withResponses(withParameterTexts(withPasswordFlow(asObject(tidyValue(document, names, open))))) }
  }
})

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

/** The plain names of the schemas that are used below a key, directly or by another schema. */
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

/** A request may have more members than are read, as those of older and newer clients have. An answer has those it says, and no other. */
const opened = (schema: Json): Json =>
  "additionalProperties" in schema ? { ...schema, additionalProperties: true } : schema

const tidySchema = (schema: Json, key: string): Json => {
  if (schema["type"] !== "string") return isProblem(schema) ? asProblem(schema) : schema
  // Bounds of a number, on a text: in a query everything is sent as text, and it is an integer all the same.
  if (schema["minimum"] !== undefined) return { ...schema, type: "integer" }
  if (schema["format"] !== undefined) return Struct.omit(schema, ["pattern"])
  // Names that end so are times, everywhere in the contract.
  return key.endsWith("_at") && schema["enum"] === undefined ? { ...schema, format: "date-time" } : schema
}

const isProblem = (schema: Json): boolean =>
  ["type", "title", "status", "code", "detail"].every((member) => member in at(schema, "properties"))

/** Clients may read a problem that lacks a member (RFC 9457 §3.1); ours lack none, and have no `instance`. */
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

/** Whether a user's token is needed. Where one may be left out, it is a token of another kind. */
const asksForToken = (security: unknown): security is ReadonlyArray<unknown> =>
  Array.isArray(security) && security.length > 0 && security.every((each) => "bearer" in asObject(each))

/** Where a bearer token is asked for, a form can get one by email and password: the two are one token, said in two ways. */
const withPasswordFlow = (document: Json): Json => {
  const components = at(document, "components")
  const schemes = at(components, "securitySchemes")
  if (!("bearer" in schemes)) return document
  return {
    ...document,
    components: { ...components, securitySchemes: { ...schemes, password: PASSWORD_FLOW } },
    paths: mapOperations(document, (operation) =>
      asksForToken(operation["security"])
        ? { ...operation, security: [...operation["security"], { password: [] }] }
        : operation
    )
  }
}

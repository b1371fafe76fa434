import { Predicate } from "effect"
import { asObject, at, type Json, mapOperations, REFERENCE } from "./Json.ts"
import { aboutBodies, aboutPaths } from "./Failures.ts"

// The answers of the document: which failures an operation really can be answered with, and the headers that come with them.

const PROBLEM = "application/problem+json"

const text = (description: string) => ({ description, schema: { type: "string" }, required: true })

const REQUEST_ID = { $ref: "#/components/headers/RequestId" }
const RETRY_AFTER = { $ref: "#/components/headers/RetryAfter" }

const REPLAYED = { $ref: "#/components/headers/IdempotencyReplayed" }

const HEADERS = {
  IdempotencyReplayed: {
    description: "`true`: the first answer to this Idempotency-Key, given again. Nothing was created.",
    schema: { type: "string", enum: ["true"] },
    required: false
  },
  RequestId: text("The id of the request, which is in the server's log too. One sent as `X-Request-Id` is kept."),
  RetryAfter: {
    description: "Seconds after which the request may be sent again (RFC 9110 §10.2.3).",
    schema: { type: "integer", minimum: 0 },
    required: true
  },
  Allow: text("The methods of the path (RFC 9110 §10.2.1)."),
  Authenticate: text('`Bearer`, and `error="invalid_token"` where a token was sent (RFC 6750 §3).')
}

/** Headers that answers of a status have, beside the request's id. */
const headersOf = (status: string, names: ReadonlyArray<string>): Json => ({
  ...(status === "401" ? { "WWW-Authenticate": { $ref: "#/components/headers/Authenticate" } } : {}),
  ...(status === "405" ? { Allow: { $ref: "#/components/headers/Allow" } } : {}),
  ...(status === "429" || status === "503" || names.includes("StillRunning") ? { "Retry-After": RETRY_AFTER } : {}),
  "X-Request-Id": REQUEST_ID
})

/** Answers that many operations share are said once, in the document's components. */
export const withResponses = (document: Json): Json => {
  const shared = new Map<string, Json>()
  const paths = mapOperations(document, (operation, path) => {
    const left = new Set([
      ...("requestBody" in operation ? [] : aboutBodies),
      ...(path.includes("{") ? [] : aboutPaths)
    ])
    const isReplayed = hasParameter(operation, "idempotency-key")
    const responses = Object.entries(at(operation, "responses")).flatMap(([status, response]) => {
      const kept = respond(status, replayable(asObject(response), isReplayed && Number(status) < 300), left)
      return kept === undefined ? [] : [[status, sharing(kept, shared)]]
    })
    return { ...operation, responses: Object.fromEntries(responses) }
  })
  return {
    ...document,
    paths,
    components: { ...at(document, "components"), responses: Object.fromEntries(shared), headers: HEADERS }
  }
}

const hasParameter = (operation: Json, name: string): boolean =>
  Array.isArray(operation["parameters"]) && operation["parameters"].some((each) => asObject(each)["name"] === name)

/** What a request gets that is sent again with its Idempotency-Key says that it is no new answer. */
const replayable = (response: Json, isReplayed: boolean): Json =>
  isReplayed ? { ...response, headers: { ...at(response, "headers"), "Idempotency-Replayed": REPLAYED } } : response

/** An answer without the failures that are `left` out, and with its headers; nothing if no failure is kept. */
const respond = (status: string, response: Json, left: ReadonlySet<string>): Json | undefined => {
  const problem = at(response, "content", PROBLEM)
  if (!("schema" in problem)) {
    return { ...response, headers: { ...at(response, "headers"), "X-Request-Id": REQUEST_ID } }
  }
  const schemas = alternatives(asObject(problem["schema"])).filter((schema) => !left.has(nameOf(schema)))
  const [first, ...others] = schemas
  if (first === undefined) return undefined
  const names = schemas.map(nameOf)
  const descriptions = String(response["description"]).split(" | ")
  return {
    ...response,
    description: descriptions.length > 1 ? `One of: ${names.join(", ")}` : response["description"],
    headers: headersOf(status, names),
    content: { [PROBLEM]: { schema: others.length === 0 ? first : { anyOf: schemas } } }
  }
}

const alternatives = (schema: Json): ReadonlyArray<Json> =>
  Array.isArray(schema["anyOf"]) ? schema["anyOf"].map(asObject) : [schema]

const nameOf = (schema: Json): string =>
  Predicate.isString(schema["$ref"]) ? schema["$ref"].slice(REFERENCE.length) : ""

/** An answer that is one kind of problem is referred to by the name of that problem. */
const sharing = (response: Json, shared: Map<string, Json>): Json => {
  const name = nameOf(at(response, "content", PROBLEM, "schema"))
  if (name === "") return response
  shared.set(name, response)
  return { $ref: `#/components/responses/${name}` }
}

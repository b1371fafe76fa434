import { Predicate } from "effect"
import { asObject, at, type Json, mapOperations, REFERENCE } from "./Json.ts"
import { aboutBodies, aboutPaths } from "./Failures.ts"
import { rateLimitHeaders, withRateLimits } from "./RateLimitHeaders.ts"
import { type Door, doorOfPath, mayPass, statusAtDoor } from "./v1/Door.ts"

// The document's responses: the failures each operation can really have, and their headers.

const PROBLEM = "application/problem+json"

const text = (description: string) => ({ description, schema: { type: "string" }, required: true })

const REQUEST_ID = { $ref: "#/components/headers/RequestId" }
const RETRY_AFTER = { $ref: "#/components/headers/RetryAfter" }

const REPLAYED = { $ref: "#/components/headers/IdempotencyReplayed" }

/** Where a budget may be gone, for which no number of seconds is known. */
const RETRY_AFTER_IF_KNOWN = { $ref: "#/components/headers/RetryAfterIfKnown" }

const HEADERS = {
  ...rateLimitHeaders,
  IdempotencyReplayed: {
    description: "`true`: the first answer to this Idempotency-Key, given again. Nothing was created.",
    schema: { type: "string", enum: ["true"] },
    required: false
  },
  ShouldRetry: {
    description: "`false`: the same request gets the same answer. OpenAI's and Anthropic's SDKs do not retry then.",
    schema: { type: "string", enum: ["false"] },
    required: false
  },
  RequestId: text("The id of the request, which is in the server's log too. One sent as `X-Request-Id` is kept."),
  RetryAfter: {
    description: "Seconds after which the request may be sent again (RFC 9110 §10.2.3).",
    schema: { type: "integer", minimum: 0 },
    required: true
  },
  RetryAfterIfKnown: {
    description:
      "The same, where it is known. A budget that is gone is there again with its next period, if there is one.",
    schema: { type: "integer", minimum: 0 },
    required: false
  },
  Allow: text("The methods of the path (RFC 9110 §10.2.1)."),
  Authenticate: text('`Bearer`, and `error="invalid_token"` where a token was sent (RFC 6750 §3).')
}

/** Headers of the responses with a status, beside the request's id. */
const headersOf = (status: string, names: ReadonlyArray<string>): Json => ({
  ...(status === "401" ? { "WWW-Authenticate": { $ref: "#/components/headers/Authenticate" } } : {}),
  ...(status === "405" ? { Allow: { $ref: "#/components/headers/Allow" } } : {}),
  ...(status === "429" || status === "503" || names.includes("StillRunning")
    ? { "Retry-After": names.includes("BudgetExhausted") ? RETRY_AFTER_IF_KNOWN : RETRY_AFTER }
    : {}),
  "X-Request-Id": REQUEST_ID
})

const LIMIT_REACHED = `${REFERENCE}LimitReached"`

/** Moves responses that operations share into the document's components. */
export const withResponses = (document: Json): Json => {
  const shared = new Map<string, Json>()
  const paths = mapOperations(document, (operation, path) => {
    const left = new Set([
      ...("requestBody" in operation ? [] : aboutBodies),
      ...(path.includes("{") ? [] : aboutPaths)
    ])
    const isReplayed = hasParameter(operation, "idempotency-key")
    const door = doorOfPath(path)
    const limited = JSON.stringify(at(operation, "responses", "429")).includes(LIMIT_REACHED)
    const told = (status: string, response: Json) =>
      limited && Number(status) < 300 ? withRateLimits(response, door) : response
    if (door !== "native") {
      const responses = Object.entries(atDoor(document, door, at(operation, "responses"), left))
      return {
        ...operation,
        responses: Object.fromEntries(responses.map(([status, each]) => [status, told(status, asObject(each))]))
      }
    }
    const responses = Object.entries(at(operation, "responses")).flatMap(([status, response]) => {
      const kept = respond(
        status,
        told(status, replayable(asObject(response), isReplayed && Number(status) < 300)),
        left
      )
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

/** Responses at a door of another API: its errors have one form, whatever the problem. */
const atDoor = (document: Json, door: Exclude<Door, "native">, responses: Json, left: ReadonlySet<string>): Json => {
  const codes = new Map<string, ReadonlyArray<string>>()
  const others: Array<readonly [string, Json]> = []
  for (const [status, response] of Object.entries(responses)) {
    const schema = at(asObject(response), "content", PROBLEM, "schema")
    if (Object.keys(schema).length === 0)
      others.push([
        status,
        { ...asObject(response), headers: { ...at(asObject(response), "headers"), "X-Request-Id": REQUEST_ID } }
      ])
    for (const name of alternatives(schema).map(nameOf)) {
      const code = codeOf(document, name)
      const told = `${statusAtDoor(code, Number(status))}`
      // Parameters that are not known are no mistake there.
      if (code !== "" && code !== "unknown_parameter" && !left.has(name))
        codes.set(told, [...(codes.get(told) ?? []), code])
    }
  }
  const failures = [...codes].map(([status, known]) => [status, failureAt(door, status, known)] as const)
  return Object.fromEntries([...others, ...failures].toSorted(([one], [other]) => Number(one) - Number(other)))
}

const failureAt = (door: Exclude<Door, "native">, status: string, codes: ReadonlyArray<string>): Json => ({
  description: `One of: ${codes.map((code) => `\`${code}\``).join(", ")}`,
  headers: {
    ...headersOf(status, [
      ...(codes.includes("still_running") ? ["StillRunning"] : []),
      ...(codes.includes("budget_exhausted") ? ["BudgetExhausted"] : [])
    ]),
    ...(codes.some((code) => !mayPass(code, Number(status)))
      ? { "X-Should-Retry": { $ref: "#/components/headers/ShouldRetry" } }
      : {}),
    ...(door === "anthropic" ? { "Request-Id": REQUEST_ID } : {})
  },
  content: {
    "application/json": { schema: { $ref: `${REFERENCE}${door === "anthropic" ? "AnthropicError" : "OpenAiError"}` } }
  }
})

/** The code of the problem with this schema. */
const codeOf = (document: Json, name: string): string => {
  const codes = at(document, "components", "schemas", name, "properties", "code")["enum"]
  return Array.isArray(codes) ? String(codes[0]) : ""
}

const hasParameter = (operation: Json, name: string): boolean =>
  Array.isArray(operation["parameters"]) && operation["parameters"].some((each) => asObject(each)["name"] === name)

/** The header that marks a repeated answer, for requests with an Idempotency-Key. */
const replayable = (response: Json, isReplayed: boolean): Json =>
  isReplayed ? { ...response, headers: { ...at(response, "headers"), "Idempotency-Replayed": REPLAYED } } : response

/** A response without the failures in `left`, and with its headers; undefined if no failure remains. */
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

/** A response with a single kind of problem becomes a reference with that problem's name. */
const sharing = (response: Json, shared: Map<string, Json>): Json => {
  const name = nameOf(at(response, "content", PROBLEM, "schema"))
  if (name === "") return response
  shared.set(name, response)
  return { $ref: `#/components/responses/${name}` }
}

import { Predicate, Result } from "effect"

/**
 * The parts of a provider's error: fields, which its program wrote, and messages, which may quote the question. Field values are in lower
 * case. None of it is shown or logged.
 */
export interface ProviderError {
  /** The HTTP status in the error, 400 to 599. */
  readonly status: number | undefined
  /** `code`, `type` and similar fields. */
  readonly codes: ReadonlySet<string>
  /** The parameter it is about, from `param` or `loc`: the first name of the path, without `body`. */
  readonly parameters: ReadonlySet<string>
  readonly messages: ReadonlyArray<string>
}

/** Limits of what is read: characters per message, messages, fields, levels of nesting. */
const MESSAGE_CHARACTERS = 20_000
const MESSAGES = 20
const FIELDS = 50
const DEPTH = 5

const CODES = [
  "code",
  "type",
  "error_type",
  "error_code",
  "errorType",
  "errorCode",
  "status",
  "reason",
  "err_code",
  "status_code",
  "statusCode",
  "__type"
]
const TEXTS = [
  "message",
  "msg",
  "error_msg",
  "error_message",
  "errorMessage",
  "status_msg",
  "title",
  "raw",
  "cause",
  "Message",
  "faultstring"
]
const NESTED = [
  "error",
  "errors",
  "exception",
  "fault",
  "detail",
  "details",
  "innererror",
  "inner_error",
  "metadata",
  "provider_specific_fields",
  "base_resp",
  "response"
]

interface Collected {
  status: number | undefined
  readonly codes: Set<string>
  readonly parameters: Set<string>
  readonly messages: Array<string>
}

/** Reads an error in JSON. Members that echo the request (`input`, `ctx`, `flagged_input`) are not read. */
export const errorOf = (value: unknown): ProviderError => {
  const found: Collected = { status: undefined, codes: new Set(), parameters: new Set(), messages: [] }
  collect(value, found, 0)
  return found
}

/**
 * Reads an error's body: JSON, or else plain text. A body that is one of the question's texts (`asked`) is a quote, also where the text
 * is an error in JSON.
 */
export const errorIn = (body: string, asked: ReadonlyArray<string>): ProviderError =>
  errorOf(asked.some((text) => text.includes(body.trim())) ? body : (parsed(body) ?? body))

/** An object or a list in JSON; undefined for any other text. */
export const parsed = (text: string): unknown =>
  /^\s*[[{]/u.test(text) ? Result.getOrUndefined(Result.try((): unknown => JSON.parse(text))) : undefined

const collect = (value: unknown, found: Collected, depth: number): void => {
  if (depth > DEPTH) return
  if (typeof value === "string") return say(value, found)
  if (Array.isArray(value)) {
    for (const each of value.slice(0, MESSAGES)) collect(each, found, depth + 1)
    return
  }
  if (!Predicate.isObject(value)) return
  const fields: Readonly<Record<PropertyKey, unknown>> = value
  for (const each of CODES) code(fields[each], found)
  for (const each of [...TEXTS, ...NESTED]) collect(fields[each], found, depth + 1)
  name(fields["param"], found)
  name(fields["loc"], found)
  // OpenRouter's moderation sends the flagged text, but no code.
  if ("flagged_input" in fields) found.codes.add("content_filter")
}

const say = (text: string, { messages }: Collected): void => {
  if (text !== "" && messages.length < MESSAGES) messages.push(text.slice(0, MESSAGE_CHARACTERS))
}

const code = (value: unknown, found: Collected): void => {
  const status = typeof value === "number" || typeof value === "string" ? Number(value) : Number.NaN
  if (Number.isInteger(status) && status >= 400 && status < 600) found.status ??= status
  else if ((typeof value === "string" && value.length <= 100) || typeof value === "number") {
    if (found.codes.size < FIELDS) found.codes.add(String(value).toLowerCase())
  }
}

/** `temperature`, `body.temperature`, `["body", "stream_options", "include_usage"]`. */
const name = (value: unknown, { parameters }: Collected): void => {
  const path = Array.isArray(value) ? value : typeof value === "string" ? value.split(/[.[]/u) : []
  const first: unknown = path[0] === "body" ? path[1] : path[0]
  if (typeof first === "string" && first !== "" && parameters.size < FIELDS) parameters.add(first.toLowerCase())
}

/** Only the letters, so that no spelling, escape or line break hides a word. */
const lettersOf = (text: string): string =>
  text
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/[^a-z]/gu, "")

/**
 * Whether a message matches in the server's own words: the match must not occur in the question, because servers quote questions, and a
 * question may contain anything. `pattern` is global.
 */
export const says = (error: ProviderError, pattern: RegExp, asked: ReadonlyArray<string>): boolean =>
  error.messages.some((message) =>
    [...message.matchAll(pattern)].some(([found]) => {
      const letters = lettersOf(found)
      return letters !== "" && !asked.some((text) => lettersOf(text).includes(letters))
    })
  )

/** A code for success, which some servers send with every event. */
const isFine = (value: unknown): boolean =>
  Predicate.isNullish(value)
  || value === ""
  || value === false
  || value === 0
  || (typeof value === "number" && value >= 200 && value < 300)
  || (typeof value === "string" && /^(?:0|2\d\d|ok|success|succeeded|none|null)$/iu.test(value))

/** A member that says nothing, or that all is well. */
export const isNothing = (value: unknown): boolean =>
  isFine(value) || (Predicate.isObject(value) && Object.keys(value).length === 0)

const MARKS = [
  "error",
  "exception",
  "fault",
  "error_type",
  "error_code",
  "errorCode",
  "error_message",
  "error_msg",
  "errorMessage",
  "err_code"
]
const ALONE = ["message", "Message", "detail", "msg", "__type"]

/** The name of an event, or of a member without an answer beside it, that tells of a failure: `Error`, `internalServerException`. */
export const FAILING = /error|exception|fail|^fault/iu

/** Whether an event, a choice or a turn has an error among its members. */
export const holdsError = (value: Readonly<Record<PropertyKey, unknown>>): boolean =>
  MARKS.some((mark) => mark in value && !isNothing(value[mark]))

/** Whether an event or a body is an error, or has one beside its text. */
export const isError = (value: Record<PropertyKey, unknown>): boolean => {
  if (holdsError(value) || value["object"] === "error" || value["type"] === "error") return true
  const { base_resp: base, code, status } = value
  if (!isFine(code) && (typeof code === "number" || Number(code) >= 400)) return true
  if (Predicate.hasProperty(base, "status_code") && !isFine(base.status_code)) return true
  if (Array.isArray(value["errors"]) && value["errors"].length > 0) return true
  const { choices } = value
  if (Array.isArray(choices) && choices.length > 0) return false
  if (value["success"] === false || value["status"] === "error") return true
  if (Object.entries(value).some(([name, each]) => FAILING.test(name) && !isNothing(each))) return true
  if (typeof code === "string" && !isFine(code)) return true
  if (typeof status === "number" && status >= 400) return true
  return ALONE.some((name) => typeof value[name] === "string" && value[name] !== "") || Array.isArray(value["detail"])
}

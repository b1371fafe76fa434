import { Option, Predicate, Result, Schema } from "effect"
import { RpcSerialization } from "effect/rpc"
import type { FromClientEncoded } from "effect/rpc/RpcMessage"
import { checkJson } from "../http/Body.ts"
import { jsonLine } from "../logging/JsonLine.ts"

// What RPC clients send, one JSON object per line: https://github.com/ndjson/ndjson-spec. Anything else is refused, and ends a WebSocket.

const Id = Schema.Union([Schema.String.check(Schema.isMaxLength(64)), Schema.Int])

/** Headers a call may set itself; all others come from the request or connection that carries it, and cannot be replaced. */
const ALLOWED = new Set(["authorization", "x-request-id"])
const HEX = { trace: /^[0-9a-f]{32}$/u, span: /^[0-9a-f]{16}$/u }

const Header = Schema.Tuple([
  Schema.String.check(Schema.isMaxLength(64)),
  Schema.String.check(Schema.isMaxLength(8192))
])

const MAX_HEADERS = 32

const Request = Schema.Struct({
  _tag: Schema.Literal("Request"),
  id: Id,
  tag: Schema.String.check(Schema.isMaxLength(64)),
  payload: Schema.optionalKey(Schema.Unknown),
  headers: Schema.optionalKey(Schema.Array(Header)),
  traceId: Schema.optionalKey(Schema.String),
  spanId: Schema.optionalKey(Schema.String)
})

const Message = Schema.Union([
  Request,
  Schema.Struct({ _tag: Schema.Literals(["Ack", "Interrupt"]), requestId: Id }),
  Schema.Struct({ _tag: Schema.Literals(["Ping", "Eof"]) })
])

/** One message of a client. */
export type Message = typeof Message.Type
/** A call. */
export type Request = typeof Request.Type

export const isRequest = (message: Message): message is Request => message._tag === "Request"

const decode = Schema.decodeUnknownOption(Message)
const parse = (line: string) => Result.getSuccess(Result.try((): unknown => JSON.parse(line)))

// Checked before the schema, which would first decode all of a megabyte of headers.
const hasFewHeaders = (value: unknown): boolean =>
  !Predicate.hasProperty(value, "headers") || !Array.isArray(value.headers) || value.headers.length <= MAX_HEADERS

/** The message of a line; none if it is not JSON or not a message. */
export const readLine = (line: string): Option.Option<Message> =>
  checkJson(Buffer.from(line)) === undefined
    ? Option.flatMap(Option.filter(parse(line), hasFewHeaders), decode)
    : Option.none()

/** What stands for a line that is no message. */
const INVALID = { _tag: "Invalid" }

/** Effect's NDJSON with our reader, which takes lines one at a time, and our writer. Marks what is no message: Effect would answer it. */
export const LINES = RpcSerialization.RpcSerialization.of({
  ...RpcSerialization.ndjson,
  makeUnsafe: () => ({
    decode: (line) => [typeof line === "string" ? Option.getOrElse(readLine(line), () => INVALID) : INVALID],
    encode: (response) => `${jsonLine(response)}\n`
  })
})

/** Empty lines that are skipped; more are refused. */
const MAX_EMPTY = 1000

/** The non-empty lines of a text, at most `max`; none if there are more. */
export const linesOf = (text: string, max: number): Option.Option<ReadonlyArray<string>> => {
  const lines: Array<string> = []
  let empty = 0
  for (let start = 0; start <= text.length;) {
    const end = text.indexOf("\n", start)
    const line = text.slice(start, end === -1 ? text.length : end)
    start = end === -1 ? text.length + 1 : end + 1
    if (line.trim() === "") empty++
    else lines.push(line)
    if (lines.length > max || empty > MAX_EMPTY) return Option.none()
  }
  return Option.some(lines)
}

/** The messages of a text, at most `max`; none if there are more, or if one is invalid. */
export const readLines = (text: string, max: number): Option.Option<ReadonlyArray<Message>> =>
  Option.flatMap(linesOf(text, max), (lines) => Option.all(lines.map(readLine)))

/**
 * A call as the dispatcher takes it. `carrier`: the headers of the request or connection it came by. A call is always answered, even if
 * it says that it needs no answer: its client ignores that.
 */
export const toRequest = (
  { headers = [], id, payload, spanId = "", tag, traceId = "" }: Request,
  carrier: Readonly<Record<string, string>>
): FromClientEncoded => {
  const own = headers.map(([name, value]): Pair => [name.toLowerCase(), value]).filter(([name]) => ALLOWED.has(name))
  const trace: ReadonlyArray<Pair> =
    HEX.trace.test(traceId) && HEX.span.test(spanId) ? [["traceparent", `00-${traceId}-${spanId}-01`]] : []
  return { _tag: "Request", id, tag, payload, headers: [...Object.entries(carrier), ...trace, ...own] }
}

type Pair = [name: string, value: string]

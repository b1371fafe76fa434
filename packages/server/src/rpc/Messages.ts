import { Array, Option, Result, Schema } from "effect"
import type { FromClientEncoded } from "effect/rpc/RpcMessage"
import { checkJson } from "../http/Body.ts"

// What clients of the RPC door send, one JSON object a line: https://github.com/ndjson/ndjson-spec. Anything else ends the conversation.

const Id = Schema.Union([Schema.String.check(Schema.isMaxLength(64)), Schema.Int])

/** Headers a call may bring along; what else it has comes from the request or connection that carries it, and cannot be replaced. */
const ALLOWED = new Set(["authorization", "x-request-id"])
const HEX = { trace: /^[0-9a-f]{32}$/u, span: /^[0-9a-f]{16}$/u }

const Header = Schema.Tuple([
  Schema.String.check(Schema.isMaxLength(64)),
  Schema.String.check(Schema.isMaxLength(8192))
])

const Request = Schema.Struct({
  _tag: Schema.Literal("Request"),
  id: Id,
  tag: Schema.String.check(Schema.isMaxLength(64)),
  payload: Schema.optionalKey(Schema.Unknown),
  headers: Schema.optionalKey(Schema.Array(Header).check(Schema.isMaxLength(32))),
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

/** The message of a line; none where it is not JSON, or not a message. */
export const readLine = (line: string): Option.Option<Message> =>
  checkJson(Buffer.from(line)) === undefined ? Option.flatMap(parse(line), decode) : Option.none()

/** The messages of a text; none where one of them is not. */
export const readLines = (text: string): Option.Option<ReadonlyArray<Message>> =>
  Option.all(
    Array.filterMap(text.split("\n"), (line) => (line.trim() === "" ? Result.failVoid : Result.succeed(readLine(line))))
  )

/**
 * A call as the dispatcher takes it. `carrier`: the headers of the request or connection it came by. A call is always answered, also one
 * that says it needs no answer: its client does not listen for it.
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

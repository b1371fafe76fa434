import type { StreamEvent, StreamFormat } from "@llm-saas/api/StreamEvent"
import type { GenerationId } from "@llm-saas/domain/Generation"
import { isEvent, pieceOf, visibleText } from "@llm-saas/domain/ModelEvent"
import type { Asked } from "@llm-saas/engine/generations/Generations"
import type { GenerationEnd } from "@llm-saas/engine/generations/TokenLog"
import { withRequestId } from "../http/Refusals.ts"
import { escaped, jsonLine } from "../logging/JsonLine.ts"
import { endOf, eventOf, startOf, usageOf } from "./StreamEvents.ts"

// Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), written by hand: a token is a few concatenations,
// at 100,000 tokens per second.

/**
 * A keep-alive. One line without a blank one after it: httpx-sse and others take a blank line for an empty event once there was an id.
 */
export const KEEP_ALIVE = ": keep-alive\n"

/** A failure after the first byte: a problem without its request id, its status, and that id. */
export interface LateFailure {
  readonly problem: string
  readonly status: number
  readonly requestId: string
}

/** An `error` event with a problem as its data. Nothing follows it. `id`: its id line, if any. */
const failure = ({ problem, requestId }: LateFailure, id = ""): string =>
  `${id}event: error\n${dataOf(escaped(withRequestId(problem, requestId)))}\n\n`

/** How an answer is written as a stream. */
export interface StreamForm {
  /** The events of an answer for one reader. */
  readonly wire: (asked: Asked) => Wire
  /** The failure of a stream whose answer is not known yet. */
  readonly failure: (failure: LateFailure) => string
  /** What is known of the failure of an answer beside its problem, added to its text. */
  readonly detailed?: (problem: string, asked: Asked) => string
  /** Whether the failure of an answer is an event in any case: the request only reads it, and that succeeds. */
  readonly reads?: boolean
}

/** Writes the events of one answer, in their order. May have a state. */
export interface Wire {
  /**
   * The beginning of a connection that continues after the token `seq`. `waiting`: the next token does not exist yet. `asksAgain`: the
   * reader must learn the answer's id before it is cut, or it would ask again.
   */
  readonly begin: (asked: Asked, seq: number, waiting: boolean, asksAgain?: boolean) => string
  readonly token: (seq: number, token: string) => string
  /** The end of a whole answer, after its last token `seq`. */
  readonly end: (end: GenerationEnd, seq: number) => string
  /** The id line of the last event: the position after the last token, `seq`. A reader that has it gets nothing more. */
  readonly last: (seq: number) => string
  /** The failure of a stream that has begun. `id`: its id line, if any. */
  readonly failure: (failure: LateFailure, id?: string) => string
}

/** Our own streams. */
export const nativeForm = (format: StreamFormat): StreamForm => ({
  wire: ({ generationId }) => wireOf(format, generationId),
  failure
})

export const wireOf = (format: StreamFormat, generation: GenerationId): Wire =>
  format === "json" ? jsonWire(generation) : textWire(generation)

const DONE = "data: [DONE]\n\n"

const textWire = (generation: GenerationId): Wire => {
  const id = `id: ${generation}:`
  const last = (seq: number) => `${id}${seq + 1}\n`
  return {
    // An id without data is no event, but is remembered once a blank line follows. Only an `EventSource` needs that; see KEEP_ALIVE.
    begin: (_, seq, waiting, asksAgain = true) => (waiting ? `${id}${seq}\n${asksAgain ? "\n" : ""}` : ""),
    token: (seq, token) => (UNUSUAL.test(token) ? unusual(id, seq, token) : `${id}${seq}\ndata: ${token}\n\n`),
    end: (_, seq) => last(seq) + DONE,
    last,
    failure
  }
}

const jsonWire = (generation: GenerationId): Wire => {
  const id = `id: ${generation}:`
  const last = (seq: number) => `${id}${seq + 1}\n`
  return {
    begin: (asked, seq) => `${id}${seq}\n${json(startOf(asked))}`,
    token: (seq, token) =>
      isEvent(token)
        ? event(id, seq, token)
        : `${id}${seq}\ndata: {"type":"delta","seq":${seq},"text":${jsonLine(token)}}\n\n`,
    end: ({ message }, seq) => `${json(usageOf(message))}${json(endOf(message, seq))}${last(seq)}${DONE}`,
    last,
    failure
  }
}

/** An entry that is more than text. One without anything to show has no event, and its number is left out. */
const event = (id: string, seq: number, entry: string): string => {
  const shown = eventOf(seq, entry)
  return shown === undefined ? "" : `${id}${seq}\n${json(shown)}`
}

const json = (event: typeof StreamEvent.Encoded): string => `data: ${jsonLine(event)}\n\n`

/** Characters SSE must escape, and `[DONE]`. Of the line ends, the engine passes only the line feed. */
// oxlint-disable-next-line no-control-regex
const UNUSUAL = /[\r\n]|\[DONE\]|[\v\f\x1c-\x1e\x85\u2028\u2029][^]/u

const LINE_END = /\r\n|\r|\n/gu
const dataOf = (text: string) => `data: ${text.replaceAll(LINE_END, "\ndata: ")}`

/** Where a token is cut in two: before the end of a line that says `[DONE]`, and after what Python takes for the end of a line. */
const CUT =
  // oxlint-disable-next-line no-control-regex
  /(?<=^[^\S\r\n\u2028\u2029]*\[DONE)(?=\][^\S\r\n\u2028\u2029]*$)|(?<=[\v\f\x1c-\x1e\x85\u2028\u2029])(?![\v\f\x1c-\x1e\x85\u2028\u2029])/gmu

// No line but the last may be `[DONE]`, for any token and reader: the token is cut, and its first parts have the position before it, so
// that a reader cut in between gets the whole token again.
const unusual = (id: string, seq: number, entry: string): string => {
  // Of an event only its text is sent, if it has one.
  const token = isEvent(entry) ? visibleText(pieceOf(entry)) : entry
  if (token === "") return ""
  const parts = token.split(CUT)
  return parts.map((part, index) => `${id}${index === parts.length - 1 ? seq : seq - 1}\n${dataOf(part)}\n\n`).join("")
}

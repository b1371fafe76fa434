import type { StreamEvent, StreamFormat } from "@llm-saas/api/StreamEvent"
import type { GenerationId } from "@llm-saas/domain/Generation"
import type { Message } from "@llm-saas/domain/Message"
import type { Asked } from "@llm-saas/engine/generations/Generations"
import { escaped, jsonLine } from "../logging/JsonLine.ts"
import { endOf, startOf, usageOf } from "./StreamEvents.ts"

// Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), written by hand: a token is a few
// concatenations here, and 100,000 of them a second leave.

/**
 * Says that we are here when there is nothing to say. One line, and no blank one behind it: to httpx-sse and others a blank line is an
 * event, an empty one, as soon as there was an id.
 */
export const KEEP_ALIVE = ": keep-alive\n"

/** A failure after the first byte: a problem as the data of an event of its own name. Nothing follows it. `id`: where it has one. */
export const failure = (problem: string, id = ""): string => `${id}event: error\n${dataOf(escaped(problem))}\n\n`

/** Writes the events of one answer. */
export interface Wire {
  /**
   * What a connection begins with that goes on behind the token `seq`. `waiting`: the next token is not there yet. `asksAgain`: its reader
   * must know the answer's id before it is cut, or would ask again.
   */
  readonly begin: (asked: Asked, seq: number, waiting: boolean, asksAgain?: boolean) => string
  readonly token: (seq: number, token: string) => string
  /** What follows the last token, `seq`, of a whole answer. */
  readonly end: (message: Message, seq: number) => string
  /** The id of the last event of all, a line: the place behind the last token, `seq`. Its reader gets nothing more. */
  readonly last: (seq: number) => string
}

export const wireOf = (format: StreamFormat, generation: GenerationId): Wire =>
  format === "json" ? jsonWire(generation) : textWire(generation)

const DONE = "data: [DONE]\n\n"

const textWire = (generation: GenerationId): Wire => {
  const id = `id: ${generation}:`
  const last = (seq: number) => `${id}${seq + 1}\n`
  return {
    // An id without data is no event, and is remembered once a blank line follows. Only an `EventSource` needs that; see KEEP_ALIVE.
    begin: (_, seq, waiting, asksAgain = true) => (waiting ? `${id}${seq}\n${asksAgain ? "\n" : ""}` : ""),
    token: (seq, token) => (UNUSUAL.test(token) ? unusual(id, seq, token) : `${id}${seq}\ndata: ${token}\n\n`),
    end: (_, seq) => last(seq) + DONE,
    last
  }
}

const jsonWire = (generation: GenerationId): Wire => {
  const id = `id: ${generation}:`
  const last = (seq: number) => `${id}${seq + 1}\n`
  return {
    begin: (asked, seq) => `${id}${seq}\n${json(startOf(asked))}`,
    token: (seq, token) => `${id}${seq}\ndata: {"type":"delta","seq":${seq},"text":${jsonLine(token)}}\n\n`,
    end: (message, seq) => `${json(usageOf(message))}${json(endOf(message, seq))}${last(seq)}${DONE}`,
    last
  }
}

const json = (event: typeof StreamEvent.Encoded): string => `data: ${jsonLine(event)}\n\n`

/** What cannot leave as it stands. Of these the engine lets only the line feed come this far. */
// oxlint-disable-next-line no-control-regex
const UNUSUAL = /[\r\n]|\[DONE\]|[\v\f\x1c-\x1e\x85\u2028\u2029][^]/u

const LINE_END = /\r\n|\r|\n/gu
const dataOf = (text: string) => `data: ${text.replaceAll(LINE_END, "\ndata: ")}`

/** Where a token is cut in two: before the end of a line that says `[DONE]`, and behind what Python takes for the end of a line. */
const CUT =
  // oxlint-disable-next-line no-control-regex
  /(?<=^[^\S\r\n\u2028\u2029]*\[DONE)(?=\][^\S\r\n\u2028\u2029]*$)|(?<=[\v\f\x1c-\x1e\x85\u2028\u2029])(?![\v\f\x1c-\x1e\x85\u2028\u2029])/gmu

// No line but the last says `[DONE]`, whatever the token and whoever reads: it is cut, and the first parts have the place before it, so
// that a reader cut in between is sent the whole token again.
const unusual = (id: string, seq: number, token: string): string => {
  const parts = token.split(CUT)
  return parts.map((part, index) => `${id}${index === parts.length - 1 ? seq : seq - 1}\n${dataOf(part)}\n\n`).join("")
}

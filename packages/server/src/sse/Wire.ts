import type { StreamEvent, StreamFormat } from "@llm-saas/api/StreamEvent"
import type { GenerationId } from "@llm-saas/domain/Generation"
import type { Message } from "@llm-saas/domain/Message"
import type { Asked } from "@llm-saas/engine/Generations"
import { endOf, startOf, usageOf } from "../StreamEvents.ts"

// Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), written by hand: a token is a few
// concatenations here, and 100,000 of them a second leave.

/** Says that we are here when there is nothing to say. */
export const KEEP_ALIVE = ": keep-alive\n\n"

/** A failure after the first byte: a problem as the data of an event of its own name. Nothing follows it. */
export const failure = (problem: string): string => `event: error\n${dataOf(problem)}\n\n`

/** Writes the events of one answer. */
export interface Wire {
  /** What a connection begins with that goes on behind the token `seq`. `waiting`: the next token is not there yet. */
  readonly begin: (asked: Asked, seq: number, waiting: boolean) => string
  readonly token: (seq: number, token: string) => string
  /** What follows the last token, `seq`, of a whole answer. */
  readonly end: (message: Message, seq: number) => string
}

export const wireOf = (format: StreamFormat, generation: GenerationId): Wire =>
  format === "json" ? jsonWire(generation) : textWire(generation)

const DONE = "data: [DONE]\n\n"

const textWire = (generation: GenerationId): Wire => {
  const id = `id: ${generation}:`
  return {
    // An id without data is no event, and is remembered: whoever is cut before the first token and comes back asks nothing twice.
    begin: (_, seq, waiting) => (waiting ? `${id}${seq}\n\n` : ""),
    token: (seq, token) => (UNUSUAL.test(token) ? unusual(id, seq, token) : `${id}${seq}\ndata: ${token}\n\n`),
    end: () => DONE
  }
}

const jsonWire = (generation: GenerationId): Wire => {
  const id = `id: ${generation}:`
  return {
    begin: (asked, seq) => `${id}${seq}\n${json(startOf(asked))}`,
    token: (seq, token) => `${id}${seq}\ndata: {"type":"delta","seq":${seq},"text":${JSON.stringify(token)}}\n\n`,
    end: (message, seq) => `${json(usageOf(message))}${json(endOf(message, seq))}${DONE}`
  }
}

const json = (event: typeof StreamEvent.Encoded): string => `data: ${JSON.stringify(event)}\n\n`

/** What cannot leave as it stands. Of these the engine lets only the line feed come this far. */
const UNUSUAL = /[\r\n]|\[DONE\]/u

const LINE_END = /\r\n|\r|\n/gu
const dataOf = (text: string) => `data: ${text.replaceAll(LINE_END, "\ndata: ")}`

const DONE_LINE = /^[^\S\r\n]*\[DONE(?=\][^\S\r\n]*$)/gmu

// No line but the last says `[DONE]`, whatever the token: it is cut in two there, and the first part has the place before it, so that
// a reader cut in between is sent the whole token again.
const unusual = (id: string, seq: number, token: string): string => {
  let events = ""
  let start = 0
  for (const { 0: line, index } of token.matchAll(DONE_LINE)) {
    const end = index + line.length
    events += `${id}${seq - 1}\n${dataOf(token.slice(start, end))}\n\n`
    start = end
  }
  return `${events}${id}${seq}\n${dataOf(token.slice(start))}\n\n`
}

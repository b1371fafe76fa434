import type { JsonObject } from "@llm-saas/domain/Json"
import type { AnswerEnd, AnswerHead, AnswerWriter, DoorError } from "../AnswerWriter.ts"
import { lineOf } from "../ServerSentEvent.ts"
import { chatError } from "../chat/ChatErrors.ts"
import { isJsonObject } from "@llm-saas/domain/Json"
import type { Growing } from "./ResponsesItem.ts"
import { endStatus, failureStatus, responseError, responseOf, type ResponseState } from "./ResponsesObject.ts"
import { type OutputSink, ResponsesOutput } from "./ResponsesOutput.ts"

/**
 * Writes an answer as the events of a response, numbered from 0. `after`: the number of the last event that the reader has; only later ones
 * are written. The numbers are a function of the log, so that a reader can come back at another process.
 */
export const responsesWriter = (head: AnswerHead, after = -1): AnswerWriter => new ResponsesWriter(head, after)

const NAME = /^[\w.-]+$/u

class ResponsesWriter implements AnswerWriter {
  readonly #head: AnswerHead
  readonly #after: number
  readonly #output: ResponsesOutput
  /** The number of the next event. */
  #number = 0
  /** Events that are not given back yet. */
  #written = ""
  /** The text of the last delta, and what is before the delta's text. */
  #growing: Growing | undefined = undefined
  #before = ""

  constructor(head: AnswerHead, after: number) {
    this.#head = head
    this.#after = after
    const sink: OutputSink = {
      event: (type, members) => this.#event(type, members),
      delta: (growing, text) => this.#delta(growing, text)
    }
    this.#output = new ResponsesOutput(head, sink)
  }

  readonly begin = (): string => {
    const background = this.#head.request["background"] === true
    if (background) {
      this.#response("response.created", { status: "queued" })
      this.#response("response.queued", { status: "queued" })
    } else this.#response("response.created", { status: "in_progress" })
    this.#response("response.in_progress", { status: "in_progress" })
    return this.#take()
  }

  readonly entry = (entry: string): string => {
    this.#output.entry(entry)
    return this.#take()
  }

  readonly end = (end: AnswerEnd): string => {
    const status = endStatus(end, this.#output.provider)
    this.#output.close(status)
    this.#response(`response.${status}`, { status, end, provider: this.#output.provider })
    return this.#take()
  }

  /** A cancelled response has no event of its own at OpenAI: it is one that failed, with another status and no error. */
  readonly failure = (error: DoorError): string => {
    const status = failureStatus(error)
    // Of a process that was lost, events may have been sent that were not stored: their numbers are taken.
    this.#number = Math.max(this.#number, this.#after + 1)
    this.#output.abandon()
    if (status === "failed") this.#event("error", errorMembers(error))
    this.#response("response.failed", { status, error: status === "failed" ? responseError(error) : undefined })
    return this.#take()
  }

  #response(type: string, state: Omit<ResponseState, "output">): void {
    if (this.#skips()) return
    this.#event(type, { response: responseOf(this.#head, { ...state, output: this.#output.items }) })
  }

  /** Whether the reader has the next event; then it is counted. */
  #skips(): boolean {
    if (this.#number > this.#after) return false
    this.#number++
    return true
  }

  #event(type: string, members: JsonObject): void {
    if (this.#skips()) return
    const data = { type, ...members, sequence_number: this.#number++ }
    // The type of an event that a provider made up may have any characters: in a line of its own, it could end the event and begin another.
    const name = NAME.test(type) ? `event: ${type}\n` : ""
    this.#written += `${name}data: ${lineOf(JSON.stringify(data))}\n\n`
  }

  #delta(growing: Growing, text: string): void {
    if (this.#skips()) return
    if (growing !== this.#growing) {
      this.#growing = growing
      const type = `${growing.event}.delta`
      const members = lineOf(JSON.stringify({ type, ...growing.address, ...growing.beside }))
      this.#before = `event: ${type}\ndata: ${members.slice(0, -1)},"delta":`
    }
    this.#written += `${this.#before}${lineOf(JSON.stringify(text))},"sequence_number":${this.#number++}}\n\n`
  }

  #take(): string {
    const written = this.#written
    this.#written = ""
    return written
  }
}

const errorMembers = (error: DoorError): JsonObject => {
  const told = chatError(error)["error"]
  return {
    code: isJsonObject(told) ? (told["code"] ?? null) : null,
    message: error.message,
    param: error.param ?? null
  }
}

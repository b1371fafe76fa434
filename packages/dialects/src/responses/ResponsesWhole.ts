import type { JsonObject } from "@llm-saas/domain/Json"
import type { AnswerHead, DoorError, WholeAnswer } from "../AnswerWriter.ts"
import { endStatus, failureStatus, responseError, responseOf } from "./ResponsesObject.ts"
import { NO_SINK, ResponsesOutput } from "./ResponsesOutput.ts"

/** An answer as one response. One that is the provider's own is returned as it came, with our id. */
export const responsesWhole: WholeAnswer = (head, entries, end) => {
  const output = read(head, entries)
  const status = endStatus(end, output.provider)
  output.close(status)
  return responseOf(head, { status, output: output.items, end, provider: output.provider })
}

/** A response whose answer goes on: what is there of it. */
export const responsesSoFar = (head: AnswerHead, entries: ReadonlyArray<string>): JsonObject => {
  const status = head.request["background"] === true && entries.length === 0 ? "queued" : "in_progress"
  return responseOf(head, { status, output: read(head, entries).items })
}

/** A response whose answer is not whole. */
export const responsesFailed = (head: AnswerHead, entries: ReadonlyArray<string>, error: DoorError): JsonObject => {
  const output = read(head, entries)
  output.abandon()
  const status = failureStatus(error)
  return responseOf(head, {
    status,
    output: output.items,
    error: status === "failed" ? responseError(error) : undefined
  })
}

/** The items of an answer with everything that a later request needs of them. */
export const outputItems = (head: AnswerHead, entries: ReadonlyArray<string>): ReadonlyArray<JsonObject> => {
  const output = read(head, entries, true)
  output.close("completed")
  const { provider } = output
  const items = provider?.["output"]
  return Array.isArray(items) ? items : output.items
}

const read = (head: AnswerHead, entries: ReadonlyArray<string>, encrypted = false): ResponsesOutput => {
  const output = new ResponsesOutput(head, NO_SINK, encrypted)
  for (const entry of entries) output.entry(entry)
  return output
}

import type { AnswerHead, AnswerWriter } from "@llm-saas/dialects/AnswerWriter"
import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import type { Asked } from "@llm-saas/engine/generations/Generations"
import type { GenerationEnd } from "@llm-saas/engine/generations/TokenLog"
import { doorErrorOf } from "../http/Telling.ts"
import { withUpstream } from "./Upstream.ts"
import type { LateFailure, StreamForm, Wire } from "../sse/Wire.ts"

/** What of a request an answer repeats. */
export type Repeated = Pick<ModelRequest, "model" | "origin">

export const headOf = (request: Repeated, generationId: string): AnswerHead => ({
  generationId,
  createdAt: createdAt(generationId),
  model: request.model,
  request: request.origin?.body ?? {}
})

/** When a generation began, in seconds since 1970: its id is a UUIDv7, whose first 48 bits are that in milliseconds (RFC 9562 §5.7). */
const createdAt = (id: string): number => Math.floor(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16) / 1000)

/** Streams in the form of a dialect. They always begin with the first entry: a writer leaves out what its reader has. */
export const answerForm = (writer: (head: AnswerHead) => AnswerWriter, request: Repeated): StreamForm => ({
  wire: ({ generationId }: Asked) => wireOf(writer(headOf(request, generationId))),
  failure: (failure) => writer(headOf(request, NOBODY)).failure(errorOf(failure)),
  detailed: withUpstream
})

/** Of an answer that is not known. */
const NOBODY = "00000000-0000-7000-8000-000000000000"

const errorOf = ({ problem, requestId, status }: LateFailure) => doorErrorOf(problem, status, requestId)

const wireOf = (writer: AnswerWriter): Wire => {
  let begun = false
  const begin = () => {
    if (begun) return ""
    begun = true
    return writer.begin()
  }
  return {
    begin,
    token: (_seq, entry) => writer.entry(entry),
    end: (end) => writer.end(endOf(end)),
    // Their events have no ids.
    last: () => "",
    failure: (failure) => begin() + writer.failure(errorOf(failure))
  }
}

/** How a whole answer ended. */
export const endOf = ({ ending, model, usage }: GenerationEnd) => ({
  finishReason: ending.status === "completed" ? ending.finishReason : ("other" as const),
  usage,
  model
})

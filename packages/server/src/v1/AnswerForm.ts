import type { AnswerHead, AnswerWriter } from "@llm-saas/dialects/AnswerWriter"
import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import type { Asked } from "@llm-saas/engine/generations/Generations"
import { doorErrorOf } from "../http/Telling.ts"
import { withUpstream } from "./Upstream.ts"
import type { LateFailure, StreamForm, Wire } from "../sse/Wire.ts"

/** What of a request an answer repeats. */
export const headOf = (request: ModelRequest, generationId: string): AnswerHead => ({
  generationId,
  createdAt: createdAt(generationId),
  model: request.model,
  request: request.origin?.body ?? {}
})

/** When a generation began, in seconds since 1970: its id is a UUIDv7, whose first 48 bits are that in milliseconds (RFC 9562 §5.7). */
const createdAt = (id: string): number => Math.floor(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16) / 1000)

/** Streams in the form of a dialect. They always begin with the first entry: none of their clients can resume. */
export const answerForm = (writer: (head: AnswerHead) => AnswerWriter, request: ModelRequest): StreamForm => ({
  wire: ({ generationId }: Asked) => wireOf(writer(headOf(request, generationId))),
  failure: (failure) => writer(headOf(request, NOBODY)).failure(errorOf(failure)),
  detailed: withUpstream
})

/** Of an answer that is not known. */
const NOBODY = "00000000-0000-7000-8000-000000000000"

const errorOf = ({ problem, requestId, status }: LateFailure) => doorErrorOf(problem, status, requestId)

const wireOf = (writer: AnswerWriter): Wire => ({
  begin: () => writer.begin(),
  token: (_seq, entry) => writer.entry(entry),
  end: ({ ending, message, usage }) =>
    writer.end({
      finishReason: ending.status === "completed" ? ending.finishReason : "other",
      usage,
      model: message.model ?? undefined
    }),
  // Their events have no ids.
  last: () => "",
  failure: (failure) => writer.failure(errorOf(failure))
})

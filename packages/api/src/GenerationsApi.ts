import { AnswerUnderWay } from "@llm-saas/domain/AnswerUnderWay"
import { Feedback } from "@llm-saas/domain/Feedback"
import { Generation, generationFailures, GenerationNotFound } from "@llm-saas/domain/Generation"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import { AnswerRef } from "./AnswerRef.ts"
import { Costly } from "./Costly.ts"
import { After, LastEventId, lastEventIdQuery } from "./EventId.ts"
import * as Examples from "./Examples.ts"
import { keyHeader } from "./Idempotent.ts"
import { Opinion } from "./MessagesApi.ts"
import { pageOf, PageQuery } from "./Page.ts"
import { EventStream, StreamFormat } from "./StreamEvent.ts"

const params = { id: AnswerRef }

/** Which answers: by default the user's own. */
export const GenerationQuery = { ...PageQuery, scope: Schema.optionalKey(Schema.Literals(["own", "tenant"])) }

/** One page of answers under way. */
export const UnderWayPage = pageOf("UnderWayPage", AnswerUnderWay)

const list = HttpApiEndpoint.get("list", "/generations", {
  query: GenerationQuery,
  success: UnderWayPage,
  error: Unavailable
})
  .annotateMerge(Examples.answers(200, { data: [Examples.underWay], next_cursor: null }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "List answers under way",
      description:
        "Those that are not over, at whichever process they run, newest first, `limit` (default 50, at most 100) a page: who asked, with which key and by which door, and how many `tokens` there are so far, at most a second old. `tokens_per_second` is the average since the answer got its turn, null before the first token. `scope=tenant` lists those of all users, for admins. Nothing of a text is in it. One whose process died is in it until it is ended as interrupted, within a minute."
    })
  )

const get = HttpApiEndpoint.get("get", "/generations/:id", {
  params,
  success: Generation,
  error: [GenerationNotFound, Unavailable]
})
  .annotateMerge(Examples.answers(200, Examples.generation))
  .annotateMerge(
    OpenApi.annotations({
      summary: "How far an answer is",
      description: "Its status and the text so far. Kept when the answer failed or was stopped, too."
    })
  )

const stream = HttpApiEndpoint.get("stream", "/generations/:id/stream", {
  params,
  query: { after: Schema.optionalKey(After), format: Schema.optionalKey(StreamFormat), ...lastEventIdQuery },
  headers: { "last-event-id": Schema.optionalKey(LastEventId) },
  success: EventStream,
  error: [GenerationNotFound, TooManyRequests, ...generationFailures, Unavailable]
})
  .annotate(Costly, true)
  .annotateMerge(Examples.streamed())
  .annotateMerge(
    OpenApi.annotations({
      summary: "Follow an answer",
      description:
        "From behind the token `after`, or behind the event named by `Last-Event-ID`: what is there at once, the rest as it comes. The model is never asked again, and it does not matter which process runs the answer. An ended one is replayed; one that failed and has nothing more to send is answered with its problem, one whose last event the reader has, with 204, and a place that it does not have, with 400. One user may read some answers at once: more are a 429. The events are those of `POST /messages/stream`."
    })
  )

const cancel = HttpApiEndpoint.post("cancel", "/generations/:id/cancel", {
  params,
  success: Generation,
  error: [GenerationNotFound, Unavailable]
})
  .annotateMerge(
    Examples.answers(200, { ...Examples.generation, status: "cancelled" } satisfies typeof Generation.Encoded)
  )
  .annotateMerge(
    OpenApi.annotations({
      summary: "Stop an answer",
      description:
        "The request to the model is aborted, and what came so far is kept. One that ended already stays as it is; one that runs at another process ends within seconds. Admins stop those of all users of their tenant; the audit log says who did (`generation.cancelled`)."
    })
  )

const feedback = HttpApiEndpoint.post("feedback", "/generations/:id/feedback", {
  params,
  headers: keyHeader,
  payload: Opinion,
  success: Feedback,
  error: [GenerationNotFound, IdempotencyMismatch, Unavailable]
})
  .annotateMerge(Examples.answers(200, Examples.feedback))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Say what an answer was worth",
      description:
        "As `POST /messages/{id}/feedback`, by the answer's id: the generation's, or the one that a door under `/v1` gave it, such as `chatcmpl-…`, `resp_…` or `msg_…`."
    })
  )

/** Generations: running and ended answers. */
export class GenerationsApi extends HttpApiGroup.make("generations")
  .add(list, get, stream, cancel, feedback)
  .middleware(Authorization)
  .annotateEndpoints(Access, "user")
  .annotateMerge(
    OpenApi.annotations({ title: "Generations", description: "Answers under way: their state, their text, their end." })
  ) {}

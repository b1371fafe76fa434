import { ConversationId, ConversationNotFound } from "@llm-saas/domain/Conversation"
import { Comment, Feedback, Rating } from "@llm-saas/domain/Feedback"
import { generationFailures, GenerationNotFound } from "@llm-saas/domain/Generation"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { admissionRefusals } from "@llm-saas/domain/LimitReached"
import { Content, Message, MessageId, MessageNotFound, PromptTooLong, StillRunning } from "@llm-saas/domain/Message"
import { ModelNotFound } from "@llm-saas/domain/Model"
import { questionCheck, questionFields } from "@llm-saas/domain/Question"
import { Search } from "@llm-saas/domain/Search"
import { TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { ModelNotAllowed } from "@llm-saas/domain/Scope"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import { Costly } from "./Costly.ts"
import { LastEventId, lastEventIdQuery } from "./EventId.ts"
import * as Examples from "./Examples.ts"
import { InvalidRequest } from "./Failures.ts"
import { keyHeader } from "./Idempotent.ts"
import { OwnBody } from "./OwnBody.ts"
import { pageOf, PageQuery } from "./Page.ts"
import { EventStream, StreamFormat } from "./StreamEvent.ts"

const QUESTION = `Without a \`conversation_id\` the question stands alone; in a conversation, \`model\` and \`system\` are the conversation's where the question has none.

Where an answer has \`tool_calls\`, the client runs them and sends a \`tool_results\` for each: in a conversation alone or with a text, for its last answer. Without a conversation the question is sent again, and each result has the \`name\` and \`arguments\` of its call.

\`attachments\` are base64 with a \`media_type\`, or an https \`url\` that the model's provider fetches. Not every model takes every kind.`

/** A question: its text, its conversation, and how it is to be answered. */
export const Question = Schema.Struct(questionFields)
  .check(questionCheck)
  .annotate({ identifier: "Question", description: QUESTION })

/** One page of messages. */
export const MessagePage = pageOf("MessagePage", Message)

const place = { ...keyHeader, "last-event-id": Schema.optionalKey(LastEventId) }
const format = Schema.optionalKey(StreamFormat)

/** Errors of asking, by HTTP and by RPC. */
export const refused = [
  PromptTooLong,
  TooManyRequests,
  ConversationNotFound,
  IdempotencyMismatch,
  ModelNotAllowed,
  ModelNotFound,
  ...admissionRefusals,
  ...generationFailures,
  Unavailable
] as const

const KEY =
  "With an `Idempotency-Key`, a repeated request gets the same answer and asks nothing; the key with another question is a 422. Keys are kept for a day."

const ask = HttpApiEndpoint.post("ask", "/messages", {
  headers: keyHeader,
  payload: Question,
  success: Message.pipe(HttpApiSchema.status(201)),
  error: [...refused, StillRunning, GenerationNotFound, InvalidRequest]
})
  .annotate(OwnBody, true)
  .annotateMerge(Examples.answers(201, Examples.message, Examples.question))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Ask the model",
      description: `Waits for the whole answer, and stores it with the question. Where the model fails, the problem names the \`generation_id\` under which the question and the text so far are kept. ${KEY} While the first request is still being answered, it is a 409.`
    })
  )

const STREAM = `One event a token: \`id: <generation>:<seq>\` and the token as \`data\`; a line break in a token makes several \`data\` lines of it. \`: keep-alive\` comments come when nothing else does. \`data: [DONE]\` says that the answer is whole and stored; a failure is an event named \`error\`, with a problem as its data, and no \`[DONE]\` after it. With \`format=json\` (or \`Accept: text/event-stream;format=json\`) each \`data\` is JSON, by \`type\`: \`start\`, \`delta\`, \`reasoning\`, \`tool_call\`, \`usage\`, \`end\`; otherwise only the text is sent.

A stream that was cut is resumed: the same request with \`Last-Event-ID\`, as browsers send it by themselves, or with \`lastEventId\` in the query, as polyfills do, goes on behind that event and asks nothing; behind the last event there is nothing, which is a 204, and a place that an ended answer does not have is a 400. So does \`GET /generations/{id}/stream\`. An answer goes on for a while when its reader has left.

What is refused before the first byte is refused with its status. ${KEY}`

const streamErrors = [...refused, GenerationNotFound, InvalidRequest] as const

const streamUrl = HttpApiEndpoint.get("streamUrl", "/messages/stream", {
  query: { content: Content, conversation_id: Schema.optionalKey(ConversationId), format, ...lastEventIdQuery },
  headers: place,
  success: EventStream,
  error: streamErrors
})
  .annotate(Costly, true)
  .annotateMerge(Examples.streamed())
  .annotateMerge(
    OpenApi.annotations({
      summary: "Ask the model, and read the answer as it comes",
      description: `For trying things out: addresses end up in logs and histories, and questions do not belong there. Programs use POST.\n\n${STREAM}`
    })
  )

const stream = HttpApiEndpoint.post("stream", "/messages/stream", {
  query: { format, ...lastEventIdQuery },
  headers: place,
  payload: Question,
  success: EventStream,
  error: streamErrors
})
  .annotate(OwnBody, true)
  .annotateMerge(Examples.streamed(Examples.question))
  .annotateMerge(
    OpenApi.annotations({ summary: "Ask the model, and read the answer as it comes", description: STREAM })
  )

/** Which messages: by default the user's own. */
export const MessageQuery = {
  ...PageQuery,
  scope: Schema.optionalKey(Schema.Literals(["own", "tenant"])),
  search: Schema.optionalKey(Search)
}

const list = HttpApiEndpoint.get("list", "/messages", {
  query: MessageQuery,
  success: MessagePage,
  error: [InvalidRequest, Unavailable]
})
  .annotateMerge(Examples.answers(200, { data: [Examples.message], next_cursor: null }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "List messages",
      description:
        "Newest first, `limit` (default 50, at most 100) a page; complete and free of duplicates while more are added. `scope=tenant` lists those of all users, for admins.\n\n`search` lists those of one's own that have this text in question or answer: as it is written, no pattern, in capital or small letters. One request looks at the 500 newest before the cursor, or at 2 MB of them: a page may be short, or empty, and have a `next_cursor` all the same. Not with `scope=tenant`."
    })
  )

const get = HttpApiEndpoint.get("get", "/messages/:id", {
  params: { id: MessageId },
  success: Message,
  error: [MessageNotFound, Unavailable]
})
  .annotateMerge(Examples.answers(200, Examples.message))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Read a message",
      description: "The question, its answer as far as it was kept, and what it took."
    })
  )

const remove = HttpApiEndpoint.delete("remove", "/messages/:id", {
  params: { id: MessageId },
  success: HttpApiSchema.NoContent,
  error: [MessageNotFound, Unavailable]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Delete a message",
    description:
      "Question and answer are gone; an answer still under way is stopped. The account of what it took stays."
  })
)

/** A user's rating of an answer. */
export const Opinion = Schema.Struct({
  rating: Rating,
  comment: Schema.optionalKey(Schema.NullOr(Comment))
}).annotate({
  identifier: "Opinion",
  examples: [{ rating: 1 }, { rating: -1, comment: "Not a word about agents." }]
})

const feedback = HttpApiEndpoint.post("feedback", "/messages/:id/feedback", {
  params: { id: MessageId },
  headers: keyHeader,
  payload: Opinion,
  success: Feedback,
  error: [MessageNotFound, IdempotencyMismatch, Unavailable]
})
  .annotateMerge(Examples.answers(200, Examples.feedback))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Say what an answer was worth",
      description:
        "`1` and `-1` for thumbs up and down, or a number of a scale of one's own, with a word on why. One per user and message: the next one replaces it. Shown in MLflow as an assessment of the answer's trace."
    })
  )

/** Questions and their answers. */
export class MessagesApi extends HttpApiGroup.make("messages")
  .add(ask, streamUrl, stream, list, get, remove, feedback)
  .middleware(Authorization)
  .annotateEndpoints(Access, "user")
  .annotateMerge(OpenApi.annotations({ title: "Messages", description: "Ask the model; read what was asked." })) {}

import {
  Conversation,
  ConversationId,
  ConversationNotFound,
  ConversationTitle,
  SystemPrompt
} from "@llm-saas/domain/Conversation"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { ModelName, ModelNotFound } from "@llm-saas/domain/Model"
import { Unavailable } from "@llm-saas/domain/Refusal"
import { ModelNotAllowed } from "@llm-saas/domain/Scope"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access, Authorization } from "./Access.ts"
import * as Examples from "./Examples.ts"
import { keyHeader } from "./Idempotent.ts"
import { MessagePage } from "./MessagesApi.ts"
import { pageOf, PageQuery } from "./Page.ts"

const params = { id: ConversationId }

/** What may be said of a conversation, at its beginning and later. */
export const conversationMembers = {
  title: Schema.optionalKey(Schema.NullOr(ConversationTitle)),
  model: Schema.optionalKey(Schema.NullOr(ModelName)),
  system: Schema.optionalKey(Schema.NullOr(SystemPrompt))
}

/** A conversation to create. */
export const CreateConversation = Schema.Struct(conversationMembers).annotate({ identifier: "CreateConversation" })

/** There is nothing to change. */
export const changesSomething = Schema.makeFilter(
  ({ model, system, title }: Schema.Struct.Type<typeof conversationMembers>) =>
    title === undefined && model === undefined && system === undefined
      ? { path: ["title"], issue: "Missing key" }
      : undefined,
  { toJsonSchema: () => ({ minProperties: 1 }) }
)

/** Errors of a model's name. */
export const modelRefused = [ModelNotAllowed, ModelNotFound] as const

/** One page of conversations. */
export const ConversationPage = pageOf("ConversationPage", Conversation)

const create = HttpApiEndpoint.post("create", "/conversations", {
  headers: keyHeader,
  payload: CreateConversation,
  success: Conversation.pipe(HttpApiSchema.status(201)),
  error: [IdempotencyMismatch, ...modelRefused, Unavailable]
})
  .annotateMerge(Examples.answers(201, Examples.conversation, { title: "LangChain" }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Begin a conversation",
      description:
        "Its `title` may be left out: the first question gives it one. `model` and `system` are for its questions that have none of their own."
    })
  )

const list = HttpApiEndpoint.get("list", "/conversations", {
  query: PageQuery,
  success: ConversationPage,
  error: Unavailable
})
  .annotateMerge(Examples.answers(200, { data: [Examples.conversation], next_cursor: null }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "List my conversations",
      description: "Newest first, `limit` (default 50, at most 100) a page."
    })
  )

const get = HttpApiEndpoint.get("get", "/conversations/:id", {
  params,
  success: Conversation,
  error: [ConversationNotFound, Unavailable]
})
  .annotateMerge(Examples.answers(200, Examples.conversation))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Read a conversation",
      description:
        "Its title, its model and instructions, and when it was last asked in. An admin may read any of the tenant's."
    })
  )

const rename = HttpApiEndpoint.patch("rename", "/conversations/:id", {
  params,
  payload: Schema.Struct(conversationMembers).check(changesSomething).annotate({ identifier: "ChangeConversation" }),
  success: Conversation,
  error: [ConversationNotFound, ...modelRefused, Unavailable]
})
  .annotateMerge(Examples.answers(200, Examples.conversation, { title: "LangChain" }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Change a conversation",
      description:
        "What is left out stays. `null` takes the title away, and the next question gives it one; or the model or the instructions, for the default model and none."
    })
  )

const remove = HttpApiEndpoint.delete("remove", "/conversations/:id", {
  params,
  success: HttpApiSchema.NoContent,
  error: [ConversationNotFound, Unavailable]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Delete a conversation",
    description:
      "Gone at once, with all its messages, however many; answers still under way are stopped. The account of what they took stays."
  })
)

const messages = HttpApiEndpoint.get("messages", "/conversations/:id/messages", {
  params,
  query: PageQuery,
  success: MessagePage,
  error: [ConversationNotFound, Unavailable]
})
  .annotateMerge(
    Examples.answers(200, {
      data: [{ ...Examples.message, conversation_id: Examples.conversation.id }],
      next_cursor: null
    })
  )
  .annotateMerge(
    OpenApi.annotations({
      summary: "List a conversation's messages",
      description: "Newest first, `limit` (default 50, at most 100) a page."
    })
  )

/** Conversations: series of messages. */
export class ConversationsApi extends HttpApiGroup.make("conversations")
  .add(create, list, get, rename, remove, messages)
  .middleware(Authorization)
  .annotateEndpoints(Access, "user")
  .annotateMerge(
    OpenApi.annotations({
      title: "Conversations",
      description:
        "Ask with a `conversation_id`, and earlier questions and answers go to the model too, the latest of them first, as far as its token budget reaches."
    })
  ) {}

import { Api } from "@llm-saas/api/Api"
import { Conversations } from "@llm-saas/engine/messages/Conversations"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { CreationAttempts } from "../../auth/CreationAttempts.ts"
import { asJson } from "./json.ts"
import { DEFAULT_PAGE } from "./paging.ts"

/** `/conversations…`. */
export const ConversationsHandlers = HttpApiBuilder.group(
  Api,
  "conversations",
  Effect.fnUntraced(function* (handlers) {
    const conversations = yield* Conversations
    const attempts = yield* CreationAttempts
    return handlers.handleAll({
      create: ({ headers, payload }) =>
        conversations.create(
          payload,
          attempts.of("conversations.create", headers["idempotency-key"], attemptOf(payload))
        ),
      list: ({ query }) => conversations.list({ limit: query.limit ?? DEFAULT_PAGE, cursor: query.cursor }),
      get: ({ params }) => conversations.get(params.id),
      rename: ({ params, payload }) => conversations.change(params.id, payload),
      remove: ({ params }) => conversations.remove(params.id),
      messages: ({ params, query }) =>
        asJson(conversations.messages(params.id, { limit: query.limit ?? DEFAULT_PAGE, cursor: query.cursor }))
    })
  })
)

/** What makes two requests to begin a conversation the same: a title alone, as it was before there was more. */
export const attemptOf = ({
  model = null,
  system = null,
  title = null
}: {
  readonly title?: string | null
  readonly model?: string | null
  readonly system?: string | null
}) => (model === null && system === null ? [title] : [title, model, system])

import { ConversationsRpc } from "@llm-saas/api/ConversationsRpc"
import { Conversations } from "@llm-saas/engine/messages/Conversations"
import { Effect } from "effect"
import { CreationAttempts } from "../../auth/CreationAttempts.ts"
import { attemptOf } from "../../http/handlers/conversations.ts"
import { DEFAULT_PAGE } from "../../http/handlers/paging.ts"
import { decodePage } from "./MessagePages.ts"

/** `conversations.…`. */
export const ConversationsCalls = ConversationsRpc.toLayer(
  Effect.map(Effect.all([Conversations, CreationAttempts]), ([conversations, attempts]) =>
    ConversationsRpc.of({
      "conversations.create": ({ idempotency_key, ...members }) =>
        conversations.create(members, attempts.of("conversations.create", idempotency_key, attemptOf(members))),
      "conversations.list": ({ cursor, limit }) => conversations.list({ limit: limit ?? DEFAULT_PAGE, cursor }),
      "conversations.get": ({ id }) => conversations.get(id),
      "conversations.rename": ({ id, ...members }) => conversations.change(id, members),
      "conversations.remove": ({ id }) => conversations.remove(id),
      "conversations.messages": ({ cursor, id, limit }) =>
        Effect.flatMap(conversations.messages(id, { limit: limit ?? DEFAULT_PAGE, cursor }), decodePage)
    })
  )
)

import { Conversation, ConversationId, ConversationNotFound, ConversationTitle } from "@llm-saas/domain/Conversation"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { CallAuthorization, refusals } from "./Call.ts"
import { ConversationPage, CreateConversation } from "./ConversationsApi.ts"
import { keyMember } from "./Idempotent.ts"
import { MessagePage } from "./MessagesApi.ts"
import { PageQuery } from "./Page.ts"

const one = { id: ConversationId }
const found = Schema.Union([...refusals, ConversationNotFound])

/** Conversations: `/conversations…`. */
export class ConversationsRpc extends RpcGroup.make(
  Rpc.make("conversations.create", {
    payload: { ...CreateConversation.fields, ...keyMember },
    success: Conversation,
    error: Schema.Union([...refusals, IdempotencyMismatch])
  }),
  Rpc.make("conversations.list", { payload: PageQuery, success: ConversationPage, error: Schema.Union(refusals) }),
  Rpc.make("conversations.get", { payload: one, success: Conversation, error: found }),
  Rpc.make("conversations.rename", {
    payload: { ...one, title: Schema.NullOr(ConversationTitle) },
    success: Conversation,
    error: found
  }),
  Rpc.make("conversations.remove", { payload: one, error: found }),
  Rpc.make("conversations.messages", { payload: { ...one, ...PageQuery }, success: MessagePage, error: found })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "user") {}

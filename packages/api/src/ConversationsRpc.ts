import { Conversation, ConversationId, ConversationNotFound } from "@llm-saas/domain/Conversation"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { CallAuthorization, refusals } from "./Call.ts"
import { changesSomething, conversationMembers, ConversationPage, modelRefused } from "./ConversationsApi.ts"
import { keyMember } from "./Idempotent.ts"
import { MessagePage } from "./MessagesApi.ts"
import { PageQuery } from "./Page.ts"

const one = { id: ConversationId }
const found = Schema.Union([...refusals, ConversationNotFound])

/** Conversations: `/conversations…`. */
export class ConversationsRpc extends RpcGroup.make(
  Rpc.make("conversations.create", {
    payload: { ...conversationMembers, ...keyMember },
    success: Conversation,
    error: Schema.Union([...refusals, IdempotencyMismatch, ...modelRefused])
  }),
  Rpc.make("conversations.list", { payload: PageQuery, success: ConversationPage, error: Schema.Union(refusals) }),
  Rpc.make("conversations.get", { payload: one, success: Conversation, error: found }),
  Rpc.make("conversations.rename", {
    payload: Schema.Struct({ ...one, ...conversationMembers }).check(changesSomething),
    success: Conversation,
    error: Schema.Union([...refusals, ConversationNotFound, ...modelRefused])
  }),
  Rpc.make("conversations.remove", { payload: one, error: found }),
  Rpc.make("conversations.messages", { payload: { ...one, ...PageQuery }, success: MessagePage, error: found })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "user") {}

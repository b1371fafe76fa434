import type { TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import { ConversationId } from "@llm-saas/domain/Conversation"
import { GenerationId } from "@llm-saas/domain/Generation"
import { MessageId } from "@llm-saas/domain/Message"
import { TenantId } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"

/** A record of a completed answer. */
export const RECORD: TrackingRecord = {
  tenant_id: TenantId.make("0190d2a0-0000-7000-8000-000000000001"),
  generation_id: GenerationId.make("0190d2a0-0000-7000-8000-abcdefabcdef"),
  revision: 1,
  attempts: 0,
  unsure: false,
  run_id: null,
  run_done: false,
  trace_sent: false,
  message_id: MessageId.make("0190d2a0-0000-7000-8000-000000000003"),
  user_id: UserId.make("0190d2a0-0000-7000-8000-000000000002"),
  conversation_id: ConversationId.make("0190d2a0-0000-7000-8000-000000000004"),
  source: "messages.stream",
  provider: "openai",
  model: "gpt-4o-mini",
  response_model: "gpt-4o-mini-2024-07-18",
  status: "completed",
  finish_reason: "stop",
  failure: null,
  tokens_in: 5,
  tokens_out: 6,
  approx_tokens_in: 4,
  approx_tokens_out: 5,
  cost_usd: 0.00001234,
  prompt_length: 15,
  response_length: 11,
  request_id: "req-1",
  trace_id: "0af7651916cd43dd8448eb211c80319c",
  caller_trace_id: null,
  caller_span_id: null,
  created_at: 1_790_000_000_000.123,
  admitted_at: 1_790_000_000_002,
  started_at: 1_790_000_000_005,
  first_token_at: 1_790_000_000_105.25,
  model_ended_at: 1_790_000_000_505,
  ended_at: 1_790_000_000_510,
  content: "What is a room?",
  response: "Four walls.",
  request: null,
  log: null,
  token_lengths: null,
  calls: [],
  feedback: []
}

import type { ConversationId } from "./Conversation.ts"
import type { FailureReason, FinishReason, GenerationId, GenerationStatus, Source } from "./Generation.ts"
import type { MessageId } from "./Message.ts"
import type { TenantId } from "./Tenant.ts"
import type { UsageDetails } from "./Usage.ts"
import type { UserId } from "./User.ts"

/**
 * A generation in the database's spelling: the columns of `app.generations` that the program writes. Times are in milliseconds since
 * 1970, by the clock of the process that runs it. `app.ask` stores what is known of it at the start ({@link AskedGeneration}),
 * `work.finish_many` the rest ({@link GenerationEnding}).
 */
export interface GenerationRecord {
  readonly tenant_id: TenantId
  readonly id: GenerationId
  readonly message_id: MessageId
  readonly user_id: UserId
  readonly conversation_id: ConversationId | null
  readonly source: Source
  readonly provider: string
  readonly model: string
  /** The process that runs it: an unguessable id, made when the process starts. */
  readonly lease_owner: string
  readonly request_id: string
  readonly trace_id: string
  readonly parent_span_id: string | null
  readonly approx_tokens_in: number
  /** When the request arrived. */
  readonly created_at: number
  /** When it got its turn. */
  readonly admitted_at: number
  readonly status: GenerationStatus
  readonly finish_reason: FinishReason | null
  readonly failure: FailureReason | null
  /** The model that answered, as the provider names it; null where it did not say. */
  readonly response_model: string | null
  /** As the provider counted them; null where it did not say. */
  readonly tokens_in: number | null
  readonly tokens_out: number | null
  /** Parts of these counts; null where the provider named none. */
  readonly usage: UsageDetails | null
  readonly approx_tokens_out: number
  /** US dollars; null where the price or the count is not known. */
  readonly cost_usd: number | null
  /** When the model was asked. */
  readonly started_at: number
  readonly first_token_at: number | null
  readonly model_ended_at: number
  /** The tools that a whole answer calls, as JSON; undefined: none. */
  readonly tool_calls?: string | undefined
}

/** What is stored of a generation when its question is taken. `tenant_id` and `user_id` are those of the room. */
export type AskedGeneration = Pick<
  GenerationRecord,
  | "id"
  | "message_id"
  | "conversation_id"
  | "source"
  | "provider"
  | "model"
  | "lease_owner"
  | "request_id"
  | "trace_id"
  | "parent_span_id"
  | "approx_tokens_in"
  | "created_at"
  | "admitted_at"
>

/** What is stored of a generation when it ended. */
export type GenerationEnding = Pick<
  GenerationRecord,
  | "tenant_id"
  | "id"
  | "lease_owner"
  | "finish_reason"
  | "failure"
  | "response_model"
  | "tokens_in"
  | "tokens_out"
  | "usage"
  | "approx_tokens_out"
  | "cost_usd"
  | "started_at"
  | "first_token_at"
  | "model_ended_at"
  | "tool_calls"
> & { readonly status: Exclude<GenerationStatus, "streaming"> }

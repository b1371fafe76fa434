import { ConversationId } from "@llm-saas/domain/Conversation"
import { FailureReason, FinishReason, GenerationId, GenerationStatus, Source } from "@llm-saas/domain/Generation"
import { MessageId } from "@llm-saas/domain/Message"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { TenantId } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"
import { Context, Effect, Layer, Schema } from "effect"
import { Pool } from "./connections/Pool.ts"

const Opinion = Schema.Struct({
  user_id: UserId,
  rating: Schema.Finite,
  comment: Schema.NullOr(Schema.String),
  revision: Schema.Int,
  at: Schema.Finite
})
/** A user's opinion on an answer that the tracker does not have yet. */
export type Opinion = typeof Opinion.Type

const Call = Schema.Struct({
  number: Schema.Int,
  provider: Schema.String,
  model: Schema.String,
  key_source: Schema.Literals(["installation", "tenant"]),
  response_model: Schema.NullOr(Schema.String),
  http_status: Schema.NullOr(Schema.Int),
  failure: Schema.NullOr(Schema.String),
  tokens_in: Schema.NullOr(Schema.Int),
  tokens_out: Schema.NullOr(Schema.Int),
  started_at: Schema.Finite,
  /** Null: its process was lost. */
  ended_at: Schema.NullOr(Schema.Finite)
})

/** A generation that ended, with all fields that are sent. Times are in milliseconds since 1970. */
export const TrackingRecord = Schema.Struct({
  tenant_id: TenantId,
  generation_id: GenerationId,
  /** Increased when there is more to send; `settle` applies to the version that was claimed. */
  revision: Schema.Int,
  /** How often it failed for a reason of its own. */
  attempts: Schema.Int,
  /** An earlier attempt may have delivered part of it. */
  unsure: Schema.Boolean,
  run_id: Schema.NullOr(Schema.String),
  run_done: Schema.Boolean,
  trace_sent: Schema.Boolean,
  /** Null: the message was deleted, with its texts. */
  message_id: Schema.NullOr(MessageId),
  user_id: UserId,
  conversation_id: Schema.NullOr(ConversationId),
  source: Source,
  provider: Schema.String,
  model: Schema.String,
  response_model: Schema.NullOr(Schema.String),
  status: GenerationStatus,
  finish_reason: Schema.NullOr(FinishReason),
  failure: Schema.NullOr(FailureReason),
  tokens_in: Schema.NullOr(Schema.Int),
  tokens_out: Schema.NullOr(Schema.Int),
  approx_tokens_in: Schema.Int,
  approx_tokens_out: Schema.NullOr(Schema.Int),
  cost_usd: Schema.NullOr(Schema.Finite),
  prompt_length: Schema.Int,
  response_length: Schema.NullOr(Schema.Int),
  request_id: Schema.NullOr(Schema.String),
  /** The trace's id at the tracker, 32 hexadecimal digits, unique per generation. */
  trace_id: Schema.String,
  /** The trace and the span that the caller named, if any. */
  caller_trace_id: Schema.NullOr(Schema.String),
  caller_span_id: Schema.NullOr(Schema.String),
  created_at: Schema.Finite,
  admitted_at: Schema.Finite,
  started_at: Schema.NullOr(Schema.Finite),
  first_token_at: Schema.NullOr(Schema.Finite),
  model_ended_at: Schema.NullOr(Schema.Finite),
  ended_at: Schema.Finite,
  /** Null too where content was not requested. */
  content: Schema.NullOr(Schema.String),
  response: Schema.NullOr(Schema.String),
  /** The body of a request under `/v1`; null too where it is very large. */
  request: Schema.NullOr(Schema.String),
  /** The answer's log, where it is more than text, and the lengths of its entries; null too where it is very large. */
  log: Schema.NullOr(Schema.String),
  token_lengths: Schema.NullOr(Schema.Array(Schema.Int)),
  /** The calls of providers, in their order. */
  calls: Schema.Array(Call),
  feedback: Schema.Array(Opinion)
})
export type TrackingRecord = typeof TrackingRecord.Type

/** The delivery state of a record. */
export interface Progress {
  readonly runId: string | null
  readonly runDone: boolean
  readonly traceSent: boolean
  /** The opinions that were delivered. */
  readonly feedback: ReadonlyArray<{ readonly user_id: UserId; readonly revision: number }>
}

/** The result for a claimed record. */
export type Settlement = Pick<TrackingRecord, "tenant_id" | "generation_id" | "revision">
  & Progress
  & (
    | { readonly outcome: "done" }
    /** `counts`: the failure was the record's own. */
    | { readonly outcome: "later"; readonly delayMs: number; readonly counts: boolean; readonly unsure: boolean }
    | { readonly outcome: "parked"; readonly reason: string }
  )

/** How far the tracker is behind. */
export interface Lag {
  readonly pending: number
  /** Refused for good, waiting for an operator. */
  readonly parked: number
  readonly oldestSeconds: number
}

/**
 * Ended generations that the tracker does not have yet: the functions of `sql/functions/60_tracking.sql`. Its pool logs in as `llm_jobs`,
 * and is not the pool of the requests.
 */
export class TrackingOutbox extends Context.Service<
  TrackingOutbox,
  {
    /**
     * Claims at most `limit` due records, oldest first, for `seconds`: until then no other process gets them. Without `content`, questions,
     * answers and comments are not read at all.
     */
    readonly claim: (options: {
      readonly worker: string
      readonly limit: number
      readonly seconds: number
      readonly content: boolean
    }) => Effect.Effect<ReadonlyArray<TrackingRecord>, Unavailable>
    /** Stores the results. Records whose claim has expired meanwhile are left unchanged. */
    readonly settle: (worker: string, settlements: ReadonlyArray<Settlement>) => Effect.Effect<void, Unavailable>
    readonly lag: Effect.Effect<Lag, Unavailable>
    /** Discards at most so many records without sending them. Returns how many. */
    readonly forget: (limit: number) => Effect.Effect<number, Unavailable>
  }
>()("@llm-saas/database/TrackingOutbox") {
  static readonly layer = Layer.effect(
    TrackingOutbox,
    Effect.gen(function* () {
      const pool = yield* Pool
      return TrackingOutbox.of({
        claim: ({ content, limit, seconds, worker }) =>
          pool.call(
            "select * from tracking.claim($1::uuid, $2::int4, $3::int4, $4::boolean)",
            [worker, limit, seconds, content],
            Schema.Array(TrackingRecord)
          ),
        settle: (worker, settlements) =>
          settlements.length === 0
            ? Effect.void
            : Effect.asVoid(
                pool.call(
                  "select tracking.settle($1::uuid, $2::text::jsonb)",
                  [worker, JSON.stringify(settlements.map(rowOf))],
                  Schema.Unknown
                )
              ),
        lag: Effect.map(
          pool.call("select pending::int4, parked::int4, oldest_seconds from tracking.lag()", [], LagRow),
          ([{ oldest_seconds, parked, pending }]): Lag => ({ pending, parked, oldestSeconds: oldest_seconds })
        ),
        forget: (limit) =>
          Effect.map(
            pool.call(
              "select tracking.forget($1::int4)",
              [limit],
              Schema.Tuple([Schema.Struct({ forget: Schema.Int })])
            ),
            ([{ forget }]) => forget
          )
      })
    })
  )
}

const LagRow = Schema.Tuple([Schema.Struct({ pending: Schema.Int, parked: Schema.Int, oldest_seconds: Schema.Finite })])

/** The rows that `tracking.settle` reads. */
const rowOf = (settlement: Settlement) => ({
  tenant_id: settlement.tenant_id,
  generation_id: settlement.generation_id,
  revision: settlement.revision,
  outcome: settlement.outcome,
  run_id: settlement.runId,
  run_done: settlement.runDone,
  trace_sent: settlement.traceSent,
  feedback: settlement.feedback,
  unsure: settlement.outcome === "later" && settlement.unsure,
  counts: settlement.outcome === "later" ? settlement.counts : settlement.outcome === "parked",
  delay_ms: settlement.outcome === "later" ? settlement.delayMs : 0,
  reason: settlement.outcome === "parked" ? settlement.reason : null
})

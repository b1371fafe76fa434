import { Feedback } from "@llm-saas/domain/Feedback"
import { Generation, generationFailures, GenerationNotFound, Seq } from "@llm-saas/domain/Generation"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { TooManyRequests } from "@llm-saas/domain/Refusal"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { AnswerRef } from "./AnswerRef.ts"
import { Access } from "./Access.ts"
import { InvalidRequest } from "./Failures.ts"
import { CallAuthorization, refusals } from "./Call.ts"
import { GenerationQuery, UnderWayPage } from "./GenerationsApi.ts"
import { keyMember } from "./Idempotent.ts"
import { Opinion } from "./MessagesApi.ts"
import { StreamEvent } from "./StreamEvent.ts"

const one = { id: AnswerRef }
const found = Schema.Union([...refusals, GenerationNotFound])

/** Generations: `/generations/…`. */
export class GenerationsRpc extends RpcGroup.make(
  /** Answers under way. */
  Rpc.make("generations.list", {
    payload: GenerationQuery,
    success: UnderWayPage,
    error: Schema.Union(refusals)
  }),
  Rpc.make("generations.get", { payload: one, success: Generation, error: found }),
  /** Stops it; the text so far is kept. */
  Rpc.make("generations.cancel", { payload: one, success: Generation, error: found }),
  /**
   * Follows it after the token `after`, or from its beginning. The model is not asked again. A position that
   * an ended answer does not have is an {@link InvalidRequest}.
   */
  Rpc.make("generations.watch", {
    payload: { ...one, after: Schema.optionalKey(Seq) },
    success: StreamEvent,
    error: Schema.Union([...refusals, InvalidRequest, GenerationNotFound, TooManyRequests, ...generationFailures]),
    stream: true
  }),
  /** The answer's id may be the one that a door under `/v1` gave it. */
  Rpc.make("generations.feedback", {
    payload: { ...one, ...Opinion.fields, ...keyMember },
    success: Feedback,
    error: Schema.Union([...refusals, GenerationNotFound, IdempotencyMismatch])
  })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "user") {}

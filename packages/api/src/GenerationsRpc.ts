import { Generation, generationFailures, GenerationId, GenerationNotFound, Seq } from "@llm-saas/domain/Generation"
import { TooManyRequests } from "@llm-saas/domain/Refusal"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { InvalidRequest } from "./Failures.ts"
import { CallAuthorization, refusals } from "./Call.ts"
import { StreamEvent } from "./StreamEvent.ts"

const one = { id: GenerationId }
const found = Schema.Union([...refusals, GenerationNotFound])

/** Generations: `/generations/…`. */
export class GenerationsRpc extends RpcGroup.make(
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
  })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "user") {}

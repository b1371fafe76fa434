import { Feedback } from "@llm-saas/domain/Feedback"
import { GenerationId, GenerationNotFound, Seq } from "@llm-saas/domain/Generation"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { Message, MessageId, MessageNotFound } from "@llm-saas/domain/Message"
import { questionCheck, questionFields } from "@llm-saas/domain/Question"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Access } from "./Access.ts"
import { InvalidRequest } from "./Failures.ts"
import { CallAuthorization, refusals } from "./Call.ts"
import { keyMember } from "./Idempotent.ts"
import { MessagePage, MessageQuery, Opinion, refused } from "./MessagesApi.ts"
import { StreamEvent } from "./StreamEvent.ts"

/** With a key, a repeated call gets the same answer, and the model is not asked again. */
const asked = { ...questionFields, ...keyMember }
const one = { id: MessageId }
const found = Schema.Union([...refusals, MessageNotFound])
const answered = Schema.Union([...refusals, ...refused, GenerationNotFound, InvalidRequest])

/** Questions and their answers: `/messages…`. */
export class MessagesRpc extends RpcGroup.make(
  /** Waits for the whole answer. */
  Rpc.make("messages.ask", { payload: Schema.Struct(asked).check(questionCheck), success: Message, error: answered }),
  /**
   * Streams the answer: `start`, each token, thought and piece of a call, `usage`, `end`; it fails if the answer is not whole. With `resume`, an interrupted stream
   * continues after that token, and the model is not asked again: the same as `generations.watch`.
   */
  Rpc.make("messages.stream", {
    payload: Schema.Struct({
      ...asked,
      resume: Schema.optionalKey(Schema.Struct({ generation_id: GenerationId, seq: Seq }))
    }).check(questionCheck),
    success: StreamEvent,
    error: answered,
    stream: true
  }),
  Rpc.make("messages.list", {
    payload: MessageQuery,
    success: MessagePage,
    error: Schema.Union([...refusals, InvalidRequest])
  }),
  Rpc.make("messages.get", { payload: one, success: Message, error: found }),
  Rpc.make("messages.remove", { payload: one, error: found }),
  Rpc.make("messages.feedback", {
    payload: { ...one, ...Opinion.fields, ...keyMember },
    success: Feedback,
    error: Schema.Union([...refusals, MessageNotFound, IdempotencyMismatch])
  })
)
  .middleware(CallAuthorization)
  .annotateRpcs(Access, "user") {}

import type { AskedQuestion, Tenancy } from "@llm-saas/database/Tenancy"
import type { ConversationId } from "@llm-saas/domain/Conversation"
import { GenerationId, GenerationStatus, isEnded, type Source } from "@llm-saas/domain/Generation"
import { MessageId } from "@llm-saas/domain/Message"
import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import { Effect, Schema } from "effect"
import { type Digest, sha256 } from "effect/crypto/Digest"
import type { AnsweredQuestion } from "./ConversationHistory.ts"

/** A question, as a client asks it. */
export interface Question {
  /** What is shown of it: the text, or the last turn's text of a request with more. May be empty there. */
  readonly content: string
  readonly conversationId: ConversationId | undefined
  /** The model by its name here; undefined: the conversation's, or the default one. */
  readonly model?: string | undefined
  /** The whole request, where there is more to it than the text. It has all earlier turns, but for those of a conversation. */
  readonly request?: ModelRequest | undefined
  /** False: nothing of its content is to be kept. */
  readonly keep?: boolean | undefined
  /** Whether the answer goes on although nobody reads it. */
  readonly background?: boolean | undefined
  /**
   * Where the client marks tries of one request, and gives no key: `first`, or `again` for one that joins the answer of the first. The
   * body is what they have in common.
   */
  readonly tries?: "first" | "again" | undefined
  readonly source: Source
  readonly idempotencyKey: string | undefined
  /** The request's `traceparent` header, unparsed. */
  readonly traceparent: string | undefined
}

/** Names a question that was stored. */
export interface Place {
  readonly message_id: MessageId
  readonly generation_id: GenerationId
}

/** The result; see `sql/functions/40_asking.sql`. */
export type Outcome =
  | (Place & { readonly outcome: "asked"; readonly history: ReadonlyArray<AnsweredQuestion> })
  | (Place & { readonly outcome: "known"; readonly running: boolean })
  | { readonly outcome: "mismatch" }
  | { readonly outcome: "no_conversation" }

/** Hashes a request's body, to detect that a key is reused for another body. A plain question is hashed as it was before there were others. */
export const hash = (digest: Digest["Service"], { content, conversationId, model, request, source }: Question) => {
  const plain = [content, conversationId ?? null]
  const whole =
    request === undefined && model === undefined
      ? plain
      : [...plain, source, model ?? null, request?.origin?.body ?? request]
  return digest.digestHex(sha256, new TextEncoder().encode(JSON.stringify(whole)))
}

/** Stores the question, or says why not: one statement, one round trip. */
export const ask = Effect.fnUntraced(function* (tenancy: Tenancy["Service"], question: AskedQuestion) {
  const rows = yield* tenancy.call("ask", question)
  const [row] = yield* Effect.orDie(decodeRows(rows))
  const place = { message_id: row.message_id, generation_id: row.generation_id }
  const outcome: Outcome =
    row.outcome === "mismatch"
    || row.outcome === "no_conversation"
    || place.message_id === null
    || place.generation_id === null
      ? { outcome: row.outcome === "mismatch" ? "mismatch" : "no_conversation" }
      : row.outcome === "asked"
        ? { message_id: place.message_id, generation_id: place.generation_id, outcome: "asked", history: row.history }
        : {
            message_id: place.message_id,
            generation_id: place.generation_id,
            outcome: "known",
            running: row.status !== null && !isEnded(row.status)
          }
  return outcome
})

const Row = Schema.Struct({
  outcome: Schema.Literals(["asked", "known", "mismatch", "no_conversation"]),
  message_id: Schema.NullOr(MessageId),
  generation_id: Schema.NullOr(GenerationId),
  status: Schema.NullOr(GenerationStatus),
  history: Schema.Array(Schema.Struct({ content: Schema.String, response: Schema.String }))
})
const decodeRows = Schema.decodeUnknownEffect(Schema.Tuple([Row]))

import type { Tenancy } from "@llm-saas/database/Tenancy"
import type { ConversationId } from "@llm-saas/domain/Conversation"
import { GenerationId, GenerationStatus, isEnded } from "@llm-saas/domain/Generation"
import { MessageId } from "@llm-saas/domain/Message"
import { Effect, Schema } from "effect"
import { type Digest, sha256 } from "effect/crypto/Digest"
import type { AnsweredQuestion } from "./ConversationHistory.ts"

/** What is stored of a question when it is taken. Times are in milliseconds since 1970. */
export interface QuestionRecord {
  readonly message: MessageId
  readonly generation: GenerationId
  readonly content: string
  readonly conversation: ConversationId | null
  readonly source: string
  readonly provider: string
  readonly model: string
  readonly lease: string
  readonly request: string
  readonly trace: string
  readonly parentSpan: string | null
  readonly arrived: number
  readonly admitted: number
  readonly approxTokensIn: number
  readonly key: string | null
  readonly bodyHash: string | null
  readonly historyCharacters: number
}

interface Place {
  readonly message_id: MessageId
  readonly generation_id: GenerationId
}

/** What became of it; see `sql/functions/40_asking.sql`. */
export type Outcome =
  | (Place & { readonly outcome: "asked"; readonly history: ReadonlyArray<AnsweredQuestion> })
  | (Place & { readonly outcome: "known"; readonly running: boolean })
  | { readonly outcome: "mismatch" }
  | { readonly outcome: "no_conversation" }

/** Names a request's body, so that a key used for another one is told apart. */
export const hash = (digest: Digest["Service"], content: string, conversation: ConversationId | undefined) =>
  digest.digestHex(sha256, new TextEncoder().encode(JSON.stringify([content, conversation ?? null])))

/** Stores the question, or says why not: one statement, one round trip. */
export const ask = Effect.fnUntraced(function* (tenancy: Tenancy["Service"], record: QuestionRecord) {
  const rows = yield* tenancy.call("ask", [
    record.message,
    record.generation,
    record.content,
    record.conversation,
    record.source,
    record.provider,
    record.model,
    record.lease,
    record.request,
    record.trace,
    record.parentSpan,
    record.arrived,
    record.admitted,
    record.approxTokensIn,
    record.key,
    record.bodyHash,
    record.historyCharacters
  ])
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

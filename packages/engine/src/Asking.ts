import { type Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { ConversationId } from "@llm-saas/domain/Conversation"
import { GenerationId, GenerationStatus, isEnded } from "@llm-saas/domain/Generation"
import { MessageId } from "@llm-saas/domain/Message"
import { Effect, Schema } from "effect"
import { type Digest, sha256 } from "effect/crypto/Digest"
import { SqlSchema } from "effect/sql"
import type { Exchange } from "./History.ts"

/** What is stored of a question when it is taken. Times are in milliseconds since 1970. */
export interface Record {
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
  | (Place & { readonly outcome: "asked"; readonly history: ReadonlyArray<Exchange> })
  | (Place & { readonly outcome: "known"; readonly running: boolean })
  | { readonly outcome: "mismatch" }
  | { readonly outcome: "no_conversation" }

/** Names a request's body, so that a key used for another one is told apart. */
export const hash = (digest: Digest["Service"], content: string, conversation: ConversationId | undefined) =>
  digest.digestHex(sha256, new TextEncoder().encode(JSON.stringify([content, conversation ?? null])))

/** Stores the question, or says why not: one statement, one round trip. */
export const ask = Effect.fnUntraced(function* (tenancy: Tenancy["Service"], record: Record) {
  const row = yield* tenancy.once(insert(record)).pipe(Effect.catchTag("NoSuchElementError", Effect.die))
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

const Parameters = Schema.Struct({
  message: MessageId,
  generation: GenerationId,
  content: Schema.String,
  conversation: Schema.NullOr(ConversationId),
  source: Schema.String,
  provider: Schema.String,
  model: Schema.String,
  lease: Schema.String,
  request: Schema.String,
  trace: Schema.String,
  parentSpan: Schema.NullOr(Schema.String),
  arrived: Schema.Finite,
  admitted: Schema.Finite,
  approxTokensIn: Schema.Int,
  key: Schema.NullOr(Schema.String),
  bodyHash: Schema.NullOr(Schema.String),
  historyCharacters: Schema.Int
})

const insert = SqlSchema.findOne({
  Request: Parameters,
  Result: Row,
  execute: (p) =>
    TenantSql.use(
      (sql) =>
        sql`select * from app.ask(${p.message}::uuid, ${p.generation}::uuid, ${p.content}::text, ${p.conversation}::uuid, ${p.source}::text,
          ${p.provider}::text, ${p.model}::text, ${p.lease}::uuid, ${p.request}::text, ${p.trace}::text, ${p.parentSpan}::text,
          to_timestamp(${p.arrived}::float8 / 1000), to_timestamp(${p.admitted}::float8 / 1000), ${p.approxTokensIn}::int4,
          ${p.key}::text, ${p.bodyHash}::text, ${p.historyCharacters}::int4)`
    )
})

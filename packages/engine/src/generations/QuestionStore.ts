import type { AskedQuestion } from "@llm-saas/database/AskedQuestion"
import { type Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { ConversationId } from "@llm-saas/domain/Conversation"
import { GenerationId, GenerationStatus, isEnded, type Source } from "@llm-saas/domain/Generation"
import {
  type AdmissionRefused,
  budgetDetail,
  BudgetExhausted,
  limitDetail,
  LimitReached,
  LimitScope,
  ModelUnpriced,
  Standing
} from "@llm-saas/domain/LimitReached"
import { MessageId } from "@llm-saas/domain/Message"
import type { JsonObject } from "@llm-saas/domain/Json"
import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import { ModelNotAllowed } from "@llm-saas/domain/Scope"
import { Data, Effect, Schema, Struct } from "effect"
import { type Digest, sha256 } from "effect/crypto/Digest"
import { SqlSchema } from "effect/sql"
import type { Before } from "./ConversationHistory.ts"

/** A question, as a client asks it. */
export interface Question {
  /** What is shown of it: the text, or the last turn's text of a request with more. May be empty there. */
  readonly content: string
  readonly conversationId: ConversationId | undefined
  /** The model by its name here; undefined: the conversation's, or the default one. */
  readonly model?: string | undefined
  /** The whole request, where there is more to it than the text. It has all earlier turns, but for those of a conversation. */
  readonly request?: ModelRequest | undefined
  /** What is kept of a request without an origin. */
  readonly body?: JsonObject | undefined
  /** False: nothing of its content is to be kept. */
  readonly keep?: boolean | undefined
  /** Whether the answer goes on without a reader. */
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
  | (Place & { readonly outcome: "asked"; readonly before: Before; readonly standing: Standing | undefined })
  | (Place & { readonly outcome: "known"; readonly running: boolean })
  /** Nothing was stored. The conversation's model; null: it has none. */
  | { readonly outcome: "other_model"; readonly model: string | null }
  | { readonly outcome: "other_calls" }
  | { readonly outcome: "mismatch" }
  | { readonly outcome: "no_conversation" }
  /** Nothing was stored and nothing taken. */
  | { readonly outcome: "refused"; readonly why: AdmissionRefused | ModelNotAllowed }
  /** Likewise: the budget would do if answers that run now cost less than is reserved for them. */
  | { readonly outcome: "reserved"; readonly why: BudgetExhausted }

/** Hashes a request's body, to detect that a key is reused for another body. A plain question is hashed as it was before there were others. */
export const hash = (
  digest: Digest["Service"],
  { body, content, conversationId, model, request, source }: Question
) => {
  const plain = [content, conversationId ?? null]
  const whole =
    request === undefined && model === undefined
      ? plain
      : request?.origin === undefined
        ? // One question, at whichever of our own addresses it is asked.
          [...plain, model ?? null, body ?? request ?? null]
        : [...plain, source, model ?? null, request.origin.body]
  return digest.digestHex(sha256, new TextEncoder().encode(JSON.stringify(whole)))
}

/** Stores questions, or says why not. */
export const make = (tenancy: Tenancy["Service"]) =>
  Effect.fnUntraced(function* (question: AskedQuestion) {
    const row = yield* Effect.orDie(decodeRow(yield* tenancy.ask(question)))
    return outcomeOf(row, question.model)
  })

const outcomeOf = (row: typeof Row.Type, asked: string): Outcome => {
  const { generation_id, history, message_id, model, outcome, refusal, standing, status, system } = row
  if (outcome === "other_model") return { outcome, model }
  if (outcome === "other_calls" || outcome === "mismatch") return { outcome }
  if (outcome === "not_allowed")
    return { outcome: "refused", why: new ModelNotAllowed({ model: asked, detail: NOT_IN_PLAN }) }
  if (outcome === "unpriced") return { outcome: "refused", why: new ModelUnpriced({ model: asked }) }
  if (refusal !== null) return refusedBy(refusal, outcome === "reserved")
  if (outcome === "no_conversation" || message_id === null || generation_id === null)
    return { outcome: "no_conversation" }
  return outcome === "asked"
    ? { message_id, generation_id, outcome, before: { history, system }, standing: standing ?? undefined }
    : { message_id, generation_id, outcome: "known", running: status !== null && !isEnded(status) }
}

const NOT_IN_PLAN = "The plan of the tenant does not have this model."

const refusedBy = (refusal: typeof Refusal.Type, waits: boolean): Outcome => {
  if (refusal.resource !== "budget")
    return { outcome: "refused", why: new LimitReached({ ...refusal, detail: limitDetail(refusal) }) }
  const budget = { ...Struct.omit(refusal, ["resource"]), detail: budgetDetail(refusal) }
  return waits
    ? { outcome: "reserved", why: new BudgetExhausted({ ...budget, retry_after: RESERVED_SECONDS }) }
    : { outcome: "refused", why: new BudgetExhausted(budget) }
}

/** When to come back where a budget is reserved for answers that run. */
const RESERVED_SECONDS = 5

/** The results of a question are not those of the calls in the conversation's last answer. */
export class OtherCalls extends Data.TaggedError("OtherCalls")<Record<never, never>> {}

/** The model of one of the actor's conversations. */
export const conversationModel = SqlSchema.findOneOption({
  Request: ConversationId,
  Result: Schema.Struct({ model: Schema.NullOr(Schema.String) }),
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`select model from app.conversations
        where tenant_id = app.tenant_id() and id = ${id} and user_id = app.user_id()`
    )
})

const optionalText = Schema.optionalKey(Schema.NullOr(Schema.String))

const Refusal = Schema.Union([
  Schema.Struct({
    scope: LimitScope,
    resource: Schema.Literals(["requests", "tokens", "concurrent"]),
    limit: Schema.Int,
    retry_after: Schema.Int
  }),
  Schema.Struct({
    scope: LimitScope,
    resource: Schema.Literal("budget"),
    amount: Schema.String,
    period: Schema.Literals(["day", "week", "month", "total"]),
    left: Schema.String,
    until: Schema.NullOr(Schema.String)
  })
])

const Row = Schema.Struct({
  outcome: Schema.Literals([
    "asked",
    "known",
    "mismatch",
    "no_conversation",
    "other_model",
    "other_calls",
    "not_allowed",
    "refused",
    "reserved",
    "unpriced"
  ]),
  message_id: Schema.NullOr(MessageId),
  generation_id: Schema.NullOr(GenerationId),
  status: Schema.NullOr(GenerationStatus),
  history: Schema.Array(
    Schema.Struct({
      content: Schema.String,
      response: Schema.String,
      request: optionalText,
      tool_calls: optionalText
    })
  ),
  model: Schema.NullOr(Schema.String),
  system: Schema.NullOr(Schema.String),
  refusal: Schema.NullOr(Refusal),
  standing: Schema.NullOr(Standing)
})
const decodeRow = Schema.decodeUnknownEffect(Row)

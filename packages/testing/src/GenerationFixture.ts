import { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import { Tenancy } from "@llm-saas/database/Tenancy"
import { type EndedAnswer, GenerationStore } from "@llm-saas/database/GenerationStore"
import { Actor } from "@llm-saas/domain/Actor"
import type { ConversationId } from "@llm-saas/domain/Conversation"
import type { GenerationEnding } from "@llm-saas/domain/GenerationRecord"
import { GenerationId, type Source } from "@llm-saas/domain/Generation"
import { approximateTokens, MessageId } from "@llm-saas/domain/Message"
import { TenantId } from "@llm-saas/domain/Tenant"
import { Email, UserId } from "@llm-saas/domain/User"
import * as QuestionStore from "@llm-saas/engine/generations/QuestionStore"
import { Effect, Struct } from "effect"
import { randomUUID } from "node:crypto"

/** A question and its outcome; everything has a default. Times are in milliseconds since 1970. */
export interface Answer extends Partial<Omit<GenerationEnding, "tenant_id" | "id" | "lease_owner">> {
  readonly response?: string
  readonly content?: string
  readonly conversation?: ConversationId
  readonly source?: Source
  readonly traceparent?: { readonly traceId: string; readonly parentSpanId: string }
  readonly arrivedAt?: number
}

/** The ids of a question and its answer. */
export interface Place {
  readonly generationId: GenerationId
  readonly messageId: MessageId
  readonly traceId: string
  readonly lease: string
}

/** A user of a tenant, which is created unless it is given. The first user is its admin. */
export const newUser = Effect.fnUntraced(function* (tenant?: TenantId) {
  const preTenant = yield* PreTenantAccess
  const tenantId = tenant ?? TenantId.make(randomUUID())
  if (tenant === undefined) yield* preTenant.createTenant({ id: tenantId, name: "Tenant", registration: "open" })
  const userId = UserId.make(randomUUID())
  const email = Email.make(`${userId}@example.com`)
  yield* preTenant.register({ tenantId, userId, email, passwordHash: "$argon2id$v=19$m=19456,t=2,p=1$x$y" })
  const actor: Actor["Service"] = { tenantId, userId, tokenEpoch: 0, needs: "user" }
  return actor
})

/** A question in the room of `actor`, stored as the engine does, without an answer yet. */
export const asked = Effect.fnUntraced(function* (actor: Actor["Service"], answer: Answer = {}) {
  const tenancy = yield* Tenancy
  const content = answer.content ?? "What is a room?"
  const place: Place = {
    generationId: GenerationId.make(randomUUID()),
    messageId: MessageId.make(randomUUID()),
    traceId: answer.traceparent?.traceId ?? randomUUID().replaceAll("-", ""),
    lease: randomUUID()
  }
  const arrived = answer.arrivedAt ?? 1_790_000_000_000
  yield* QuestionStore.make(tenancy)({
    id: place.generationId,
    message_id: place.messageId,
    content,
    conversation_id: answer.conversation ?? null,
    source: answer.source ?? "messages",
    provider: "mock",
    model: "mock-1",
    lease_owner: place.lease,
    request_id: "request",
    trace_id: place.traceId,
    parent_span_id: answer.traceparent?.parentSpanId ?? null,
    created_at: arrived,
    admitted_at: arrived + 2,
    approx_tokens_in: approximateTokens(content),
    estimate: 10,
    idempotency_key: null,
    body_hash: null,
    history_characters: 1000
  }).pipe(Effect.provideService(Actor, actor))
  return place
})

/** Ends the answer, as the engine does. */
export const ended = Effect.fnUntraced(function* (actor: Actor["Service"], place: Place, answer: Answer = {}) {
  const work = yield* GenerationStore
  const response = answer.response ?? "Four walls and a door."
  const arrived = answer.arrivedAt ?? 1_790_000_000_000
  yield* work.finish({
    response,
    tokenLengths: response === "" ? [] : [response.length],
    log: null,
    attempts: [],
    account: accountOf(answer.cost_usd ?? null, (answer.tokens_in ?? 0) + (answer.tokens_out ?? 0)),
    ending: {
      status: "completed",
      finish_reason: (answer.status ?? "completed") === "completed" ? "stop" : null,
      failure: null,
      response_model: null,
      tokens_in: null,
      tokens_out: null,
      usage: null,
      approx_tokens_out: approximateTokens(response),
      cost_usd: null,
      started_at: arrived + 5,
      first_token_at: arrived + 105,
      model_ended_at: arrived + 505,
      ...Struct.omit(answer, ["arrivedAt", "content", "conversation", "response", "source", "traceparent"]),
      tenant_id: actor.tenantId,
      id: place.generationId,
      lease_owner: place.lease
    }
  })
})

/** An answer that costs so much. */
export const accountOf = (cost: number | null, tokens = 0): EndedAnswer["account"] => ({
  items: cost === null ? [] : [{ attempt: 1, unit: "output", quantity: 1, price_id: null, price: String(cost) }],
  priced: cost !== null,
  tokens_used: tokens
})

/** A question and its answer. */
export const answered = Effect.fnUntraced(function* (actor: Actor["Service"], answer: Answer = {}) {
  const place = yield* asked(actor, answer)
  yield* ended(actor, place, answer)
  return place
})

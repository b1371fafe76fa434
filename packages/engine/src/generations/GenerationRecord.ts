import type { Final } from "@llm-saas/database/GenerationStore"
import type { ConversationId } from "@llm-saas/domain/Conversation"
import type { Ending, Source, Usage } from "@llm-saas/domain/Generation"
import { approximateTokens, Message, type MessageId } from "@llm-saas/domain/Message"
import { DateTime, type Tracer } from "effect"
import type { RunningGeneration } from "./RunningGeneration.ts"
import type { Completion } from "./Llm.ts"
import type { GenerationEnd } from "./TokenLog.ts"
import { lengthsOf } from "./Tokens.ts"

/** What a million tokens cost, in US dollars. */
export interface Price {
  readonly input: number
  readonly output: number
}

/** What is known of a generation beside its text. Times are in milliseconds since 1970. */
export interface RunState {
  readonly messageId: MessageId
  readonly conversationId: ConversationId | null
  readonly content: string
  readonly source: Source
  readonly requestId: string
  /** The span it belongs under, where somebody traces. */
  readonly parent: Tracer.AnySpan | undefined
  readonly provider: string
  readonly model: string
  readonly approxTokensIn: number
  /** Now, as far from `arrivedAt` as it is by the monotonic clock. */
  readonly moment: () => number
  readonly arrivedAt: number
  readonly admittedAt: number
  startedAt: number
  modelEndedAt: number
  completion: Completion | undefined
}

/** What the tokens cost, where both the price and the provider's own count are known; in US dollars. */
export const costOf = (price: Price | undefined, usage: Usage | undefined): number | null =>
  price === undefined || usage === undefined
    ? null
    : (usage.input * price.input + usage.output * price.output) / 1_000_000

/** The account of a generation that ended: as it is stored, and as its readers see it. */
export const recordOf = (
  live: RunningGeneration,
  run: RunState,
  ending: Ending,
  price: Price | undefined
): { readonly final: Final; readonly end: GenerationEnd } => {
  const usage = run.completion?.usage
  const response = live.tokenLog.text
  const finishReason = ending.status === "completed" ? ending.finishReason : null
  const failure = ending.status === "failed" || ending.status === "interrupted" ? ending.failure : null
  const approxTokensOut = approximateTokens(response)
  const final: Final = {
    tenantId: live.tenantId,
    generationId: live.generationId,
    status: ending.status,
    finishReason,
    failure,
    response,
    tokenLengths: lengthsOf(live.tokenLog.tokens),
    responseModel: run.completion?.model ?? null,
    tokensIn: usage?.input ?? null,
    tokensOut: usage?.output ?? null,
    approxTokensOut,
    costUsd: costOf(price, usage),
    startedAt: run.startedAt,
    firstTokenAt: live.firstTokenAt ?? null,
    modelEndedAt: run.modelEndedAt
  }
  const message = new Message({
    id: run.messageId,
    conversation_id: run.conversationId,
    generation_id: live.generationId,
    user_id: live.userId,
    content: run.content,
    response,
    model: run.completion?.model ?? run.model,
    status: ending.status,
    finish_reason: finishReason,
    failure,
    tokens_in: final.tokensIn,
    tokens_out: final.tokensOut,
    approx_tokens_in: run.approxTokensIn,
    approx_tokens_out: approxTokensOut,
    latency_ms: run.modelEndedAt - run.arrivedAt,
    ttft_ms: live.firstTokenAt === undefined ? null : live.firstTokenAt - run.arrivedAt,
    created_at: DateTime.makeUnsafe(run.arrivedAt)
  })
  return { final, end: { ending, usage, message } }
}

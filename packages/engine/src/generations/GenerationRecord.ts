import type { EndedAnswer } from "@llm-saas/database/GenerationStore"
import { type Attempt, attemptRow } from "@llm-saas/domain/Attempt"
import type { Ending } from "@llm-saas/domain/Generation"
import type { AskedGeneration, GenerationEnding, GenerationRecord } from "@llm-saas/domain/GenerationRecord"
import { approximateTokens, Message } from "@llm-saas/domain/Message"
import type { Usage } from "@llm-saas/domain/Usage"
import { writtenIn } from "@llm-saas/domain/Written"
import { DateTime, type Tracer } from "effect"
import { accountOf } from "./AnswerAccount.ts"
import type { PriceBook } from "../prices/PriceBook.ts"
import type { RunningGeneration } from "./RunningGeneration.ts"
import type { Asking, Completion, Estimate } from "./Llm.ts"
import type { GenerationEnd } from "./TokenLog.ts"
import { lengthsOf } from "./Tokens.ts"

/** A generation while this process runs it. Times are in milliseconds since 1970. */
export interface RunState {
  /** The generation as it was stored at the start. */
  readonly asked: AskedGeneration
  readonly content: string
  /** Tokens that it is paid by where the provider counts none: of all that the model was sent, and at most of the answer. */
  readonly estimated: Pick<Estimate, "input" | "outputAtMost">
  /** The parent of its span, where there is a tracer. */
  readonly parent: Tracer.AnySpan | undefined
  /** The current time: `asked.created_at` plus the time elapsed on the monotonic clock. */
  readonly moment: () => number
  startedAt: number
  modelEndedAt: number
  completion: Completion | undefined
  /** The tenant's own keys at providers. */
  readonly keyFor: Asking["keyFor"]
  /** The calls of providers so far. */
  readonly attempts: Array<Attempt>
}

/** The end of an answer of this process. Most doors do not read its message, which takes as long to make as the rest of the end. */
export class OwnEnd implements GenerationEnd {
  readonly ending: Ending
  readonly usage: Usage | undefined
  readonly model: string
  readonly #make: () => Message
  #message: Message | undefined = undefined

  constructor(ending: Ending, usage: Usage | undefined, model: string, make: () => Message) {
    this.ending = ending
    this.usage = usage
    this.model = model
    this.#make = make
  }

  get message(): Message {
    this.#message ??= this.#make()
    return this.#message
  }

  /** The same, with another ending. */
  as(ending: Ending): OwnEnd {
    return new OwnEnd(ending, this.usage, this.model, () => this.message)
  }
}

/** A generation that ended: its record, the row to store, and what its readers receive. */
export const endedGeneration = (
  live: RunningGeneration,
  { asked, attempts, completion, content, estimated, modelEndedAt, startedAt }: RunState,
  ending: Ending,
  book: PriceBook["Service"]
): { readonly record: GenerationRecord; readonly answer: EndedAnswer; readonly end: OwnEnd } => {
  const usage = completion?.usage
  const { tokenLog } = live
  const { visible: response, words } = live.said
  const entries = tokenLog.tokens
  const calls = tokenLog.hasEvents && ending.status === "completed" ? callsIn(entries) : null
  const approx = { input: asked.approx_tokens_in, output: approximateTokens(words) }
  const paid = { input: estimated.input, output: Math.min(approx.output, estimated.outputAtMost) }
  const account = accountOf(attempts, usage, paid, ending, book)
  const stored: GenerationEnding = {
    tenant_id: live.tenantId,
    id: asked.id,
    lease_owner: asked.lease_owner,
    status: ending.status,
    finish_reason: ending.status === "completed" ? ending.finishReason : null,
    failure: ending.status === "failed" || ending.status === "interrupted" ? ending.failure : null,
    response_model: completion?.model ?? null,
    tokens_in: usage?.input ?? null,
    tokens_out: usage?.output ?? null,
    usage: usage?.details ?? null,
    approx_tokens_out: approx.output,
    cost_usd: account.cost,
    started_at: startedAt,
    first_token_at: live.firstTokenAt ?? null,
    model_ended_at: modelEndedAt,
    ...(calls === null ? {} : { tool_calls: JSON.stringify(calls) })
  }
  const record: GenerationRecord = { ...asked, ...stored, user_id: live.userId }
  const model = record.response_model ?? record.model
  const message = () =>
    new Message(
      {
        id: record.message_id,
        conversation_id: record.conversation_id,
        generation_id: record.id,
        user_id: record.user_id,
        content,
        response,
        tool_calls: calls,
        model,
        status: record.status,
        finish_reason: record.finish_reason,
        failure: record.failure,
        tokens_in: record.tokens_in,
        tokens_out: record.tokens_out,
        approx_tokens_in: record.approx_tokens_in,
        approx_tokens_out: record.approx_tokens_out,
        latency_ms: record.model_ended_at - record.created_at,
        ttft_ms: record.first_token_at === null ? null : record.first_token_at - record.created_at,
        created_at: DateTime.makeUnsafe(record.created_at)
      },
      // Nothing of it comes from outside: checking it took 8 of 10 µs.
      { disableChecks: true }
    )
  return {
    record,
    answer: {
      ending: stored,
      response,
      tokenLengths: lengthsOf(entries),
      log: tokenLog.hasEvents ? entries.join("") : null,
      attempts: attempts.map((attempt, index) => attemptRow(attempt, index, modelEndedAt)),
      account: account.stored
    },
    end: new OwnEnd(ending, usage, model, message)
  }
}

/** The calls of tools in a log; null: there are none. Ids are compared by PostgreSQL, whose texts have no NUL. */
const callsIn = (entries: ReadonlyArray<string>): Message["tool_calls"] => {
  // Parses every event, which most answers' events are not worth: all forms of calls have such a member.
  if (!entries.some((entry) => CALLS.test(entry))) return null
  const { calls } = writtenIn(entries)
  return calls.length === 0 ? null : calls.map(({ args, id, name }) => ({ id: storable(id), name, arguments: args }))
}

const CALLS = /"(?:tool_calls?|tool_use|partial_json|function_call|custom_tool_call)"/u

const storable = (text: string): string => text.toWellFormed().replaceAll("\0", "\ufffd")

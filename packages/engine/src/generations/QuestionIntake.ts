import { Tenancy } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import { GenerationId } from "@llm-saas/domain/Generation"
import type { AskedGeneration } from "@llm-saas/domain/GenerationRecord"
import { approximateTokens, MessageId } from "@llm-saas/domain/Message"
import { RequestId } from "@llm-saas/domain/RequestId"
import { type ModelRequest, ofTexts } from "@llm-saas/domain/ModelRequest"
import { momentsFrom } from "@llm-saas/domain/Time"
import { parseTraceparent } from "@llm-saas/domain/TraceContext"
import { Clock, Effect } from "effect"
import { Digest } from "effect/crypto/Digest"
import { SecureRandom } from "effect/crypto/SecureRandom"
import type { Admission } from "./Admission.ts"
import { termsOf } from "./AdmissionTerms.ts"
import { allowedModel } from "./AllowedModel.ts"
import { type Before, isPlain, promptOf, tokensBefore, withHistory } from "./ConversationHistory.ts"
import { keyFor } from "../providerKeys/KeyFor.ts"
import { PriceBook } from "../prices/PriceBook.ts"
import { ProviderKeys } from "../providerKeys/ProviderKeys.ts"
import type { GenerationOptions } from "./GenerationOptions.ts"
import type { RunState } from "./GenerationRecord.ts"
import type { GenerationRunner, ModelCall } from "./GenerationRunner.ts"
import * as Telemetry from "./GenerationTelemetry.ts"
import { type Estimate, Llm, type ModelInfo } from "./Llm.ts"
import * as QuestionStore from "./QuestionStore.ts"
import type { ReaderScheduler } from "./ReaderScheduler.ts"
import { Reserving } from "./Reserving.ts"
import { RunningGeneration } from "./RunningGeneration.ts"

/** The database counts history in characters: as many as a token has at least in {@link approximateTokens}. */
const CHARACTERS_PER_TOKEN = 4

interface Parts {
  readonly admission: Admission
  readonly leaseOwner: string
  readonly options: GenerationOptions
  readonly runner: GenerationRunner
  readonly scheduler: ReaderScheduler
}

/** Takes questions: each waits for its turn, is stored, and its answer begins. A question that is refused has left no trace. */
export const make = Effect.fnUntraced(function* ({ admission, leaseOwner, options, runner, scheduler }: Parts) {
  const tenancy = yield* Tenancy
  const llm = yield* Llm
  const digest = yield* Digest
  const clock = yield* Clock.Clock
  const providerKeys = yield* ProviderKeys
  const book = yield* PriceBook
  const reserving = new Reserving()
  const ask = QuestionStore.make(tenancy)
  const describe = describer(leaseOwner, yield* SecureRandom)

  /** Stores the question and begins the answer, unless the key was used. `leave` gives the turn back, as soon as the answer ended. */
  const begin = Effect.fnUntraced(function* (
    question: QuestionStore.Question,
    chosen: ModelInfo,
    { call, estimate }: Other,
    moment: () => number,
    arrivedAt: number,
    leave: Effect.Effect<void>
  ) {
    const actor = yield* Actor
    const { body, content, conversationId, idempotencyKey, keep, request, tries } = question
    const digested =
      idempotencyKey === undefined && tries === undefined
        ? null
        : yield* Effect.orDie(QuestionStore.hash(digest, question))
    const parent = yield* Telemetry.currentSpan
    const admittedAt = moment()
    const earlier = conversationId === undefined ? 0 : options.contextTokens
    const kept = body ?? request?.origin?.body
    const answers = conversationId === undefined ? undefined : answersIn(request)
    const store = (model: ModelInfo) =>
      Effect.flatMap(describe(question, model, parent, arrivedAt, admittedAt), (asked) => {
        const estimated = estimate?.(model) ?? llm.estimate(estimable(question, model))
        return Effect.map(
          ask({
            ...asked,
            ...termsOf(estimated, model, request, earlier, book, admittedAt),
            content,
            key_id: actor.key?.id,
            request: kept === undefined ? undefined : JSON.stringify(kept),
            // Tries of one request are known by what they have in common: the API key and the body.
            idempotency_key:
              idempotencyKey ?? (tries === undefined ? null : `tries ${actor.key?.id ?? ""} ${digested}`),
            body_hash: digested,
            ...(idempotencyKey === undefined ? { tries } : {}),
            keep,
            history_characters: options.contextTokens * CHARACTERS_PER_TOKEN,
            ...(takesModel(question) ? { takes_model: true } : {}),
            answers
          }),
          (row) => ({ asked, estimated, model, row })
        )
      })
    const storeAs = Effect.fnUntraced(function* (first: ModelInfo) {
      let stored = yield* store(first)
      // Once, unless the conversation's model is changed meanwhile.
      while (stored.row.outcome === "other_model")
        stored = yield* store(yield* allowedModel(llm, stored.row.model ?? llm.defaultModel, "chat"))
      return { asked: stored.asked, estimated: stored.estimated, model: stored.model, row: stored.row }
    })
    const { asked, estimated, model, row } = yield* reserving.admitted(actor.tenantId, storeAs(chosen))
    if (row.outcome === "refused" || row.outcome === "reserved") return yield* row.why
    if (row.outcome !== "asked") {
      yield* leave
      return row
    }
    const live = new RunningGeneration(actor, asked, options.answerCharacters, scheduler, question.background)
    const run: RunState = {
      asked,
      content,
      estimated: { input: estimated.input + tokensBefore(row.before, earlier), outputAtMost: estimated.outputAtMost },
      parent,
      moment,
      startedAt: admittedAt,
      modelEndedAt: admittedAt,
      completion: undefined,
      keyFor: keyFor(providerKeys, actor),
      attempts: []
    }
    yield* runner.attach(live)
    const generate: ModelCall = (emit, asking) =>
      llm.generate(requestOf(question, model, row.before, options.contextTokens), emit, asking)
    yield* runner.begin(live, call ?? generate, run, leave)
    return { ...row, model, tokenLog: live.tokenLog }
  })

  const take = Effect.fnUntraced(function* (question: QuestionStore.Question, model: ModelInfo, other: Other = {}) {
    const { tenantId, userId } = yield* Actor
    const moment = momentsFrom(clock)
    const arrivedAt = moment()
    // Interrupted only while it waits: what got a turn gives it back, and what is stored is answered.
    return yield* Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(restore(admission.enter(tenantId, userId)), (leave) =>
        Effect.onError(begin(question, model, other, moment, arrivedAt, leave), () => leave)
      )
    )
  })

  return { take }
})

/** What is asked of the model, where that is no answer to the question, and its tokens. */
interface Other {
  readonly call?: ModelCall
  readonly estimate?: (model: ModelInfo) => Estimate
}

/** The request as far as it is known before the conversation is read. */
const estimable = ({ content, request }: QuestionStore.Question, model: ModelInfo): ModelRequest =>
  request === undefined ? ofTexts(model.id, [{ role: "user", content }]) : { ...request, model: model.id }

/** What is sent to the model: the request, or the text alone, with the earlier turns of its conversation. */
const requestOf = (
  { content, request }: QuestionStore.Question,
  model: ModelInfo,
  before: Before,
  budget: number
): ModelRequest => {
  if (request === undefined && isPlain(before)) return ofTexts(model.id, promptOf(before.history, content, budget))
  if (request?.origin !== undefined) return request
  const own = request ?? ofTexts(model.id, [{ role: "user", content }])
  return withHistory({ ...own, model: model.id }, before, budget)
}

/** Whether a question leaves its model to the conversation. */
export const takesModel = ({ conversationId, model, request }: QuestionStore.Question): boolean =>
  conversationId !== undefined && (model ?? request?.model ?? "") === ""

/** The ids of the calls that a request has results for; undefined: it has none. */
const answersIn = (request: ModelRequest | undefined): ReadonlyArray<string> | undefined => {
  const ids = request?.input.flatMap((item) => (item.type === "tool_result" ? [item.id] : [])) ?? []
  return ids.length === 0 ? undefined : ids
}

/** What `app.ask` stores of a question that got its turn, beside its text. */
const describer = (leaseOwner: string, random: SecureRandom["Service"]) =>
  Effect.fnUntraced(function* (
    { content, conversationId, source, traceparent }: QuestionStore.Question,
    model: ModelInfo,
    parent: Effect.Success<typeof Telemetry.currentSpan>,
    created_at: number,
    admitted_at: number
  ) {
    const trace = parent === undefined ? parseTraceparent(traceparent) : Telemetry.contextOf(parent)
    const asked: AskedGeneration = {
      message_id: MessageId.make(yield* random.uuidV7()),
      id: GenerationId.make(yield* random.uuidV7()),
      conversation_id: conversationId ?? null,
      source,
      provider: model.provider,
      model: model.id,
      lease_owner: leaseOwner,
      request_id: yield* RequestId,
      // In the order of time: each random id is on another page of its index, which was 40 % of the write-ahead log (16.8 kB a question
      // after a checkpoint, 10.0 kB so).
      trace_id: trace?.traceId ?? (yield* random.uuidV7()).replaceAll("-", ""),
      parent_span_id: trace?.parentSpanId ?? null,
      approx_tokens_in: approximateTokens(content),
      created_at,
      admitted_at
    }
    return asked
  })

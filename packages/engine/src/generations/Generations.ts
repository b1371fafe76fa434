import { Tenancy } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import { type ConversationId, ConversationNotFound } from "@llm-saas/domain/Conversation"
import {
  failureOf,
  type Generation,
  type GenerationFailed,
  GenerationId,
  type GenerationNotFound,
  type Source
} from "@llm-saas/domain/Generation"
import type { AskedGeneration } from "@llm-saas/domain/GenerationRecord"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { approximateTokens, type Message, MessageId, PromptTooLong, StillRunning } from "@llm-saas/domain/Message"
import type { Forbidden, TooManyRequests, Unauthenticated, Unavailable } from "@llm-saas/domain/Refusal"
import { noteReplay } from "@llm-saas/domain/Replay"
import { RequestId } from "@llm-saas/domain/RequestId"
import { momentsFrom } from "@llm-saas/domain/Time"
import { parseTraceparent } from "@llm-saas/domain/TraceContext"
import { Clock, Context, Effect, Layer, type Scope } from "effect"
import { Digest } from "effect/crypto/Digest"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { Admission, type Limits, type Load } from "./Admission.ts"
import * as QuestionStore from "./QuestionStore.ts"
import type { Marked } from "../Deletions.ts"
import * as GenerationReader from "./GenerationReader.ts"
import { promptOf } from "./ConversationHistory.ts"
import { RunningGeneration, RunningGenerations } from "./RunningGeneration.ts"
import { Llm } from "./Llm.ts"
import * as GenerationRunner from "./GenerationRunner.ts"
import type { Price, RunState } from "./GenerationRecord.ts"
import { ReaderLimit } from "./ReaderLimit.ts"
import type { TokenSource } from "./TokenLog.ts"
import * as Telemetry from "./GenerationTelemetry.ts"
import { codePoints } from "./Tokens.ts"

type Refused = Unauthenticated | Forbidden | Unavailable

/** A question, as a client asks it. */
export interface Question {
  readonly content: string
  readonly conversationId: ConversationId | undefined
  readonly source: Source
  readonly idempotencyKey: string | undefined
  /** The request's `traceparent` header, unparsed. */
  readonly traceparent: string | undefined
}

/** A question that was accepted. */
export interface Asked {
  readonly messageId: MessageId
  readonly generationId: GenerationId
  readonly conversationId: ConversationId | null
  /** The model that is asked. */
  readonly model: string
  readonly tokenLog: TokenSource
  /** Whether it had already ended when it was asked for, by its idempotency key or its id: then this is the stored answer. */
  readonly replayed: boolean
}

/** Limits and prices of generations. */
export interface GenerationOptions {
  readonly limits: Limits
  /** Characters (code points) a question may have. */
  readonly promptCharacters: number
  /** Characters (code points) an answer may have; a longer one fails and keeps the text so far. */
  readonly answerCharacters: number
  /** Tokens of earlier turns that go to the model with a question in a conversation. */
  readonly contextTokens: number
  /** Answers that one user may read at once at this process, asked or followed. One more is refused. */
  readonly readersPerUser: number
  /** How long an answer goes on when its last reader has left; 0: not at all. */
  readonly graceMs: number
  readonly price: Price | undefined
}

/**
 * Answers of the model, each from its question to its end. A generation belongs to the server and not to the request: it outlives its last
 * reader for the grace period, its text is stored as it arrives, and its row is final before a reader receives the end. No database
 * connection is held while the model generates.
 */
export class Generations extends Context.Service<
  Generations,
  {
    /**
     * Waits for its turn, stores the question and asks the model. A refusal leaves no trace. The scope is the reader: when it closes before
     * the end and there is no other reader, the grace period begins.
     */
    readonly ask: (
      question: Question
    ) => Effect.Effect<
      Asked,
      | PromptTooLong
      | TooManyRequests
      | ConversationNotFound
      | IdempotencyMismatch
      | StillRunning
      | GenerationNotFound
      | Refused,
      Actor | Scope.Scope
    >
    /** Waits for the end: the stored exchange, or why there is no whole answer. */
    readonly answer: (asked: Asked) => Effect.Effect<Message, GenerationFailed | Unavailable>
    readonly get: (id: GenerationId) => Effect.Effect<Generation, GenerationNotFound | Refused, Actor>
    /** A question asked before, whether it runs here, at another process, or ended. The scope is the reader, as above. */
    readonly follow: (
      id: GenerationId
    ) => Effect.Effect<Asked, GenerationNotFound | TooManyRequests | Refused, Actor | Scope.Scope>
    /** Asks it to stop; at another process that takes seconds. An ended one stays unchanged. */
    readonly cancel: (id: GenerationId) => Effect.Effect<Generation, GenerationNotFound | Refused, Actor>
    /** Stops the generations here of a deleted user, conversation or message; other processes learn of it when they write. */
    readonly stop: (deleted: Marked) => Effect.Effect<void>
    /** Completes when all generations that run here now have ended and are stored. */
    readonly idle: Effect.Effect<void>
    /** Ends all generations here as interrupted, and waits until they are stored. For a shutdown that cannot wait longer. */
    readonly stopAll: Effect.Effect<void>
    readonly load: () => Load
  }
>()("@llm-saas/engine/generations/Generations") {
  static readonly layer = (options: GenerationOptions) =>
    Layer.effect(
      Generations,
      Effect.gen(function* () {
        const tenancy = yield* Tenancy
        const llm = yield* Llm
        const random = yield* SecureRandom
        const digest = yield* Digest
        const clock = yield* Clock.Clock
        const leaseOwner = yield* random.uuidV7()
        const runningGenerations = new RunningGenerations()
        const admission = new Admission(options.limits)
        const runner = yield* GenerationRunner.make({
          leaseOwner,
          runningGenerations,
          graceMs: options.graceMs,
          price: options.price
        })
        const reader = yield* GenerationReader.make(tenancy, runningGenerations)
        const readerLimit = new ReaderLimit(options.readersPerUser)

        const ask: Generations["Service"]["ask"] = Effect.fnUntraced(function* (question) {
          const actor = yield* Actor
          const moment = momentsFrom(clock)
          const arrivedAt = moment()
          if (codePoints(question.content) > options.promptCharacters)
            return yield* new PromptTooLong({ max_characters: options.promptCharacters })
          yield* readerLimit.enter(actor.tenantId, actor.userId)
          const parent = yield* Telemetry.currentSpan
          const trace = parent === undefined ? parseTraceparent(question.traceparent) : Telemetry.contextOf(parent)
          const bodyHash =
            question.idempotencyKey === undefined
              ? null
              : yield* Effect.orDie(QuestionStore.hash(digest, question.content, question.conversationId))

          const taken = yield* Effect.uninterruptibleMask((restore) =>
            Effect.gen(function* () {
              const leave = yield* restore(admission.enter(actor.tenantId, actor.userId))
              return yield* Effect.gen(function* () {
                const messageId = MessageId.make(yield* random.uuidV7())
                const generationId = GenerationId.make(yield* random.uuidV7())
                const requestId = yield* RequestId
                const admittedAt = moment()
                const traceId = trace?.traceId ?? (yield* random.uuidV4()).replaceAll("-", "")
                const asked: AskedGeneration = {
                  id: generationId,
                  message_id: messageId,
                  conversation_id: question.conversationId ?? null,
                  source: question.source,
                  provider: llm.provider,
                  model: llm.model,
                  lease_owner: leaseOwner,
                  request_id: requestId,
                  trace_id: traceId,
                  parent_span_id: trace?.parentSpanId ?? null,
                  approx_tokens_in: approximateTokens(question.content),
                  created_at: arrivedAt,
                  admitted_at: admittedAt
                }
                const row = yield* QuestionStore.ask(tenancy, {
                  ...asked,
                  content: question.content,
                  idempotency_key: question.idempotencyKey ?? null,
                  body_hash: bodyHash,
                  history_characters: options.contextTokens * CHARACTERS_PER_TOKEN
                })
                if (row.outcome !== "asked") {
                  yield* leave
                  return row
                }
                const live = new RunningGeneration(actor, asked, options.answerCharacters)
                const run: RunState = {
                  asked,
                  content: question.content,
                  parent,
                  moment,
                  startedAt: admittedAt,
                  modelEndedAt: admittedAt,
                  completion: undefined
                }
                yield* runner.attach(live)
                yield* runner.begin(live, promptOf(row.history, question.content, options.contextTokens), run, leave)
                return { ...row, tokenLog: live.tokenLog }
              }).pipe(Effect.onError(() => leave))
            })
          )

          switch (taken.outcome) {
            case "asked":
              return {
                messageId: taken.message_id,
                generationId: taken.generation_id,
                conversationId: question.conversationId ?? null,
                model: llm.model,
                tokenLog: taken.tokenLog,
                replayed: false
              }
            case "known": {
              yield* noteReplay
              if (question.source === "messages" && taken.running)
                return yield* new StillRunning({ generation_id: taken.generation_id, retry_after: 1 })
              return yield* read(taken.generation_id)
            }
            case "mismatch":
              return yield* new IdempotencyMismatch({})
            case "no_conversation":
              return yield* new ConversationNotFound({})
          }
        })

        const answer: Generations["Service"]["answer"] = ({ generationId, replayed, tokenLog }) =>
          Effect.flatMap(GenerationReader.ended(tokenLog), ({ ending, message }) => {
            const failure = failureOf(ending, generationId, replayed)
            return failure === undefined ? Effect.succeed(message) : Effect.fail(failure)
          })

        const read = Effect.fnUntraced(function* (
          id: GenerationId
        ): Effect.fn.Return<Asked, GenerationNotFound | Refused, Actor | Scope.Scope> {
          const actor = yield* Actor
          const found = yield* reader.check(id)
          const live = runningGenerations.find(actor, found.generation_id)
          if (live !== undefined) yield* runner.attach(live)
          const tokenLog = live === undefined ? yield* reader.read(found.generation_id) : live.tokenLog
          return {
            messageId: found.id,
            generationId: found.generation_id,
            conversationId: found.conversation_id,
            model: found.model ?? llm.model,
            tokenLog,
            replayed: tokenLog.ended !== undefined
          }
        })

        const follow: Generations["Service"]["follow"] = Effect.fnUntraced(function* (id) {
          const { tenantId, userId } = yield* Actor
          yield* readerLimit.enter(tenantId, userId)
          return yield* read(id)
        })

        const get: Generations["Service"]["get"] = reader.get

        const cancel: Generations["Service"]["cancel"] = Effect.fnUntraced(function* (id) {
          const actor = yield* Actor
          const { id: generationId } = yield* reader.requestCancel(id)
          const live = runningGenerations.find(actor, generationId)
          if (live !== undefined) {
            live.end({ status: "cancelled" })
            yield* GenerationReader.ended(live.tokenLog)
          }
          return yield* reader.get(generationId)
        })

        const stop: Generations["Service"]["stop"] = ({ id, tenant_id }) =>
          Effect.sync(() => {
            for (const live of runningGenerations.of(tenant_id))
              if (live.belongsTo(id)) live.end({ status: "cancelled" })
          })

        return Generations.of({
          ask,
          answer,
          get,
          follow,
          cancel,
          stop,
          idle: runner.idle,
          stopAll: runner.stopAll,
          load: () => admission.load
        })
      })
    )
}

/** The database counts history in characters: as many as a token has at least in {@link approximateTokens}. */
const CHARACTERS_PER_TOKEN = 4

import { Tenancy } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import type { AnswerUnderWay } from "@llm-saas/domain/AnswerUnderWay"
import { type ConversationId, ConversationNotFound } from "@llm-saas/domain/Conversation"
import type { EmbeddingAnswer, EmbeddingRequest } from "@llm-saas/domain/Embedding"
import {
  failureOf,
  type Generation,
  type GenerationFailed,
  type GenerationId,
  type GenerationNotFound
} from "@llm-saas/domain/Generation"
import { IdempotencyMismatch } from "@llm-saas/domain/Idempotency"
import { approximateTokens, type Message, type MessageId, PromptTooLong, StillRunning } from "@llm-saas/domain/Message"
import type { Page } from "@llm-saas/domain/Page"
import type { Refused, TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import type { AdmissionRefused, Standing } from "@llm-saas/domain/LimitReached"
import type { ModelNotFound } from "@llm-saas/domain/Model"
import type { InsufficientScope, ModelNotAllowed } from "@llm-saas/domain/Scope"
import { noteReplay } from "@llm-saas/domain/Replay"
import { Context, Effect, Layer, Option, Result, type Scope } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { allowedModel } from "./AllowedModel.ts"
import { Admission, type Load } from "./Admission.ts"
import * as AnswersUnderWay from "./AnswersUnderWay.ts"
import type { GenerationOptions } from "./GenerationOptions.ts"
import * as QuestionIntake from "./QuestionIntake.ts"
import { conversationModel, OtherCalls, type Place, type Question } from "./QuestionStore.ts"
import { ReaderScheduler } from "./ReaderScheduler.ts"
import type { Marked } from "../Deletions.ts"
import * as GenerationReader from "./GenerationReader.ts"
import * as KnownGenerations from "./KnownGenerations.ts"
import { RunningGenerations } from "./RunningGeneration.ts"
import { Llm, type ModelInfo } from "./Llm.ts"
import * as GenerationRunner from "./GenerationRunner.ts"
import type { ModelCall } from "./GenerationRunner.ts"
import { ReaderLimit } from "./ReaderLimit.ts"
import type { GenerationEnd, TokenSource } from "./TokenLog.ts"
import { codePoints } from "./Tokens.ts"

/** A question that was taken. */
export interface Asked {
  readonly messageId: MessageId
  readonly generationId: GenerationId
  readonly conversationId: ConversationId | null
  /** The model that is asked. */
  readonly model: string
  readonly tokenLog: TokenSource
  /** Whether it had already ended when it was asked for, by its idempotency key or its id: then this is the stored answer. */
  readonly replayed: boolean
  /** What is left of limits of the minute; undefined: nothing was taken of any. */
  readonly standing?: Standing | undefined
}

/** Vectors that are being made. */
export interface Embedding {
  readonly asked: Asked
  /** Waits for them, or says why there are none. */
  readonly vectors: Effect.Effect<EmbeddingAnswer, GenerationFailed | Unavailable>
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
      | ModelNotAllowed
      | ModelNotFound
      | OtherCalls
      | StillRunning
      | GenerationNotFound
      | AdmissionRefused
      | Refused,
      Actor | Scope.Scope
    >
    /**
     * Makes vectors, as a generation without text: it waits for its turn and is an account. The scope is its client, as above. None of its
     * content is kept.
     */
    readonly embed: (
      request: EmbeddingRequest,
      traceparent: string | undefined
    ) => Effect.Effect<
      Embedding,
      ModelNotAllowed | ModelNotFound | TooManyRequests | AdmissionRefused | Refused,
      Actor | Scope.Scope
    >
    /** Waits for the end: the stored message, or why there is no whole answer. */
    readonly answer: (asked: Asked) => Effect.Effect<Message, GenerationFailed | Unavailable>
    /** As `answer`, without the message: the end of a whole answer. */
    readonly ended: (asked: Asked) => Effect.Effect<GenerationEnd, GenerationFailed | Unavailable>
    readonly get: (id: GenerationId) => Effect.Effect<Generation, GenerationNotFound | Refused, Actor>
    /** The request of a question asked before, and its answer so far. It is no reader. */
    readonly record: (id: GenerationId) => Effect.Effect<GenerationReader.Recorded, GenerationNotFound | Refused, Actor>
    /** A question asked before, whether it runs here, at another process, or ended. The scope is the reader, as above. */
    readonly follow: (
      id: GenerationId
    ) => Effect.Effect<Asked, GenerationNotFound | TooManyRequests | Refused, Actor | Scope.Scope>
    /** Answers that are not over, newest first. `tenant`: all of the tenant's, for admins; others are refused. */
    readonly list: (
      query: AnswersUnderWay.UnderWayQuery
    ) => Effect.Effect<Page<AnswerUnderWay>, InsufficientScope | Refused, Actor>
    /** Asks it to stop; of another's, by an admin, the audit log has it. At another process that takes seconds. An ended one stays unchanged. */
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
  static readonly layer = (options: GenerationOptions) => Layer.effect(Generations, make(options))
}

const make = Effect.fnUntraced(function* (options: GenerationOptions) {
  const tenancy = yield* Tenancy
  const llm = yield* Llm
  const random = yield* SecureRandom
  const leaseOwner = yield* random.uuidV7()
  const runningGenerations = new RunningGenerations()
  const scheduler = yield* Effect.acquireRelease(
    Effect.sync(() => new ReaderScheduler()),
    (scheduler) => Effect.sync(() => scheduler.close())
  )
  const admission = new Admission(options.limits)
  const runner = yield* GenerationRunner.make({
    leaseOwner,
    runningGenerations,
    graceMs: options.graceMs
  })
  const reader = yield* GenerationReader.make(tenancy, runningGenerations, scheduler)
  const list = yield* AnswersUnderWay.make(tenancy, runningGenerations)
  const known = KnownGenerations.make({ model: llm.defaultModel, reader, runner, runningGenerations })
  const intake = yield* QuestionIntake.make({ admission, leaseOwner, options, runner, scheduler })
  const readerLimit = new ReaderLimit(options.readersPerUser)

  /** The model of a question. A key may be for the one of the conversation, and not for the default one. */
  const modelFor = Effect.fnUntraced(function* (question: Question) {
    const named = question.model ?? question.request?.model ?? ""
    const model = yield* Effect.result(allowedModel(llm, named === "" ? llm.defaultModel : named, "chat"))
    if (Result.isSuccess(model)) return model.success
    const { conversationId } = question
    if (conversationId === undefined || named !== "") return yield* model.failure
    const conversation = yield* tenancy.read(conversationModel(conversationId))
    if (Option.isNone(conversation)) return yield* new ConversationNotFound({})
    if (conversation.value.model === null) return yield* model.failure
    return yield* allowedModel(llm, conversation.value.model, "chat")
  })

  const ask: Generations["Service"]["ask"] = Effect.fnUntraced(function* (question) {
    if (codePoints(question.content) > options.promptCharacters)
      return yield* new PromptTooLong({ max_characters: options.promptCharacters })
    const { tenantId, userId } = yield* Actor
    const model = yield* modelFor(question)
    yield* readerLimit.enter(tenantId, userId)
    const taken = yield* intake.take(question, model)
    switch (taken.outcome) {
      case "asked":
        return askedOf(taken, taken.model, question.conversationId ?? null)
      case "known": {
        yield* noteReplay
        if (question.source === "messages" && taken.running)
          return yield* new StillRunning({ generation_id: taken.generation_id, retry_after: 1 })
        return yield* known.read(taken.generation_id)
      }
      case "mismatch":
        return yield* new IdempotencyMismatch({})
      case "other_calls":
        return yield* new OtherCalls()
      case "no_conversation":
        return yield* new ConversationNotFound({})
    }
  })

  const embed: Generations["Service"]["embed"] = Effect.fnUntraced(function* (request, traceparent) {
    const model = yield* allowedModel(llm, request.model, "embeddings")
    let answer: EmbeddingAnswer | undefined = undefined
    const call: ModelCall = (_, asking) =>
      Effect.map(llm.embed(request, asking), (found) => {
        answer = found
        return { finishReason: "stop", usage: found.usage, model: found.model }
      })
    const texts = request.input.map((each) => (typeof each === "string" ? approximateTokens(each) : each.length))
    const input = texts.reduce((sum, each) => sum + each, 0)
    const estimate = () => ({ input, inputAtMost: 2 * input, outputAtMost: 0 })
    const taken = yield* intake.take({ ...EMBEDDING, traceparent }, model, { call, estimate })
    if (taken.outcome !== "asked") return yield* Effect.die(new Error("an embedding has no key and no conversation"))
    const asked = askedOf(taken, model, null)
    const vectors = Effect.suspend(() =>
      answer === undefined ? Effect.die(new Error("an embedding ended without vectors")) : Effect.succeed(answer)
    )
    return { asked, vectors: Effect.andThen(waited(asked), vectors) }
  })

  const follow: Generations["Service"]["follow"] = Effect.fnUntraced(function* (id) {
    const { tenantId, userId } = yield* Actor
    yield* readerLimit.enter(tenantId, userId)
    return yield* known.read(id)
  })

  return Generations.of({
    ask,
    answer: (asked) => Effect.map(waited(asked), ({ message }) => message),
    ended: waited,
    embed,
    get: reader.get,
    record: reader.record,
    follow,
    list,
    cancel: known.cancel,
    stop: known.stop,
    idle: runner.idle,
    stopAll: runner.stopAll,
    load: () => admission.load
  })
})

const askedOf = (
  taken: Place & { readonly tokenLog: TokenSource; readonly standing: Standing | undefined },
  model: ModelInfo,
  conversationId: ConversationId | null
): Asked => ({
  messageId: taken.message_id,
  generationId: taken.generation_id,
  conversationId,
  model: model.id,
  tokenLog: taken.tokenLog,
  replayed: false,
  standing: taken.standing
})

/** What is stored of an embedding. */
const EMBEDDING = {
  content: "",
  conversationId: undefined,
  source: "embeddings",
  idempotencyKey: undefined,
  keep: false
} as const

const waited: Generations["Service"]["ended"] = ({ generationId, replayed, tokenLog }) =>
  Effect.flatMap(GenerationReader.ended(tokenLog), (end) => {
    const failure = failureOf(end.ending, generationId, replayed)
    return failure === undefined ? Effect.succeed(end) : Effect.fail(failure)
  })

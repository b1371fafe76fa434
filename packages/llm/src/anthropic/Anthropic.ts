import type { Attempt } from "@llm-saas/domain/Attempt"
import { held } from "@llm-saas/domain/Held"
import type { JsonObject } from "@llm-saas/domain/Json"
import { refusalOf } from "@llm-saas/dialects/anthropic/MessagesBody"
import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import type { Completion } from "@llm-saas/engine/generations/Llm"
import { Clock, Deferred, Effect, Exit, Option, type Scope } from "effect"
import { makeAgents } from "../Agents.ts"
import type { AnswerReader } from "../AnswerReader.ts"
import { textsIn } from "../ChatQuestion.ts"
import { internal, noConnection, type ProviderFailure, tooLate } from "../ProviderFailure.ts"
import { ProviderRequest, within } from "../ProviderRequest.ts"
import type { Call, Provider, Target } from "../Provider.ts"
import type { Asked } from "../Rejection.ts"
import { CountReader } from "./CountReader.ts"
import { type AnthropicOptions, baseUrlOf, endpointOf } from "./Endpoint.ts"
import { adjusted } from "./Failures.ts"
import { MessageStream } from "./MessageStream.ts"
import { type Parameter, type Question, questionOf, type Refused, refusedIn } from "./Question.ts"

export type { AnthropicOptions } from "./Endpoint.ts"

/** Anthropic, and servers that speak its Messages API. */
export const make = Effect.fnUntraced(function* (options: AnthropicOptions) {
  const clock = yield* Clock.Clock
  const agents = yield* Effect.acquireRelease(
    Effect.sync(() => makeAgents(baseUrlOf(options), options.proxies)),
    ({ http, https }) =>
      Effect.sync(() => {
        http.destroy()
        https.destroy()
      })
  )
  /** Parameters that models refused, once a request without them worked. */
  const refusals = new Map<string, ReadonlySet<Parameter>>()

  const open = <A>(
    emit: (piece: ModelPiece) => void,
    asked: Asked,
    read: (emit: (piece: ModelPiece) => void) => AnswerReader<A>
  ): Effect.Effect<ProviderRequest<A>, never, Scope.Scope> =>
    held(
      Effect.sync(() => new ProviderRequest<A>(agents, clock, emit, asked, read)),
      (request) => Effect.sync(() => request.close())
    )

  const send = <A>(sent: ProviderRequest<A>, path: Path, request: ModelRequest, call: Call, body: JsonObject) =>
    Effect.try({
      try: () => sent.send(endpointOf(options, path, request, call), JSON.stringify(body)),
      // A header that is none, or a body that is nested too deeply.
      catch: () => internal
    })

  /** Sends one question, and waits for the first piece of its answer; without one, for its end. */
  const ask = Effect.fnUntraced(function* (
    target: Target,
    request: ModelRequest,
    question: Question,
    emit: (piece: ModelPiece) => void,
    call: Call
  ) {
    const asked = askedOf(request, question.body)
    const record = call.attempt()
    const show = (piece: ModelPiece) => {
      record.firstAt ??= call.moment()
      emit(piece)
    }
    let stream: MessageStream | undefined
    const sent = yield* open<Completion>(
      show,
      asked,
      (emit) => (stream = new MessageStream(emit, question.reading, asked))
    )
    yield* held(Effect.void, () => Effect.sync(() => note(record, sent, stream)))
    yield* send(sent, "messages", request, call, question.body)
    const begun = Effect.gen(function* () {
      yield* within(sent.connected, target.connectMs, noConnection)
      // What comes in one piece comes at its end, within the time of the whole answer.
      if (question.whole) yield* Deferred.await(sent.begun)
      else yield* within(sent.begun, target.firstTokenMs, tooLate)
      yield* call.begun
      if (!sent.spoken) yield* sent.unlessSilent(sent.said, target.silenceMs)
    })
    const exit = yield* Effect.exit(begun)
    if (Exit.isSuccess(exit)) return { sent, refused: undefined }
    const failed = Option.getOrUndefined(Exit.findErrorOption(exit))
    if (failed === undefined) return yield* Effect.failCause(exit.cause)
    const { error } = sent
    const isRejected = failed.reason === "model_rejected" && failed.status === 400 && !sent.spoken
    const refused = isRejected && error !== undefined ? refusedIn(error, question.ours, asked.texts) : undefined
    if (refused === undefined) return yield* Effect.fail(adjusted(failed, error, asked))
    record.failure = failed.reason
    return { sent, refused }
  })

  const generate = Effect.fnUntraced(function* (
    target: Target,
    request: ModelRequest,
    emit: (piece: ModelPiece) => void,
    call: Call
  ): Effect.fn.Return<Completion, ProviderFailure, Scope.Scope> {
    const tried: Array<Refused> = []
    for (;;) {
      const known = refusals.get(target.model) ?? []
      const without = new Set([...known, ...tried.map(({ parameter }) => parameter)])
      const question = questionOf(request, target, without)
      if (question.dropped.length > 0)
        yield* Effect.logDebug("a request is not sent whole to another dialect's provider", {
          model: target.model,
          dropped: question.dropped
        })
      const asked = yield* ask(target, request, question, emit, call)
      if (asked.refused === undefined) {
        const learned = tried.flatMap(({ lasting, parameter }) => (lasting ? [parameter] : []))
        if (learned.length > 0) {
          refusals.set(target.model, new Set([...known, ...learned]))
          yield* Effect.logWarning("the model's provider does not take a parameter: it is asked without", {
            model: target.model,
            parameter: learned
          })
        }
        return yield* asked.sent
          .unlessSilent(asked.sent.ended, target.silenceMs)
          .pipe(Effect.mapError((failed) => adjusted(failed, asked.sent.error, askedOf(request, question.body))))
      }
      asked.sent.close()
      tried.push(asked.refused)
    }
  })

  const countTokens = Effect.fnUntraced(function* (target: Target, request: ModelRequest, call: Call) {
    const body = counted(questionOf(request, target, new Set()).body)
    const asked = askedOf(request, body)
    const record = call.attempt()
    const sent = yield* open(
      () => {},
      asked,
      () => new CountReader()
    )
    yield* send(sent, "messages/count_tokens", request, call, body)
    yield* within(sent.connected, target.connectMs, noConnection)
    const count = yield* within(sent.ended, target.firstTokenMs, tooLate).pipe(
      Effect.mapError((failed) => adjusted(failed, sent.error, asked))
    )
    record.firstAt = call.moment()
    record.status = sent.status
    yield* call.begun
    return count
  })

  const provider: Provider = {
    name: options.name,
    dialect: "anthropic",
    refuses: (_, request) => (request.origin?.dialect === "anthropic" ? undefined : refusalOf(request)),
    generate: (target, request, emit, call) => Effect.scoped(generate(target, request, emit, call)),
    countTokens: (target, request, call) => Effect.scoped(countTokens(target, request, call))
  }
  return provider
})

type Path = Parameters<typeof endpointOf>[1]

const askedOf = (request: ModelRequest, { max_tokens: maxTokens }: JsonObject): Asked => ({
  texts: textsIn(request),
  maxTokens: typeof maxTokens === "number" ? maxTokens : 0
})

/** A body without the members that belong to an answer: they are refused where nothing is answered. */
const counted = (body: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(body).filter(([name]) => !ANSWERING.has(name)))
const ANSWERING: ReadonlySet<string> = new Set([
  "max_tokens",
  "stream",
  "temperature",
  "top_p",
  "top_k",
  "stop_sequences"
])

/** Completes the record with what the answer said of itself. */
const note = (record: Attempt, { status }: ProviderRequest, stream: MessageStream | undefined): void => {
  record.status ??= status
  record.upstreamId ??= stream?.message.id
  record.responseModel ??= stream?.message.model
  const tier = stream?.message.tier
  if (tier !== undefined) record.serviceTier ??= tier
  record.usage ??= stream?.message.usage
}

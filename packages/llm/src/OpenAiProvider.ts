import type { Attempt } from "@llm-saas/domain/Attempt"
import { embeddingsBody } from "@llm-saas/dialects/Embeddings"
import { forwardResponses } from "@llm-saas/dialects/responses/ResponsesBody"
import { ResponsesReader } from "@llm-saas/dialects/responses/ResponsesReader"
import { held } from "@llm-saas/domain/Held"
import type { EmbeddingAnswer, EmbeddingRequest } from "@llm-saas/domain/Embedding"
import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import type { ModelRequest, Origin } from "@llm-saas/domain/ModelRequest"
import type { Completion } from "@llm-saas/engine/generations/Llm"
import { Clock, Deferred, Effect, Exit, Option, type Scope } from "effect"
import { randomBytes } from "node:crypto"
import { makeAgents } from "./Agents.ts"
import type { AnswerReader } from "./AnswerReader.ts"
import { sendingOf, textsIn } from "./ChatQuestion.ts"
import { ChatStream } from "./ChatStream.ts"
import { type Sent, withoutRefused } from "./Dialect.ts"
import { EmbeddingsReader } from "./EmbeddingsReader.ts"
import { EventStream } from "./EventStream.ts"
import { LearnedDialect } from "./LearnedDialect.ts"
import type { Call, Provider, ProviderOptions, Target } from "./Provider.ts"
import { internal, noConnection, type ProviderFailure, tooLate } from "./ProviderFailure.ts"
import { ProviderRequest, within } from "./ProviderRequest.ts"
import type { Asked } from "./Rejection.ts"
import { baseUrlOf, type Endpoint, endpointOf, type Operation } from "./Target.ts"

/** A request that was sent, and its record. */
interface Opened<A> {
  readonly request: ProviderRequest<A>
  readonly record: Attempt
}

/** What one request to an upstream is made of. */
interface Question<A> {
  readonly endpoint: Endpoint
  readonly body: string
  readonly asked: Asked
  readonly emit: (piece: ModelPiece) => void
  readonly read: (emit: (piece: ModelPiece) => void, asked: Asked) => AnswerReader<A>
  /** Whether its answer comes in one piece: then its first part comes when all of it is known. */
  readonly whole: boolean
}

/**
 * An OpenAI-compatible API: OpenAI, Ollama, Together, vLLM and many more; Azure's classic one where there is an `apiVersion`. Each of its
 * models has a dialect of its own.
 */
export const make = Effect.fnUntraced(function* (
  options: ProviderOptions
): Effect.fn.Return<Provider, never, Scope.Scope> {
  const clock = yield* Clock.Clock
  const agents = yield* Effect.acquireRelease(
    Effect.sync(() => makeAgents(baseUrlOf(options), options.proxies)),
    ({ http, https }) =>
      Effect.sync(() => {
        http.destroy()
        https.destroy()
      })
  )
  const dialects = new Map<string, LearnedDialect>()
  const learnedOf = ({ model }: Target): LearnedDialect => {
    const known = dialects.get(model) ?? new LearnedDialect(model)
    dialects.set(model, known)
    return known
  }

  /** Sends a request, and waits for the first piece of its answer. Thoughts that are not shown prove that the provider works. */
  const open = Effect.fnUntraced(function* <A>(question: Question<A>, target: Target, call: Call) {
    const record = call.attempt()
    const emit = (piece: ModelPiece) => {
      record.firstAt ??= call.moment()
      question.emit(piece)
    }
    const request = yield* held(
      Effect.sync(() => new ProviderRequest(agents, clock, emit, question.asked, question.read)),
      (request) => Effect.sync(() => request.close())
    )
    yield* Effect.try({ try: () => request.send(question.endpoint, question.body), catch: () => internal })
    const exit = yield* Effect.exit(begin(request, target, call, question.whole))
    record.status = request.status
    return { request, record, exit }
  })

  const begin = Effect.fnUntraced(function* <A>(
    request: ProviderRequest<A>,
    target: Target,
    call: Call,
    whole: boolean
  ) {
    yield* within(request.connected, target.connectMs, noConnection)
    yield* whole ? Deferred.await(request.begun) : within(request.begun, target.firstTokenMs, tooLate)
    yield* call.begun
    if (!request.spoken) yield* request.unlessSilent(request.said, target.silenceMs)
  })

  const ended = <A>({ request }: Opened<A>, target: Target) => request.unlessSilent(request.ended, target.silenceMs)

  const endpoint = (
    operation: Operation,
    { model }: Target,
    { key }: Call,
    about: { readonly stream: boolean; readonly origin: Origin | undefined }
  ) => {
    const more = about.origin?.dialect === "chat" ? about.origin.headers : undefined
    return endpointOf(options, { key, model, operation, stream: about.stream, more })
  }

  /** If the server refuses a parameter of ours, the request is repeated at once without it. */
  const answered = Effect.fnUntraced(function* (
    target: Target,
    request: ModelRequest,
    emit: (piece: ModelPiece) => void,
    call: Call
  ) {
    const learned = learnedOf(target)
    const known = learned.dialect
    const texts = textsIn(request)
    const asked = { texts, maxTokens: target.maxOutputTokens ?? request.maxTokens ?? target.defaultMaxTokens ?? 0 }
    let sent: Sent = { dialect: known, certain: known }
    for (;;) {
      const { body, ours, reading } = sendingOf(sent.dialect, request, target)
      const whole = reading.raw === "whole"
      let reader: ChatStream | undefined
      const opened = yield* open<Completion>(
        {
          endpoint: endpoint("chat/completions", target, call, { stream: !whole, origin: request.origin }),
          body: JSON.stringify(body),
          asked,
          emit,
          read: (emit, asked) => (reader = new ChatStream(emit, asked, { ...reading, newId })),
          whole
        },
        target,
        call
      )
      const { exit, record } = opened
      const note = () => {
        record.upstreamId = reader?.id
        record.responseModel = reader?.model
        record.serviceTier = reader?.tier
      }
      note()
      if (Exit.isSuccess(exit)) {
        if (sent.certain !== learned.dialect) yield* learned.learn(sent.certain)
        const completion = yield* Effect.onExit(ended(opened, target), () => Effect.sync(note))
        record.usage = completion.usage
        return completion
      }
      opened.request.close()
      const failed = Option.getOrUndefined(Exit.findErrorOption(exit))
      const { error, spoken } = opened.request
      const mayChange = error !== undefined && isRefused(failed) && !spoken
      const next = mayChange ? withoutRefused(sent, error, texts, ours) : undefined
      if (next === undefined) return yield* Effect.failCause(exit.cause)
      record.failure = failed?.reason
      sent = next
    }
  }, Effect.scoped)

  /** A request of a client that speaks Responses, to a server that does. */
  const responded = Effect.fnUntraced(function* (
    target: Target,
    request: ModelRequest,
    emit: (piece: ModelPiece) => void,
    call: Call
  ) {
    const body = forwardResponses(request, { model: target.model, mostTokens: target.maxOutputTokens })
    let reader: ResponsesReader | undefined
    const opened = yield* open<Completion>(
      {
        endpoint: endpoint("responses", target, call, { stream: true, origin: undefined }),
        body: JSON.stringify(body),
        asked: {
          texts: textsIn(request),
          maxTokens: target.maxOutputTokens ?? request.maxTokens ?? target.defaultMaxTokens ?? 0
        },
        emit,
        read: (emit, asked) => new EventStream((reader = new ResponsesReader(emit)), asked),
        whole: false
      },
      target,
      call
    )
    const { exit, record } = opened
    const note = Effect.sync(() => {
      record.upstreamId = reader?.id
      record.responseModel = reader?.model
      record.serviceTier = reader?.tier
      record.usage = reader?.usage
    })
    return yield* Effect.onExit(Exit.isSuccess(exit) ? ended(opened, target) : Effect.failCause(exit.cause), () => note)
  }, Effect.scoped)

  const embedded = Effect.fnUntraced(function* (target: Target, request: EmbeddingRequest, call: Call) {
    const texts = request.input.filter((input) => typeof input === "string")
    const opened = yield* open<EmbeddingAnswer>(
      {
        endpoint: endpoint("embeddings", target, call, { stream: false, origin: request.origin }),
        body: JSON.stringify(embeddingsBody(request, target.model)),
        asked: { texts, maxTokens: 0 },
        emit: () => {},
        read: (_, asked) => new EmbeddingsReader(request.input.length, asked),
        whole: false
      },
      target,
      call
    )
    return yield* Exit.isSuccess(opened.exit) ? ended(opened, target) : Effect.failCause(opened.exit.cause)
  }, Effect.scoped)

  const generate: Provider["generate"] = (target, request, emit, call) =>
    options.responses === true && request.origin?.dialect === "responses"
      ? responded(target, request, emit, call)
      : answered(target, request, emit, call)
  const provider: Provider = { name: options.name, dialect: "chat", generate, embed: embedded }
  return provider
})

const isRefused = (failed: ProviderFailure | undefined): boolean =>
  failed?.reason === "model_rejected" && (failed.status === 400 || failed.status === 422)

/** An id for a call of a tool whose provider gives none. */
const newId = () => `call_${randomBytes(12).toString("hex")}`

import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import { type Asking, type Completion, Llm, LlmFailed } from "@llm-saas/engine/generations/Llm"
import type { FailureReason } from "@llm-saas/domain/Generation"
import { Context, Deferred, Effect, Layer, Queue } from "effect"

/** One question that reached the model. The test is the model: it decides what is sent, and when. */
export interface Call {
  readonly request: ModelRequest
  readonly asking: Asking
  /** Its texts by turn, where it has no others. */
  readonly prompt: ReadonlyArray<{ readonly role: string; readonly content: string }>
  readonly emit: (piece: ModelPiece) => void
  readonly complete: (completion?: Partial<Completion>) => void
  readonly fail: (reason: FailureReason, retryAfter?: number) => void
  /** Completes when the request to the provider is aborted. */
  readonly aborted: Effect.Effect<void>
}

/** A model controlled by the test. */
export class Script extends Context.Service<
  Script,
  {
    /** The next question that reaches the model; waits for it. */
    readonly next: Effect.Effect<Call>
    /** Number of questions that have reached it. */
    readonly asked: () => number
  }
>()("@llm-saas/testing/Script") {}

const INFO = { id: "scripted-1", kind: "chat", provider: "scripted" } as const

/** Its vectors are the place of the input and its length. */
const EMBEDDING = { id: "scripted-embedding-1", kind: "embeddings", provider: "scripted" } as const

const textsOf = ({ input }: ModelRequest) =>
  input.flatMap((item) =>
    item.type === "message"
      ? [
          {
            role: item.role,
            content: item.parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n")
          }
        ]
      : []
  )

export const layer = Layer.effectContext(
  Effect.gen(function* () {
    const calls = yield* Queue.unbounded<Call>()
    let asked = 0
    const llm = Llm.of({
      defaultModel: INFO.id,
      find: (name) => [INFO, EMBEDDING].find(({ id }) => id === name),
      models: () => [INFO, EMBEDDING],
      takesKeys: (provider) => provider === INFO.provider,
      embed: ({ input }, asking) =>
        Effect.sync(() => {
          const now = asking.moment()
          asking.attempt({
            provider: "scripted",
            model: EMBEDDING.id,
            keySource: "installation",
            startedAt: now,
            endedAt: now
          })
          const vectors = input.map(({ length }, index) => [index, length])
          return { vectors, usage: { input: input.length, output: 0 }, model: "scripted-embedding-1-2026" }
        }),
      countTokens: () => Effect.succeed(undefined),
      estimate: () => ({ input: 10, inputAtMost: 20, outputAtMost: 100 }),
      generate: (request, emit, asking) =>
        Effect.gen(function* () {
          const end = yield* Deferred.make<Completion, LlmFailed>()
          const aborted = yield* Deferred.make<void>()
          asked++
          yield* Queue.offer(calls, {
            request,
            asking,
            prompt: textsOf(request),
            emit,
            complete: (completion) =>
              void Deferred.doneUnsafe(
                end,
                Effect.succeed({ finishReason: "stop", usage: undefined, model: undefined, ...completion })
              ),
            fail: (reason, retryAfter) =>
              void Deferred.doneUnsafe(
                end,
                Effect.fail(new LlmFailed({ reason, ...(retryAfter === undefined ? {} : { retryAfter }) }))
              ),
            aborted: Deferred.await(aborted)
          })
          return yield* Effect.onInterrupt(Deferred.await(end), () => Deferred.succeed(aborted, undefined))
        })
    })
    return Context.make(Llm, llm).pipe(Context.add(Script, { next: Queue.take(calls), asked: () => asked }))
  })
)

import { type Completion, Llm, LlmFailed, type Prompt } from "@llm-saas/engine/generations/Llm"
import type { FailureReason } from "@llm-saas/domain/Generation"
import { Context, Deferred, Effect, Layer, Queue } from "effect"

/** One question that reached the model. The test is the model: it decides what is sent, and when. */
export interface Call {
  readonly prompt: Prompt
  readonly emit: (text: string) => void
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

export const layer = Layer.effectContext(
  Effect.gen(function* () {
    const calls = yield* Queue.unbounded<Call>()
    let asked = 0
    const llm = Llm.of({
      provider: "scripted",
      model: "scripted-1",
      generate: (prompt, emit) =>
        Effect.gen(function* () {
          const end = yield* Deferred.make<Completion, LlmFailed>()
          const aborted = yield* Deferred.make<void>()
          asked++
          yield* Queue.offer(calls, {
            prompt,
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

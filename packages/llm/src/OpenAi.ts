import { dependency } from "@llm-saas/domain/Dependency"
import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import { type Asking, type Completion, Llm, LlmFailed } from "@llm-saas/engine/generations/Llm"
import { Clock, Deferred, Duration, Effect, Layer, Schedule } from "effect"
import { makeAgents } from "./Agents.ts"
import * as Attempt from "./Attempt.ts"
import type { Pass } from "./Breaker.ts"
import { FaultLog } from "./FaultLog.ts"
import { LearnedDialect } from "./LearnedDialect.ts"
import { type Prompt, textsOf } from "./Prompt.ts"
import { type ProviderFailure, tooLate, toLlmFailed } from "./ProviderFailure.ts"
import { ProviderHealth } from "./ProviderHealth.ts"
import type { ProviderRequest } from "./ProviderRequest.ts"
import { baseUrlOf, type OpenAiOptions } from "./Target.ts"

export type { OpenAiOptions } from "./Target.ts"

/** Longest wait that a provider may ask for before a retry. If it asks for more, the client decides. */
const PATIENCE_MS = 5000

/** 250, 500, 1000 ms, ±20 %, after the wait the provider asked for. The jitter spreads the retries of questions that failed together. */
const AGAIN = Schedule.exponential("250 millis").pipe(
  Schedule.jittered,
  Schedule.setInputType<ProviderFailure>(),
  Schedule.modifyDelay(({ duration, input }) =>
    Effect.succeed(Duration.sum(duration, Duration.millis(input.waitMs ?? 0)))
  )
)

/** A model behind an OpenAI-compatible API: OpenAI, Azure OpenAI, Ollama, Together, vLLM and many more. */
export const OpenAiLayer = (options: OpenAiOptions): Layer.Layer<Llm> => Layer.effect(Llm, make(options))

/** One target, a model at an address, with its own dialect and breaker. */
const make = Effect.fnUntraced(function* (options: OpenAiOptions) {
  const clock = yield* Clock.Clock
  const agents = yield* Effect.acquireRelease(
    Effect.sync(() => makeAgents(baseUrlOf(options), options.proxies)),
    ({ http, https }) =>
      Effect.sync(() => {
        http.destroy()
        https.destroy()
      })
  )
  const { model } = options
  const faults = new FaultLog(model)
  const health = new ProviderHealth({ clock, model, provider: yield* dependency("provider") })
  const attempt = Attempt.make({ agents, clock, faults, health, learned: new LearnedDialect(options), options })

  /** Until the first text of the answer, with retries. */
  const open = (prompt: Prompt, emit: (text: string) => void, pass: Pass) =>
    attempt(prompt, emit, pass).pipe(
      Effect.tapError((failed) => faults.report(failed)),
      Effect.retry({
        schedule: AGAIN,
        times: options.retries,
        while: ({ retryable, waitMs }) => retryable && (waitMs ?? 0) <= PATIENCE_MS
      }),
      Effect.onExit((exit) => health.settle(pass, exit))
    )

  const ended = (request: ProviderRequest) =>
    request
      .unlessSilent(Deferred.await(request.ended), options.silenceMs)
      .pipe(Effect.tapError((failed) => faults.report(failed)))

  const generate = (
    request: ModelRequest,
    emit: (text: string) => void,
    { partition }: Asking
  ): Effect.Effect<Completion, LlmFailed> =>
    Effect.suspend(() => {
      const pass = health.enter(partition)
      if (typeof pass === "number") return Effect.fail(circuitOpen(pass))
      return open(textsOf(request), emit, pass).pipe(Effect.andThen(ended), Effect.mapError(toLlmFailed), Effect.scoped)
    }).pipe(Effect.timeoutOrElse({ duration: options.answerMs, orElse: () => Effect.fail(toLlmFailed(tooLate)) }))

  const info = { id: model, kind: "chat", provider: "openai" } as const
  return Llm.of({
    defaultModel: model,
    find: (name) => (name === model ? info : undefined),
    models: () => [info],
    generate,
    embed: () => Effect.fail(new LlmFailed({ reason: "model_rejected" })),
    countTokens: () => Effect.succeed(undefined)
  })
})

/** The circuit is open: no question is sent for `waitMs`, or until a probe is answered. */
const circuitOpen = (waitMs: number): LlmFailed =>
  new LlmFailed({ reason: "model_unavailable", retryAfter: Math.max(1, Math.ceil(waitMs / 1000)) })

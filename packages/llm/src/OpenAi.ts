import { dependency } from "@llm-saas/domain/Dependency"
import { monotonicMillis } from "@llm-saas/domain/Time"
import { type Completion, Llm, LlmFailed, type Prompt } from "@llm-saas/engine/generations/Llm"
import { Clock, Deferred, Duration, Effect, Exit, Layer, Option, Schedule, type Scope } from "effect"
import { makeAgents } from "./Agents.ts"
import { Breaker, type Change, type Pass } from "./Breaker.ts"
import { bodyOf, both, COMMON, type Dialect, doubtfulDialect, refused, fallbackDialect } from "./Dialect.ts"
import { ProviderRequest } from "./ProviderRequest.ts"
import { type ProviderFailure, internal, noConnection, saysNothing, tooLate, toLlmFailed } from "./ProviderFailure.ts"
import { baseUrlOf, endpointOf, type OpenAiOptions } from "./Target.ts"
import { FaultLog } from "./FaultLog.ts"

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
  const endpoint = endpointOf(options)
  const breaker = new Breaker()
  const provider = yield* dependency("provider")
  const troubles = new FaultLog(options.model)
  const now = () => monotonicMillis(clock)
  // The dialect without the parameters this server refused, updated when a request without them worked.
  let learned: Dialect = { ...COMMON, temperature: options.temperature !== undefined }

  const learn = (dialect: Dialect) => {
    const before = refused(learned)
    learned = both(learned, dialect)
    return Effect.forEach(
      refused(learned).filter((parameter) => !before.includes(parameter)),
      (parameter) =>
        Effect.logWarning("the model's provider does not take a parameter: it is asked without", {
          model: options.model,
          parameter
        }),
      { discard: true }
    )
  }

  /** Fails after too long a silence. It checks at the earliest time that can be, not for every piece. */
  const silence = Effect.fnUntraced(function* (providerRequest: ProviderRequest) {
    for (;;) {
      const left = providerRequest.heardAt + options.silenceMs - now()
      if (left <= 0) return yield* tooLate
      yield* Effect.sleep(left)
    }
  })

  /** Waits for the first text of an answer, or its end without text. Thoughts before it show that the provider works. */
  const begin = Effect.fnUntraced(function* (providerRequest: ProviderRequest, pass: Pass) {
    yield* within(Deferred.await(providerRequest.connected), options.connectMs, noConnection)
    yield* within(Deferred.await(providerRequest.begun), options.firstTokenMs, tooLate)
    const change = pass.succeed(now())
    if (change !== undefined) yield* report(change)
    yield* provider.worked
    if (!providerRequest.spoken) yield* Effect.raceFirst(Deferred.await(providerRequest.said), silence(providerRequest))
  })

  /** One request, until the first text of its answer. If the server refuses a parameter, the request is repeated at once without it. */
  const attempt = Effect.fnUntraced(function* (
    prompt: Prompt,
    emit: (text: string) => void,
    pass: Pass
  ): Effect.fn.Return<ProviderRequest, ProviderFailure, Scope.Scope> {
    const asked = { texts: prompt.map(({ content }) => content), maxTokens: options.maxTokens }
    let dialect = learned
    // Without what was tried for this question alone: a question must not decide how others are sent.
    let certain = learned
    for (;;) {
      const providerRequest = yield* Effect.acquireRelease(
        Effect.sync(() => new ProviderRequest(agents, clock, emit, asked)),
        (providerRequest) => Effect.sync(() => providerRequest.close())
      )
      const body = JSON.stringify(bodyOf(dialect, options, prompt))
      yield* Effect.try({ try: () => providerRequest.send(endpoint, body), catch: () => internal })
      const exit = yield* Effect.exit(begin(providerRequest, pass))
      if (Exit.isSuccess(exit)) {
        if (certain !== learned) yield* learn(certain)
        yield* troubles.over
        return providerRequest
      }
      providerRequest.close()
      const { error } = providerRequest
      const failed = Option.getOrUndefined(Exit.findErrorOption(exit))
      const rejected = failed?.reason === "model_rejected" && (failed.status === 400 || failed.status === 422)
      if (error === undefined || !rejected || providerRequest.spoken) return yield* Effect.failCause(exit.cause)
      const sure = fallbackDialect(dialect, error, asked.texts)
      const otherwise = sure ?? doubtfulDialect(dialect, error)
      if (otherwise === undefined) return yield* Effect.failCause(exit.cause)
      if (sure !== undefined) certain = fallbackDialect(certain, error, asked.texts) ?? certain
      dialect = otherwise
    }
  })

  const report = (change: Change) =>
    change === "closed for all"
      ? Effect.logInfo("the model's provider answers again: all tenants' questions are sent", { model: options.model })
      : Effect.logWarning(
          change === "opened for all"
            ? "the model's provider fails for several tenants: no tenant's questions are sent for a while"
            : "the model's provider fails for one tenant: their questions are not sent for a while",
          { model: options.model }
        )

  /** Settles the pass: refused questions, a refused key and cancelled questions show nothing about the provider. */
  const settle = (pass: Pass, exit: Exit.Exit<ProviderRequest, ProviderFailure>) => {
    const failed = Exit.isSuccess(exit) ? undefined : Option.getOrUndefined(Exit.findErrorOption(exit))
    if (failed === undefined || saysNothing(failed)) return Effect.sync(() => pass.release())
    const at = now()
    const change = pass.fail(at, failed.waitMs)
    const { code, reason, status } = failed
    const cause = [reason, status, code].filter((part) => part !== undefined).join(" ")
    // One tenant's failures alone are not an outage while other tenants are answered.
    const isOut = provider.outage !== undefined || (change !== undefined && breaker.isQuiet(at))
    return Effect.andThen(
      change === undefined ? Effect.void : report(change),
      isOut ? provider.failed(cause) : Effect.void
    )
  }

  const open = (prompt: Prompt, emit: (text: string) => void, pass: Pass) =>
    attempt(prompt, emit, pass).pipe(
      Effect.tapError((failed) => troubles.report(failed)),
      Effect.retry({
        schedule: AGAIN,
        times: options.retries,
        while: ({ retryable, waitMs }) => retryable && (waitMs ?? 0) <= PATIENCE_MS
      }),
      Effect.onExit((exit) => settle(pass, exit))
    )

  const ended = (providerRequest: ProviderRequest) =>
    Effect.raceFirst(Deferred.await(providerRequest.ended), silence(providerRequest)).pipe(
      Effect.tapError((failed) => troubles.report(failed))
    )

  const generate = (
    prompt: Prompt,
    emit: (text: string) => void,
    partition: string
  ): Effect.Effect<Completion, LlmFailed> =>
    Effect.suspend(() => {
      const pass = breaker.enter(partition, now())
      if (typeof pass === "number") return Effect.fail(circuitOpen(pass))
      return open(prompt, emit, pass).pipe(Effect.andThen(ended), Effect.mapError(toLlmFailed), Effect.scoped)
    }).pipe(Effect.timeoutOrElse({ duration: options.answerMs, orElse: () => Effect.fail(toLlmFailed(tooLate)) }))

  return Llm.of({ provider: "openai", model: options.model, generate })
})

const within = <A>(effect: Effect.Effect<A, ProviderFailure>, duration: number, failed: ProviderFailure) =>
  Effect.timeoutOrElse(effect, { duration, orElse: () => Effect.fail(failed) })

/** The circuit is open: no question is sent for `waitMs`, or until a probe is answered. */
const circuitOpen = (waitMs: number): LlmFailed =>
  new LlmFailed({ reason: "model_unavailable", retryAfter: Math.max(1, Math.ceil(waitMs / 1000)) })

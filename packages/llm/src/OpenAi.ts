import { type Completion, Llm, LlmFailed, type Prompt } from "@llm-saas/engine/Llm"
import { Clock, Deferred, Duration, Effect, Exit, Layer, Option, Redacted, Schedule, type Scope, Stream } from "effect"
import { CircuitBreaker } from "effect/persistence"
import OpenAI, { AzureOpenAI } from "openai"
import { type Asked, bodyOf, COMMON, relent } from "./Dialect.ts"
import { Exchange, makeAgents } from "./Exchange.ts"
import { Failed, internal, noConnection, tooLate, toLlmFailed } from "./Failed.ts"

/** Where the provider is, what it is asked, and how long anything may take. Times are in milliseconds. */
export interface OpenAiOptions extends Asked {
  /** Undefined for servers that ask for none. */
  readonly apiKey: Redacted.Redacted | undefined
  /** With its path: `http://localhost:11434/v1`. Undefined: OpenAI's own. */
  readonly baseUrl: string | undefined
  /** Makes it Azure's classic API: the model is the deployment's name, and the base URL the resource's, without a path. */
  readonly azureApiVersion: string | undefined
  /** Until a connection stands, TLS included. */
  readonly connect: number
  /** From there until the first of the answer. */
  readonly firstToken: number
  /** Between two pieces of the answer. */
  readonly silence: number
  /** All of it, with what is tried again. */
  readonly whole: number
  /** How often a question is asked again, as long as nothing of the answer came. */
  readonly retries: number
}

/** How long (ms) we wait for a provider that asked us to. For longer ones it is the caller's turn to decide. */
const PATIENCE = 5000

/** Failures in a row after which a provider is left alone, and for how long: 1, 2, 4, 8, 16, then 30 seconds. */
const FAILURES = 5
const LEFT_ALONE = Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("30 seconds")])

/** 250, 500, 1000 ms, each a fifth more or less, after what the provider asked for: those who failed together do not come back together. */
const AGAIN = Schedule.exponential("250 millis").pipe(
  Schedule.jittered,
  Schedule.setInputType<Failed>(),
  Schedule.modifyDelay(({ duration, input }) =>
    Effect.succeed(Duration.sum(duration, Duration.millis(input.wait ?? 0)))
  )
)

/** A model behind an API like OpenAI's: OpenAI, Azure OpenAI, Ollama, Together, vLLM and many more. */
export const OpenAiLayer = (options: OpenAiOptions): Layer.Layer<Llm> =>
  Layer.effect(Llm, make(options)).pipe(Layer.provide(CircuitBreaker.layerStoreMemory()))

const make = Effect.fnUntraced(function* (options: OpenAiOptions) {
  const clock = yield* Clock.Clock
  const agents = yield* Effect.acquireRelease(Effect.sync(makeAgents), ({ http, https }) =>
    Effect.sync(() => {
      http.destroy()
      https.destroy()
    })
  )
  const breaker = yield* CircuitBreaker.make({
    tripPolicy: CircuitBreaker.consecutive(FAILURES),
    openDuration: LEFT_ALONE
  })
  const key = `${clientOf(options, undefined).baseURL} ${options.model}`
  yield* Effect.forkScoped(
    Stream.runForEach(breaker.transitions, ({ from, to }) =>
      Effect.logWarning("the model's provider: circuit breaker", { model: options.model, from, to })
    ),
    { startImmediately: true }
  )

  // What this server was found to refuse is not said to it again.
  let dialect = COMMON

  /** One request, until the first of its answer. */
  const attempt = Effect.fnUntraced(function* (
    prompt: Prompt,
    emit: (text: string) => void
  ): Effect.fn.Return<Exchange, Failed, Scope.Scope> {
    for (;;) {
      const spoken = dialect
      const exchange = yield* Effect.acquireRelease(
        Effect.sync(() => new Exchange(agents, clock, emit)),
        (exchange) => Effect.sync(() => exchange.close())
      )
      clientOf(options, exchange.fetch)
        .chat.completions.create(bodyOf(spoken, options, prompt))
        .asResponse()
        .then(undefined, exchange.unmade)
      const exit = yield* within(Deferred.await(exchange.connected), options.connect, noConnection).pipe(
        Effect.andThen(within(Deferred.await(exchange.begun), options.firstToken, tooLate)),
        Effect.exit
      )
      if (Exit.isSuccess(exit)) return exchange
      exchange.close()
      const status = Option.getOrUndefined(Exit.findErrorOption(exit))?.status
      const otherwise = status === 400 || status === 422 ? relent(spoken, exchange.words) : undefined
      if (otherwise === undefined) return yield* Effect.failCause(exit.cause)
      dialect = otherwise
    }
  })

  const open = (prompt: Prompt, emit: (text: string) => void) =>
    attempt(prompt, emit).pipe(
      Effect.tapError(({ code, reason, status }) =>
        Effect.logWarning("the model's provider failed", {
          model: options.model,
          reason,
          ...(status === undefined ? {} : { status }),
          ...(code === undefined ? {} : { code })
        })
      ),
      Effect.retry({
        schedule: AGAIN,
        times: options.retries,
        while: ({ passing, wait }) => passing && (wait ?? 0) <= PATIENCE
      }),
      breaker.execute({ key, classify: outcomeOf }),
      Effect.mapError((error) => (error instanceof Failed ? toLlmFailed(error) : leftAlone(error)))
    )

  /** Fails when nothing was heard for too long. Looks when it can be so at the earliest, and not for every piece. */
  const silence = Effect.fnUntraced(function* (exchange: Exchange) {
    for (;;) {
      const left = exchange.heardAt + options.silence - clock.currentTimeMillisUnsafe()
      if (left <= 0) return yield* tooLate
      yield* Effect.sleep(left)
    }
  })

  const generate = (prompt: Prompt, emit: (text: string) => void): Effect.Effect<Completion, LlmFailed> =>
    open(prompt, emit).pipe(
      Effect.andThen((exchange) =>
        Effect.mapError(Effect.raceFirst(Deferred.await(exchange.ended), silence(exchange)), toLlmFailed)
      ),
      Effect.scoped,
      Effect.timeoutOrElse({ duration: options.whole, orElse: () => Effect.fail(toLlmFailed(tooLate)) })
    )

  return Llm.of({ provider: "openai", model: options.model, generate })
})

const within = <A>(effect: Effect.Effect<A, Failed>, duration: number, failed: Failed) =>
  Effect.timeoutOrElse(effect, { duration, orElse: () => Effect.fail(failed) })

/** What a question says about the provider: nothing, where it was the question or the key that was refused. */
const outcomeOf = (exit: Exit.Exit<Exchange, Failed>): CircuitBreaker.Outcome => {
  if (Exit.isSuccess(exit)) return CircuitBreaker.success
  const { reason, wait } = Option.getOrElse(Exit.findErrorOption(exit), () => internal)
  if (reason === "model_rejected" || reason === "model_unauthorized" || reason === "internal")
    return CircuitBreaker.ignored
  return CircuitBreaker.failure(wait === undefined ? {} : { retryAfter: wait })
}

/** The provider was found broken, and is not asked until some time has passed, or until it has answered the question that tries it. */
const leftAlone = ({ reason }: CircuitBreaker.CircuitBreakerError): LlmFailed =>
  new LlmFailed({
    reason: "model_unavailable",
    retryAfter: reason._tag === "CircuitOpen" ? Math.max(1, Math.ceil(Duration.toSeconds(reason.retryAfter))) : 1
  })

/** A client for one question, 20 µs: its `fetch` is that question's. All is given, for it would look into the environment for the rest. */
const clientOf = (
  { apiKey, azureApiVersion, baseUrl }: OpenAiOptions,
  fetch: Exchange["fetch"] | undefined
): OpenAI => {
  const key = apiKey === undefined ? undefined : Redacted.value(apiKey)
  const common = {
    apiKey: key ?? "none",
    ...(key === undefined ? { defaultHeaders: { Authorization: null } } : {}),
    ...(fetch === undefined ? {} : { fetch }),
    adminAPIKey: null,
    organization: null,
    project: null,
    maxRetries: 0,
    logLevel: "off" as const
  }
  const baseURL = baseUrl ?? "https://api.openai.com/v1"
  if (azureApiVersion === undefined) return new OpenAI({ ...common, baseURL })
  const bare = new URL(baseURL).pathname === "/"
  return new AzureOpenAI({
    ...common,
    apiVersion: azureApiVersion,
    baseURL: bare ? new URL("/openai", baseURL).href : baseURL
  })
}

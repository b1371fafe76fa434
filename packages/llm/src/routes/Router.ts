import type { Attempt } from "@llm-saas/domain/Attempt"
import { dependency } from "@llm-saas/domain/Dependency"
import type { EmbeddingAnswer, EmbeddingRequest } from "@llm-saas/domain/Embedding"
import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import type { TargetHealth } from "@llm-saas/domain/Operator"
import type { Asking, Completion, Estimate } from "@llm-saas/engine/generations/Llm"
import { retried } from "@llm-saas/domain/Retried"
import { Clock, Data, Duration, Effect, Random, Redacted, Result, Schedule } from "effect"
import { ProviderFailure, tooLate } from "../ProviderFailure.ts"
import { withoutSecrets } from "../Said.ts"
import type { Call, Provider, Target } from "../Provider.ts"
import { estimateOf } from "../Estimate.ts"
import { Attempts, type Told } from "./Attempts.ts"
import type { Configuration, Route } from "./Configuration.ts"
import { type Build, Live, type LiveProvider, type LiveRoute, type LiveTarget } from "./Live.ts"
import { fallsBack, orderOf } from "./Route.ts"
import { TargetStates } from "./TargetState.ts"

// Longer than other files: one question's way through its targets.

/** Answers by the routes of a configuration. */
export interface Router {
  /** What the calls so far showed of each target. */
  readonly health: () => ReadonlyArray<TargetHealth>
  readonly configuration: () => Configuration
  /** From now on this configuration holds. Answers under way keep theirs. */
  readonly use: (configuration: Configuration) => Effect.Effect<void>
  /** `emit` is called for each piece. Nothing is asked again after the first one. Interrupting aborts the request. */
  readonly generate: (
    request: ModelRequest,
    emit: (piece: ModelPiece) => void,
    asking: Asking
  ) => Effect.Effect<Completion, ProviderFailure>
  readonly embed: (request: EmbeddingRequest, asking: Asking) => Effect.Effect<EmbeddingAnswer, ProviderFailure>
  /** Tokens of a request and its answer: the most of all targets. */
  readonly estimate: (request: ModelRequest) => Estimate
  /** The tokens of the request's input, as an upstream counts them. Undefined: no target counts. */
  readonly countTokens: (request: ModelRequest, asking: Asking) => Effect.Effect<number | undefined, ProviderFailure>
}

/** Longest wait that a provider may ask for before a retry. If it asks for more, the client decides. */
const PATIENCE_MS = 5000

/** When to come back where tenants' own keys cannot be read: the database is away. */
const KEY_WAIT_MS = 1000

/** 250, 500, 1000 ms, ±20 %, after the wait the provider asked for. The jitter spreads the retries of questions that failed together. */
const AGAIN = Schedule.exponential("250 millis").pipe(
  Schedule.jittered,
  Schedule.setInputType<ProviderFailure>(),
  Schedule.modifyDelay(({ duration, input }) =>
    Effect.succeed(Duration.sum(duration, Duration.millis(input.waitMs ?? 0)))
  )
)

/** What is asked of a target: an answer, vectors, a number of tokens. */
interface Work<A extends Told> {
  readonly alias: string
  /** Why the target cannot do it, or how it does. */
  readonly at: (provider: Provider, target: Target) => string | ((call: Call) => Effect.Effect<A, ProviderFailure>)
  /** Whether something of an answer was shown, so that nothing may be asked again. */
  readonly shown: () => boolean
}

/** A target for one question. */
interface Chosen<A> {
  readonly each: LiveTarget
  readonly does: (call: Call) => Effect.Effect<A, ProviderFailure>
  /** Whether another target follows. */
  readonly isLast: boolean
}

/** A target was not asked. */
class Skipped extends Data.TaggedError("Skipped")<{ readonly why: ProviderFailure }> {}

export const make = Effect.fnUntraced(function* (configuration: Configuration, build: Build) {
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const states = new TargetStates(clock, yield* dependency("provider"))
  let live = yield* Live.make(configuration, build)
  yield* Effect.addFinalizer(() => Effect.suspend(() => live.retire))

  const use = Effect.fnUntraced(function* (next: Configuration) {
    const before = live
    live = yield* Live.make(next, build)
    states.keep([...live.routes.values()].flatMap(({ targets }) => targets))
    yield* before.retire
  }, Effect.uninterruptible)

  /** With whose key the target is asked. */
  const keyOf = Effect.fnUntraced(function* (
    { provider, settings }: LiveProvider,
    alias: string,
    asking: Asking
  ): Effect.fn.Return<Pick<Call, "key"> & Pick<Attempt, "keySource">, Skipped> {
    const own =
      settings.keyPolicy === "installation"
        ? undefined
        : yield* asking.keyFor?.(provider.name, alias) ?? Effect.undefined
    if (own === "unavailable") return yield* skip({ reason: "model_unavailable", waitMs: KEY_WAIT_MS })
    // Never by the installation's key instead: that would be another's money.
    if (own === "unusable" || (own === undefined && settings.keyPolicy === "tenant_only"))
      return yield* skip({ reason: "model_unauthorized", said: NO_KEY })
    return own === undefined ? { key: settings.key, keySource: "installation" } : { key: own, keySource: "tenant" }
  })

  /** Asks one target, with retries. */
  const askOne = Effect.fnUntraced(function* <A extends Told>(
    { does, each, isLast }: Chosen<A>,
    { shown }: Work<A>,
    { alias, fallbackOn }: Route,
    asking: Asking
  ) {
    const key = yield* keyOf(each.at, alias, asking)
    const { faults, health } = states.of(each)[key.keySource]
    const pass = health.enter(asking.partition)
    if (typeof pass === "number") return yield* skip({ reason: "model_unavailable", waitMs: pass })
    const begun = Effect.suspend(() => Effect.andThen(health.began(pass), faults.over))
    const secrets = secretsOf(each.at, key)
    const once = Effect.suspend(() => {
      const asked = { ...key, provider: each.provider, model: each.target.model, pricing: each.pricing }
      const attempts = new Attempts(asked, asking, begun)
      return does(attempts.call).pipe(
        Effect.mapError((failed) => withoutSecrets(failed, secrets)),
        Effect.onExit((exit) => Effect.sync(() => attempts.end(exit)))
      )
    })
    const told = Effect.tapError(once, (failed) =>
      each.at.settings.type === "mock" ? Effect.void : faults.report(failed)
    )
    return yield* retried(told, {
      schedule: AGAIN,
      times: each.retries,
      // Where another target follows, it is asked at once instead of waiting as long as this one wants.
      while: (failed) =>
        failed.retryable
        && !shown()
        && (failed.waitMs ?? 0) <= (isLast || !fallsBack(fallbackOn, failed) ? PATIENCE_MS : 0)
    }).pipe(Effect.onExit((exit) => health.settle(pass, exit)))
  })

  /** Asks the targets of a route in their order, until one answers or a failure is final. */
  const ask = Effect.fnUntraced(function* <A extends Told>(
    route: LiveRoute,
    work: Work<A>,
    asking: Asking
  ): Effect.fn.Return<A, ProviderFailure> {
    const order = orderOf(route.strategy, route.targets, () => random.nextDoubleUnsafe())
    let failure: ProviderFailure | undefined
    let skipped: ProviderFailure | undefined
    for (const [index, each] of order.entries()) {
      const does = work.at(each.at.provider, each.target)
      const outcome = yield* Effect.result(
        typeof does === "string"
          ? skip({ reason: "model_rejected", said: refusal(does) })
          : askOne({ each, does, isLast: index === order.length - 1 }, work, route, asking)
      )
      if (Result.isSuccess(outcome)) return outcome.success
      const failed = outcome.failure
      if (failed._tag === "Skipped") skipped = worse(skipped, failed.why)
      else failure = failed
      const { reason, status } = failed._tag === "Skipped" ? failed.why : failed
      yield* Effect.logDebug(failed._tag === "Skipped" ? "a target is not asked" : "a target failed", {
        provider: each.provider,
        model: each.target.model,
        reason,
        status
      })
      if (failure !== undefined && (work.shown() || !fallsBack(route.fallbackOn, failure))) break
    }
    return yield* failure ?? skipped ?? NO_TARGET
  })

  const run = <A extends Told>(kind: Route["kind"], work: Work<A>, asking: Asking): Effect.Effect<A, ProviderFailure> =>
    Live.use(
      () => live,
      (live) => {
        const route = live.routes.get(work.alias)
        if (route === undefined || route.kind !== kind) return Effect.fail(NO_MODEL)
        return Effect.timeoutOrElse(ask(route, work, asking), {
          duration: route.answerMs,
          orElse: () => Effect.fail(tooLate)
        })
      }
    )

  const generate: Router["generate"] = (request, emit, asking) => {
    let shown = false
    const show = (piece: ModelPiece) => {
      shown = true
      emit(piece)
    }
    return run<Completion>(
      "chat",
      {
        alias: request.model,
        shown: () => shown,
        at: (provider, target) =>
          provider.refuses?.(target, request) ?? ((call) => provider.generate(target, request, show, call))
      },
      asking
    )
  }

  const embed: Router["embed"] = (request, asking) =>
    run<EmbeddingAnswer>(
      "embeddings",
      {
        alias: request.model,
        shown: () => false,
        at: (provider, target) => {
          const { embed } = provider
          return embed === undefined ? "This model makes no embeddings." : (call) => embed(target, request, call)
        }
      },
      asking
    )

  const countTokens: Router["countTokens"] = (request, asking) =>
    Effect.suspend(() => {
      const counts = live.routes.get(request.model)?.targets.some(({ at }) => at.provider.countTokens !== undefined)
      if (counts === false) return Effect.undefined
      return Effect.map(
        run<Told & { readonly count: number }>(
          "chat",
          {
            alias: request.model,
            shown: () => false,
            at: (provider, target) => {
              const { countTokens } = provider
              if (countTokens === undefined) return "This model does not count tokens."
              return (
                provider.refuses?.(target, request)
                ?? ((call) => Effect.map(countTokens(target, request, call), (count) => ({ count })))
              )
            }
          },
          asking
        ),
        ({ count }) => count
      )
    })

  const estimate: Router["estimate"] = (request) => {
    const route = live.routes.get(request.model)
    const all = (route?.targets ?? []).map(
      ({ at, target }) => at.provider.estimate?.(target, request) ?? estimateOf(request, target, route?.maxOutputTokens)
    )
    return all.length === 1 && all[0] !== undefined ? all[0] : mostOf(all)
  }

  const health: Router["health"] = () => states.health([...live.routes.values()].flatMap(({ targets }) => targets))
  const router: Router = {
    health,
    configuration: () => live.configuration,
    use,
    generate,
    embed,
    countTokens,
    estimate
  }
  return router
})

const mostOf = (all: ReadonlyArray<Estimate>): Estimate => ({
  input: Math.max(0, ...all.map(({ input }) => input)),
  inputAtMost: Math.max(0, ...all.map(({ inputAtMost }) => inputAtMost)),
  outputAtMost: Math.max(0, ...all.map(({ outputAtMost }) => outputAtMost))
})

const skip = (about: Pick<ProviderFailure, "reason" | "said" | "waitMs">) =>
  Effect.fail(new Skipped({ why: new ProviderFailure({ ...about, retryable: false }) }))

const refusal = (message: string) => ({ message, type: "invalid_request_error" })

/** With what a target is asked, and what belongs to its provider. */
const secretsOf = ({ settings }: LiveProvider, { key }: Pick<Call, "key">): ReadonlyArray<string> =>
  [key, settings.key, ...Object.values(settings.headers)].flatMap((secret) =>
    secret === undefined ? [] : [Redacted.value(secret)]
  )

const NO_KEY = { message: "There is no usable key of yours for the provider of this model." }

/** The alias is not in the configuration any more: callers look it up first. */
const NO_MODEL = new ProviderFailure({
  reason: "model_rejected",
  retryable: false,
  said: { ...refusal("There is no such model."), code: "model_not_found" }
})

const NO_TARGET = new ProviderFailure({ reason: "model_unavailable", retryable: false })

/** Of targets that were not asked: what passes by itself counts more than what does not, and the shortest wait counts. */
const worse = (one: ProviderFailure | undefined, other: ProviderFailure): ProviderFailure => {
  if (one === undefined) return other
  if (one.waitMs !== undefined && other.waitMs !== undefined) return one.waitMs <= other.waitMs ? one : other
  return one.waitMs === undefined && other.waitMs !== undefined ? other : one
}

import { Effect, Exit, Scope } from "effect"
import type { Pricing } from "@llm-saas/domain/Pricing"
import type { Provider } from "../Provider.ts"
import { pricingOf } from "./Pricing.ts"
import type { Configuration, ProviderSettings, Route, RouteTarget } from "./Configuration.ts"

/** Makes a provider, for as long as the scope is open. */
export type Build = (settings: ProviderSettings) => Effect.Effect<Provider, never, Scope.Scope>

/** A provider of a configuration, and how it is configured. */
export interface LiveProvider {
  readonly provider: Provider
  readonly settings: ProviderSettings
}

/** A target of a route, with its provider. */
export interface LiveTarget extends RouteTarget {
  readonly at: LiveProvider
  readonly pricing: Pricing
}

/** A route, with its targets' providers. */
export interface LiveRoute extends Route {
  readonly targets: ReadonlyArray<LiveTarget>
}

/** A configuration with its providers. Its connections are closed once it is replaced and its last answer has ended. */
export class Live {
  readonly configuration: Configuration
  readonly routes: ReadonlyMap<string, LiveRoute>
  readonly #scope: Scope.Closeable
  #users = 0
  #retired = false

  private constructor(configuration: Configuration, providers: ReadonlyArray<LiveProvider>, scope: Scope.Closeable) {
    this.configuration = configuration
    const named = new Map(providers.map((each) => [each.settings.name, each]))
    this.routes = new Map(
      configuration.models.map((route) => {
        const targets = route.targets.flatMap((target) => {
          const at = named.get(target.provider)
          return at === undefined ? [] : [{ ...target, at, pricing: pricingOf(at.settings, target) }]
        })
        return [route.alias, { ...route, targets }]
      })
    )
    this.#scope = scope
  }

  static readonly make = Effect.fnUntraced(function* (configuration: Configuration, build: Build) {
    const scope = yield* Scope.make()
    const providers = yield* Effect.forEach(configuration.providers, (settings) =>
      Effect.map(build(settings), (provider) => ({ provider, settings }))
    ).pipe(
      Scope.provide(scope),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
    return new Live(configuration, providers, scope)
  })

  /** Runs `work` with the configuration that is current when it begins, whatever is configured meanwhile. */
  static readonly use = <A, E, R>(
    current: () => Live,
    work: (live: Live) => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const live = current()
        live.#users++
        return live
      }),
      work,
      (live) =>
        Effect.suspend(() => {
          live.#users--
          return live.#close
        })
    )

  /** No answer begins here any more. */
  get retire(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#retired = true
      return this.#close
    })
  }

  get #close(): Effect.Effect<void> {
    return this.#retired && this.#users === 0 ? Scope.close(this.#scope, Exit.void) : Effect.void
  }
}

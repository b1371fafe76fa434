import { Context, Deferred, Effect, Layer, Scope } from "effect"
import { onSecondSignal } from "../process/Signals.ts"

/** That the server is about to stop: told to answers, which then end their connections, and to streams, which then end themselves. */
export class Drain extends Context.Service<
  Drain,
  {
    readonly isDraining: () => boolean
    /** Completes when the server is told to stop. Whoever answers for longer than a moment ends when it does. */
    readonly begun: Effect.Effect<void>
    readonly begin: Effect.Effect<void>
  }
>()("@llm-saas/server/http/Drain") {
  static readonly layer = Layer.effect(
    Drain,
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const scope = yield* Effect.scope
      let draining = false
      const begin = Effect.suspend(() => {
        if (draining) return Effect.void
        draining = true
        const listen = onSecondSignal((signal) => process.exit(signal === "SIGINT" ? 130 : 143))
        return Effect.andThen(Scope.provide(listen, scope), Effect.asVoid(Deferred.succeed(begun, undefined)))
      })
      return Drain.of({ isDraining: () => draining, begun: Deferred.await(begun), begin })
    })
  )

  /** Begins the drain when it is taken down: built last, it is the first to be. From then on a second signal ends the process at once. */
  static readonly onShutdown = Layer.effectDiscard(
    Effect.gen(function* () {
      const drain = yield* Drain
      yield* Effect.addFinalizer(() => drain.begin)
    })
  )
}

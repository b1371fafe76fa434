import { Context, Deferred, Effect, Layer, Scope } from "effect"
import { onSecondSignal } from "../process/Signals.ts"

/** Signals that the server is about to stop: answers then end their connections, and streams end themselves. */
export class Drain extends Context.Service<
  Drain,
  {
    readonly isDraining: () => boolean
    /** Completes when the server is told to stop. Answers that last longer than a moment end then. */
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

  /** Begins the drain on shutdown: built last, so taken down first. From then on a second signal ends the process at once. */
  static readonly onShutdown = Layer.effectDiscard(
    Effect.gen(function* () {
      const drain = yield* Drain
      yield* Effect.addFinalizer(() => drain.begin)
    })
  )
}

import { Context, Deferred, Effect, Layer } from "effect"

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
      let draining = false
      let first = 0
      const end = (signal: NodeJS.Signals) => {
        if (performance.now() - first > ONE_SIGNAL) process.exit(signal === "SIGINT" ? 130 : 143)
      }
      yield* Effect.addFinalizer(() => Effect.sync(() => void process.off("SIGINT", end).off("SIGTERM", end)))
      const begin = Effect.suspend(() => {
        if (!draining) {
          draining = true
          first = performance.now()
          process.on("SIGINT", end).on("SIGTERM", end)
        }
        return Effect.asVoid(Deferred.succeed(begun, undefined))
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

/** Milliseconds. Ctrl-C reaches us from the terminal and once more from the program that started us: that is one signal, not two. */
const ONE_SIGNAL = 1000

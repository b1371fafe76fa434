import { Effect, type Scope } from "effect"

/** Milliseconds. Ctrl-C reaches us from the terminal and once more from the program that started us: that is one signal, not two. */
const ONE_SIGNAL = 1000

/** For a program that has been told to stop: calls `end` when it is told again, for as long as the scope is open. */
export const onSecondSignal = (end: (signal: NodeJS.Signals) => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => {
        const first = performance.now()
        const hear = (signal: NodeJS.Signals) => {
          if (performance.now() - first > ONE_SIGNAL) end(signal)
        }
        process.on("SIGINT", hear).on("SIGTERM", hear)
        return hear
      }),
      (hear) => Effect.sync(() => void process.off("SIGINT", hear).off("SIGTERM", hear))
    )
  )

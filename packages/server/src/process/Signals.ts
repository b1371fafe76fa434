import { Effect, type Scope } from "effect"

/** Milliseconds. Ctrl-C reaches us from the terminal and from the program that started us: within this time they count as one signal. */
const ONE_SIGNAL_MS = 1000

/** Calls `end` when a program that is already stopping gets a second signal, while the scope is open. */
export const onSecondSignal = (end: (signal: NodeJS.Signals) => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => {
        const first = performance.now()
        const hear = (signal: NodeJS.Signals) => {
          if (performance.now() - first > ONE_SIGNAL_MS) end(signal)
        }
        process.on("SIGINT", hear).on("SIGTERM", hear)
        return hear
      }),
      (hear) => Effect.sync(() => void process.off("SIGINT", hear).off("SIGTERM", hear))
    )
  )

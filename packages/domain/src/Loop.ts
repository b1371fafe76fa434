import { Cause, Clock, Context, Duration, Effect, Exit, type Scope } from "effect"

/** Options of a loop that runs for as long as the process lives. */
export interface LoopOptions {
  /** Shown in the log and by `/ready`. */
  readonly name: string
  /** Pause between the end of a round and the start of the next. Default: none, for rounds that wait by themselves. */
  readonly every?: Duration.Input
  /** The loop is late when no round succeeded for this long. A round that handles an expected outage succeeds. */
  readonly late: Duration.Input
}

/** A running loop. */
export interface Loop {
  readonly name: string
  /** Number of failed rounds in a row. */
  readonly failures: number
  /** Whether no round succeeded in time; `now` is on the monotonic clock, in ns. */
  readonly isLate: (now: bigint) => boolean
}

/** The loops of this process. {@link repeat} adds them. */
export const Loops = Context.Reference<Set<Loop>>("@llm-saas/domain/Loops", { defaultValue: () => new Set() })

/** The names of the loops that are late. `/ready` reports them. */
export const lateLoops: Effect.Effect<ReadonlyArray<string>> = Effect.gen(function* () {
  const loops = yield* Loops
  const now = yield* Clock.monotonicTimeNanos
  return [...new Set([...loops].filter((loop) => loop.isLate(now)).map(({ name }) => name))]
})

/** Pause after a failed round: `first`, doubled after each further failure, up to `most`. */
const BACKOFF_MS = { first: 250, most: 15_000 }

/**
 * Runs rounds in the background until the scope closes. A failed round, also one with a defect, ends neither the loop nor the process: its
 * cause is logged once, as is the recovery, and the loop continues after a pause.
 */
export const repeat = <R>(
  { every, late, name }: LoopOptions,
  round: Effect.Effect<void, never, R>
): Effect.Effect<void, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    const loops = yield* Loops
    const clock = yield* Clock.Clock
    const pause = every === undefined ? Effect.void : Effect.sleep(every)
    const patience = Duration.toNanosUnsafe(Duration.fromInputUnsafe(late))
    let [failures, said, goodAt] = [0, "", clock.monotonicTimeNanosUnsafe()]

    const failed = (cause: Cause.Cause<never>) =>
      Effect.suspend(() => {
        failures++
        const text = Cause.pretty(cause)
        const log = text === said ? Effect.void : Effect.logError(`${name} failed, and is tried again`, cause)
        said = text
        return Effect.andThen(log, Effect.sleep(Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** (failures - 1))))
      })
    const good = Effect.suspend(() => {
      goodAt = clock.monotonicTimeNanosUnsafe()
      if (failures === 0) return Effect.void
      const before = failures
      failures = 0
      said = ""
      return Effect.logInfo(`${name} works again, after ${before} failed rounds`)
    })
    const turn = Effect.andThen(
      pause,
      Effect.flatMap(Effect.exit(round), (exit) => (Exit.isSuccess(exit) ? good : failed(exit.cause)))
    )

    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const loop: Loop = {
          name,
          get failures() {
            return failures
          },
          isLate: (now) => now - goodAt > patience
        }
        loops.add(loop)
        return loop
      }),
      (loop) => Effect.sync(() => loops.delete(loop))
    )
    yield* Effect.forkScoped(Effect.forever(turn))
  })

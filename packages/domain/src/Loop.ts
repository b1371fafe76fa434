import { Cause, Clock, Context, Duration, Effect, Exit, type Scope } from "effect"

/** What runs again and again for as long as the process lives. */
export interface LoopOptions {
  /** Said in the log and by `/ready`. */
  readonly name: string
  /** Between the end of a round and the start of the next. Default: none, for rounds that wait by themselves. */
  readonly every?: Duration.Input
  /** The loop is late when no round came to a good end for as long as this. An outage that a round expects and handles is a good end. */
  readonly late: Duration.Input
}

/** A loop that is under way. */
export interface Loop {
  readonly name: string
  /** How many rounds in a row failed. */
  readonly failures: number
  /** Whether no round has come to a good end in time; `now` is of the monotonic clock, in ns. */
  readonly isLate: (now: bigint) => boolean
}

/** The loops of this process. {@link repeat} enters them. */
export const Loops = Context.Reference<Set<Loop>>("@llm-saas/domain/Loops", { defaultValue: () => new Set() })

/** The names of the loops that are late just now: whoever asks whether the process can serve wants to know. */
export const lateLoops: Effect.Effect<ReadonlyArray<string>> = Effect.gen(function* () {
  const loops = yield* Loops
  const now = yield* Clock.monotonicTimeNanos
  return [...new Set([...loops].filter((loop) => loop.isLate(now)).map(({ name }) => name))]
})

/** After a round that failed: as long as this (ms) at first, doubled each time up to the second. */
const BACKOFF = { first: 250, most: 15_000 }

/**
 * Runs rounds in the background until the scope closes. A round that fails, by a defect too, ends neither the loop nor the process: its
 * cause is logged once, as is the next good round, and the loop goes on after a pause.
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
        return Effect.andThen(log, Effect.sleep(Math.min(BACKOFF.most, BACKOFF.first * 2 ** (failures - 1))))
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

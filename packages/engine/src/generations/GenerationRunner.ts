import { GenerationStore } from "@llm-saas/database/GenerationStore"
import type { Ending } from "@llm-saas/domain/Generation"
import { monotonicMillis, steadily } from "@llm-saas/domain/Time"
import { type Cause, Clock, Deferred, Effect, Exit, Fiber, Option, Schedule } from "effect"
import * as ChunkWriter from "./ChunkWriter.ts"
import { endedGeneration, type Price, type RunState } from "./GenerationRecord.ts"
import type { RunningGeneration, RunningGenerations } from "./RunningGeneration.ts"
import { type Completion, Llm, type LlmFailed, type Prompt } from "./Llm.ts"
import * as Telemetry from "./GenerationTelemetry.ts"

/**
 * Runs generations, each in a fiber of its own that belongs to the process: from the request to the provider until the end is stored.
 * See `GenerationOptions` for `graceMs`.
 */
export const make = Effect.fnUntraced(function* ({
  graceMs,
  leaseOwner,
  runningGenerations,
  price
}: {
  readonly leaseOwner: string
  readonly runningGenerations: RunningGenerations
  readonly graceMs: number
  readonly price: Price | undefined
}) {
  const store = yield* GenerationStore
  const llm = yield* Llm
  const clock = yield* Clock.Clock
  const fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  const chunkWriter = yield* ChunkWriter.keep(leaseOwner, runningGenerations)

  /** Stores the end; readers wait until the database has it. Returns the end that readers receive. */
  const finish = Effect.fnUntraced(function* (live: RunningGeneration, run: RunState, ending: Ending) {
    const { answer, end, record } = endedGeneration(live, run, ending, price)
    yield* chunkWriter.settled
    const from = monotonicMillis(clock)
    const finishing = Effect.tapError(store.finish(answer), () =>
      Effect.sync(() => {
        if (monotonicMillis(clock) - from > STALL_AFTER_MS) live.tokenLog.stall()
      })
    )
    const written = yield* steadily(Effect.retry(finishing, WRITE_RETRIES)).pipe(
      // A sweeper ends it with the text stored so far.
      Effect.catchCause((cause) => Effect.as(Effect.logError("an answer could not be written down", cause), false))
    )
    yield* Telemetry.observe(record, run.parent, run.moment())
    return written ? end : { ...end, ending: LOST }
  })

  /** Runs one generation. Never interrupted: it is asked to end, by its `stop`. */
  const generate = Effect.fnUntraced(function* (live: RunningGeneration, prompt: Prompt, run: RunState) {
    run.startedAt = run.moment()
    const emit = (piece: string) => live.push(piece, live.firstTokenAt ?? run.moment())
    const model = llm.generate(prompt, emit, live.tenantId)
    const exit = yield* Effect.exit(
      Effect.raceFirst(
        Effect.map(model, (completion): Outcome => ({ completion, ending: completed(completion) })),
        Effect.map(Deferred.await(live.stop), (ending): Outcome => ({ completion: undefined, ending }))
      )
    )
    const now = run.moment()
    run.modelEndedAt = now
    const outcome = Exit.isSuccess(exit) ? exit.value : yield* failed(exit)
    run.completion = outcome.completion
    return yield* finish(live, run, live.close(outcome.ending, now))
  })

  const begin = Effect.fnUntraced(function* (
    live: RunningGeneration,
    prompt: Prompt,
    run: RunState,
    leave: Effect.Effect<void>
  ) {
    runningGenerations.add(live)
    const fiber = yield* generate(live, prompt, run).pipe(
      // A bug of ours in one answer: its turn and its place are released all the same, and a sweeper ends its row.
      Effect.catchCause((cause) => Effect.as(Effect.logError("an answer died of a fault of ours", cause), undefined)),
      // A client that hears of the end may ask again at once, so the turn is released first.
      Effect.tap(() => leave),
      Effect.map((end) => {
        runningGenerations.remove(live)
        if (end === undefined) live.tokenLog.stall()
        else live.tokenLog.end(end)
      }),
      Effect.forkDetach
    )
    fibers.add(fiber)
    fiber.addObserver(() => fibers.delete(fiber))
  })

  /** A reader of the answer in this process. When the last one leaves before the end, the answer goes on for `graceMs`. */
  const attach = (live: RunningGeneration) =>
    Effect.acquireRelease(
      Effect.sync(() => void live.readers++),
      () =>
        Effect.suspend(() => {
          live.readers--
          return live.readers > 0 || live.tokenLog.ended !== undefined
            ? Effect.void
            : Effect.asVoid(Effect.forkDetach(Effect.catchCause(giveUp(live), noted)))
        })
    )

  const giveUp = Effect.fnUntraced(function* (live: RunningGeneration) {
    do {
      yield* Effect.sleep(graceMs)
      if (live.readers > 0 || live.tokenLog.ended !== undefined) return
      // The reader may have moved to another process.
      yield* chunkWriter.renew
    } while (live.followedUntil > monotonicMillis(clock))
    if (live.readers === 0) live.end({ status: "cancelled" })
  })

  const idle = Effect.suspend(() =>
    Effect.forEach([...fibers], Fiber.await, { concurrency: "unbounded", discard: true })
  )
  const stopAll = Effect.suspend(() => {
    for (const live of runningGenerations.all()) live.end({ status: "interrupted", failure: "shutdown" })
    return idle
  })
  // Before the pool is closed: what was generated is stored.
  yield* Effect.addFinalizer(() => Effect.asVoid(Effect.timeoutOption(stopAll, SHUTDOWN_WRITE_MS)))

  return { begin, attach, idle, stopAll }
})

/** What {@link make} makes. */
export type GenerationRunner = Effect.Success<ReturnType<typeof make>>

/** How long (ms) a shutdown waits for the database to take the last rows; another process's sweeper ends the rest. */
const SHUTDOWN_WRITE_MS = 5000

/** After this long (ms), a client that waits for the whole answer is told to come back, if the database does not take its end. */
const STALL_AFTER_MS = 8000

/** A row that cannot be written now is retried for ten minutes: longer than a database takes to restart or fail over. */
const WRITE_RETRIES = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("2 seconds")]).pipe(
  Schedule.jittered,
  Schedule.upTo({ duration: "10 minutes" })
)

const noted = (cause: Cause.Cause<never>) => Effect.logError("an answer without readers could not be given up", cause)

const LOST: Ending = { status: "interrupted", failure: "process_lost" }

interface Outcome {
  readonly completion: Completion | undefined
  readonly ending: Ending
}

const completed = ({ finishReason }: Completion): Ending => ({ status: "completed", finishReason })

const failed = (exit: Exit.Failure<unknown, LlmFailed>): Effect.Effect<Outcome> => {
  const error = Exit.findErrorOption(exit)
  if (Option.isSome(error)) {
    const { reason, retryAfter, usage } = error.value
    // Counted tokens are paid for, even if the answer failed.
    const completion: Completion | undefined =
      usage === undefined ? undefined : { finishReason: "other", usage, model: undefined }
    return Effect.succeed({ completion, ending: { status: "failed", failure: reason, retryAfter } })
  }
  return Effect.as(Effect.logError("a model's provider failed for a reason of ours", exit.cause), {
    completion: undefined,
    ending: { status: "failed", failure: "internal" }
  })
}

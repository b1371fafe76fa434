import type { Ending } from "@llm-saas/domain/Generation"
import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import { Effect, Exit, Fiber, Option } from "effect"
import * as ChunkWriter from "./ChunkWriter.ts"
import * as EndWriter from "./EndWriter.ts"
import type { RunState } from "./GenerationRecord.ts"
import * as GracePeriod from "./GracePeriod.ts"
import type { RunningGeneration, RunningGenerations } from "./RunningGeneration.ts"
import type { Asking, Completion, LlmFailed } from "./Llm.ts"

/** One call of a model: its answer goes out piece by piece, or is kept by the caller. */
export type ModelCall = (emit: (piece: ModelPiece) => void, asking: Asking) => Effect.Effect<Completion, LlmFailed>

/**
 * Runs generations, each in a fiber of its own that belongs to the process: from the request to the provider until the end is stored.
 * See `GenerationOptions` for `graceMs`.
 */
export const make = Effect.fnUntraced(function* ({
  graceMs,
  leaseOwner,
  runningGenerations
}: {
  readonly leaseOwner: string
  readonly runningGenerations: RunningGenerations
  readonly graceMs: number
}) {
  const fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  const chunkWriter = yield* ChunkWriter.keep(leaseOwner, runningGenerations)
  const finish = yield* EndWriter.make({ chunksSettled: chunkWriter.settled })
  const attach = yield* GracePeriod.make({ graceMs, renewLeases: chunkWriter.renew })

  /** Runs one generation. Never interrupted: it is asked to end, by its `stop`. */
  const generate = Effect.fnUntraced(function* (live: RunningGeneration, call: ModelCall, run: RunState) {
    run.startedAt = run.moment()
    const emit = (piece: ModelPiece) => live.push(piece, live.firstTokenAt ?? run.moment())
    const model = call(emit, {
      partition: live.tenantId,
      keyFor: run.keyFor,
      attempt: (attempt) => void run.attempts.push(attempt),
      moment: run.moment
    })
    const exit = yield* Effect.exit(
      unlessStopped(
        live,
        Effect.map(model, (completion): Outcome => ({ completion, ending: completed(completion) }))
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
    call: ModelCall,
    run: RunState,
    leave: Effect.Effect<void>
  ) {
    runningGenerations.add(live)
    const fiber = yield* generate(live, call, run).pipe(
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

interface Outcome {
  readonly completion: Completion | undefined
  readonly ending: Ending
}

/**
 * What the model does, or the ending that was asked for before: then the model is interrupted, and waited for. As a race, with one fiber in place
 * of two: 3 µs instead of 9.
 */
const unlessStopped = (
  live: RunningGeneration,
  model: Effect.Effect<Outcome, LlmFailed>
): Effect.Effect<Outcome, LlmFailed> =>
  Effect.flatMap(Effect.forkDetach(model, { startImmediately: true }), (fiber) => {
    const first = Effect.callback<Outcome, LlmFailed>((resume) => {
      fiber.addObserver(resume)
      live.whenAsked((ending) => resume(Effect.succeed({ completion: undefined, ending })))
    })
    return Effect.onExitPrimitive(first, () => (fiber.pollUnsafe() === undefined ? Fiber.interrupt(fiber) : undefined))
  })

const completed = ({ finishReason }: Completion): Ending => ({ status: "completed", finishReason })

const failed = (exit: Exit.Failure<unknown, LlmFailed>): Effect.Effect<Outcome> => {
  const error = Exit.findErrorOption(exit)
  if (Option.isSome(error)) {
    const { reason, retryAfter, said, usage } = error.value
    // Counted tokens are paid for, even if the answer failed.
    const completion: Completion | undefined =
      usage === undefined ? undefined : { finishReason: "other", usage, model: undefined }
    return Effect.succeed({ completion, ending: { status: "failed", failure: reason, retryAfter, said } })
  }
  return Effect.as(Effect.logError("a model's provider failed for a reason of ours", exit.cause), {
    completion: undefined,
    ending: { status: "failed", failure: "internal" }
  })
}

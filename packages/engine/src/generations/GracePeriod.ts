import { held } from "@llm-saas/domain/Held"
import { monotonicMillis } from "@llm-saas/domain/Time"
import { type Cause, Clock, Effect } from "effect"
import type { RunningGeneration } from "./RunningGeneration.ts"

/**
 * A reader of an answer in this process. When the last one leaves before the end, the answer goes on for `graceMs`, and is then cancelled,
 * unless it was asked in the background.
 * `renewLeases` asks the database whether a reader at another process follows it.
 */
export const make = Effect.fnUntraced(function* ({
  graceMs,
  renewLeases
}: {
  readonly graceMs: number
  readonly renewLeases: Effect.Effect<unknown>
}) {
  const clock = yield* Clock.Clock

  const giveUp = Effect.fnUntraced(function* (live: RunningGeneration) {
    do {
      yield* Effect.sleep(graceMs)
      if (live.readers > 0 || live.tokenLog.ended !== undefined) return
      // The reader may have moved to another process.
      yield* renewLeases
    } while (live.followedUntil > monotonicMillis(clock))
    if (live.readers === 0) live.end({ status: "cancelled" })
  })

  return (live: RunningGeneration) =>
    held(
      Effect.sync(() => void live.readers++),
      () =>
        Effect.suspend(() => {
          live.readers--
          return live.background || live.readers > 0 || live.tokenLog.ended !== undefined
            ? Effect.void
            : Effect.asVoid(Effect.forkDetach(Effect.catchCause(giveUp(live), noted)))
        })
    )
})

const noted = (cause: Cause.Cause<never>) => Effect.logError("an answer without readers could not be given up", cause)

import type { InvalidRequest } from "@llm-saas/api/Failures"
import type { StreamEvent } from "@llm-saas/api/StreamEvent"
import { failureOf, type GenerationFailed } from "@llm-saas/domain/Generation"
import type { Asked } from "@llm-saas/engine/generations/Generations"
import type { TokenSource } from "@llm-saas/engine/generations/TokenLog"
import { Array as Arr, Cause, Effect, type Pull, type Scope, Stream } from "effect"
import { invalid } from "../../http/Decoding.ts"
import { openStream } from "../../metrics/OpenStreams.ts"
import { beyond, type Position, remaining } from "../../sse/LastEvent.ts"
import { endOf, eventOf, startOf, usageOf } from "../../sse/StreamEvents.ts"

/** Tokens per piece: a reader that is behind catches up by many at a time, and no piece is large. */
const PIECE = 256

type Events = Arr.NonEmptyReadonlyArray<StreamEvent>

/**
 * An answer for its reader, after its position: what exists at once, and the rest as it comes. Nothing is queued: each piece is read
 * from the answer's token log when it is requested. Reading ends with the stream.
 */
export const reading = <E, R>(
  answer: Effect.Effect<Asked, E, R>,
  { path, seq }: Position
): Stream.Stream<StreamEvent, E | GenerationFailed | InvalidRequest, Exclude<R, Scope.Scope>> =>
  Stream.unwrap(
    Effect.andThen(
      openStream,
      Effect.map(answer, (asked) => eventsOf(asked, seq, path))
    )
  )

const eventsOf = (
  asked: Asked,
  seq: number,
  path: Position["path"]
): Stream.Stream<StreamEvent, GenerationFailed | InvalidRequest> =>
  Stream.fromPull(
    Effect.sync(() => {
      const { tokenLog } = asked
      let at = seq
      let said: "nothing" | "start" | "end" = "nothing"
      const next: Pull.Pull<Events, GenerationFailed | InvalidRequest> = Effect.suspend(() => {
        if (said === "nothing") {
          said = "start"
          return Effect.succeed<Events>([startOf(asked)])
        }
        if (at < tokenLog.seq) {
          const piece: Array<StreamEvent> = []
          while (at < tokenLog.seq && piece.length < PIECE) {
            const event = eventOf(++at, tokenLog.token(at))
            if (event !== undefined) piece.push(event)
          }
          return Arr.isArrayNonEmpty(piece) ? Effect.succeed<Events>(piece) : next
        }
        if (tokenLog.ended === undefined) return Effect.andThen(more(tokenLog, at), next)
        if (said === "end") return Cause.done()
        said = "end"
        if (remaining(tokenLog, at) === "beyond") return Effect.fail(invalid([beyond(tokenLog, path)]))
        const failure = failureOf(tokenLog.ended.ending, asked.generationId, asked.replayed)
        if (failure !== undefined) return Effect.fail(failure)
        return Effect.succeed<Events>([usageOf(tokenLog.ended.message), endOf(tokenLog.ended.message, tokenLog.seq)])
      })
      return next
    })
  )

/** Waits until there are more than `seq` tokens, or the answer has ended. */
const more = (tokenLog: TokenSource, seq: number): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const look = () => {
      if (tokenLog.seq <= seq && tokenLog.ended === undefined) return
      unsubscribe()
      resume(Effect.void)
    }
    const unsubscribe = tokenLog.subscribe(look)
    look()
    return Effect.sync(unsubscribe)
  })

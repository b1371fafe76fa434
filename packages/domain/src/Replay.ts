import { Context, Effect } from "effect"

/** Whether the current answer repeats an earlier one, because the request has its Idempotency-Key. Set while the answer is made. */
export interface Replay {
  replayed: boolean
}

/** The current request's record; outside of a request, one that is not read. */
export const CurrentReplay = Context.Reference<Replay>("@llm-saas/domain/CurrentReplay", {
  defaultValue: () => ({ replayed: false })
})

/** Records that the answer repeats an earlier one. */
export const noteReplay: Effect.Effect<void> = Effect.map(CurrentReplay, (replay) => {
  replay.replayed = true
})

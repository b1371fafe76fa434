import { Context, Effect } from "effect"

/** Whether the answer under way is an earlier one, given again because the request came with its Idempotency-Key. Noted while it is made. */
export interface Replay {
  replayed: boolean
}

/** The answer under way; outside of a request, one that is not looked at. */
export const CurrentReplay = Context.Reference<Replay>("@llm-saas/domain/CurrentReplay", {
  defaultValue: () => ({ replayed: false })
})

/** Notes that the answer is an earlier one. */
export const noteReplay: Effect.Effect<void> = Effect.map(CurrentReplay, (replay) => {
  replay.replayed = true
})

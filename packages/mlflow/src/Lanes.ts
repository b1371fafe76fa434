import type { MlflowFailed } from "./MlflowFailed.ts"

// What the lanes of this process know of the tracker, as a state machine. `nextRound` gives a lane's next round, `evolve` the state after
// an event. Every lane causes events.
//
// | state     | `open`    | reached                                  | rounds                                                      |
// |-----------|-----------|------------------------------------------|-------------------------------------------------------------|
// | unknown   | undefined | at the start                             | the first lane opens the tracker, the others wait           |
// | outage    | false     | by a failure of the whole tracker        | all wait until `resumeAt`; then the first lane opens it     |
// | probation | true      | by opening it, if it answered before too | the first lane sends one record, the others wait            |
// | open      | true      | by records sent, or by opening it        | the first lane claims; the others too while there is enough |

/** The state that the lanes share. */
export interface Lanes {
  /** Whether the tracker answers; undefined before the first check. */
  readonly open: boolean | undefined
  /** Outages of the whole tracker in a row, without a record sent between them. */
  readonly troubles: number
  /** The reason of the last of them. */
  readonly trouble: MlflowFailed["reason"] | undefined
  /** When (ms, monotonic) the next attempt is due. */
  readonly resumeAt: number
  /** Whether there were more records than the first lane could claim. */
  readonly busy: boolean
}

/** What a lane does in its next round. */
export type Round =
  | { readonly round: "wait"; readonly milliseconds: number }
  | { readonly round: "open" }
  | { readonly round: "send"; readonly limit: number }

/** What can happen in a round. */
export type LaneEvent =
  | { readonly event: "opened" }
  /** The first lane claimed records: `full`: as many as it asked for. */
  | { readonly event: "claimed"; readonly full: boolean }
  | { readonly event: "sent" }
  /** The whole tracker is not available. `waitMs`: the pause before the next attempt. */
  | { readonly event: "failed"; readonly reason: MlflowFailed["reason"]; readonly now: number; readonly waitMs: number }

/** Records a lane claims at a time: one round trip to the database before them, and one after. */
const AT_A_TIME = 4
/** Pause before the next query after one without records. */
export const IDLE_MS = 1000

/** The state at the start. */
export const START: Lanes = {
  open: undefined,
  troubles: 0,
  trouble: undefined,
  resumeAt: Number.NEGATIVE_INFINITY,
  busy: false
}

/** The next round of a lane at `now` (ms, monotonic). Only the first lane queries an empty outbox, and tries the tracker after an outage. */
export const nextRound = ({ busy, open, resumeAt, troubles }: Lanes, isFirst: boolean, now: number): Round => {
  if (now < resumeAt) return { round: "wait", milliseconds: resumeAt - now }
  if (!isFirst && (!busy || troubles > 0 || open !== true)) return { round: "wait", milliseconds: IDLE_MS / 4 }
  return open === true ? { round: "send", limit: troubles > 0 ? 1 : AT_A_TIME } : { round: "open" }
}

/** The state after an event. */
export const evolve = (lanes: Lanes, event: LaneEvent): Lanes => {
  switch (event.event) {
    case "opened":
      return { ...(isNews(lanes) ? recovered(lanes) : lanes), open: true }
    case "claimed":
      return { ...lanes, busy: event.full }
    case "sent":
      return recovered(lanes)
    case "failed":
      return {
        ...lanes,
        open: false,
        troubles: lanes.troubles + 1,
        trouble: event.reason,
        resumeAt: event.now + event.waitMs
      }
  }
}

const recovered = (lanes: Lanes): Lanes => ({ ...lanes, trouble: undefined, troubles: 0 })

/** Whether it is news that the tracker answers. After other troubles only a record that was sent shows that they are over. */
export const isNews = ({ open, trouble }: Lanes): boolean => open === undefined || trouble === "unreachable"

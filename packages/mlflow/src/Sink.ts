import type { Progress, TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import type { Outside } from "@llm-saas/domain/Outside"
import { Context, type Effect } from "effect"
import type { MlflowFailed } from "./MlflowFailed.ts"

/** How far a record came, and what stopped it there. */
export interface Sent {
  readonly progress: Progress
  /** Part of it may have arrived without an answer: whoever goes on looks first. */
  readonly unsure: boolean
  /** Undefined: all of it arrived. */
  readonly failure: MlflowFailed | undefined
}

/** Where records go. */
export class Sink extends Context.Service<
  Sink,
  {
    /** Who it is and where, for people: `MLflow at http://…`. */
    readonly name: string
    /** Finds out whether it is there and what it can do; answers its version, if it has one. Asked again whenever it was away. */
    readonly open: Effect.Effect<string, MlflowFailed>
    /** What to tell people who have none. */
    readonly advice: string
    /**
     * Sends what a record still lacks. Creates nothing after `until` (ms, monotonic): the claim may be somebody else's by then.
     */
    readonly send: (record: TrackingRecord, until: number) => Effect.Effect<Sent>
    /** When (ms, monotonic) it last did what it was asked. */
    readonly workedAt: () => number
  }
>()("@llm-saas/mlflow/Sink") {
  declare readonly outside: Outside["outside"]
}

import type { Progress, TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import type { Outside } from "@llm-saas/domain/Outside"
import { Context, type Effect } from "effect"
import type { MlflowFailed } from "./MlflowFailed.ts"

/** The progress of a record, and the failure that stopped it. */
export interface Sent {
  readonly progress: Progress
  /** Part of it may have arrived without an answer: the next attempt searches for it first. */
  readonly unsure: boolean
  /** Undefined: all of it arrived. */
  readonly failure: MlflowFailed | undefined
}

/** A destination of records. */
export class Sink extends Context.Service<
  Sink,
  {
    /** Its name and address, for the log: `MLflow at http://…`. */
    readonly name: string
    /** Checks that it is available and what it supports; gives its version, or "". Repeated after every outage. */
    readonly open: Effect.Effect<string, MlflowFailed>
    /** How to get one, for the log. */
    readonly advice: string
    /** Sends the missing parts of a record. Creates nothing after `until` (ms, monotonic): another process may have the claim by then. */
    readonly send: (record: TrackingRecord, until: number) => Effect.Effect<Sent>
    /** When (ms, monotonic) a call last succeeded. */
    readonly workedAt: () => number
  }
>()("@llm-saas/mlflow/Sink") {
  declare readonly outside: Outside["outside"]
}

import type { Effect, Redacted } from "effect"
import type { AttemptRecord } from "../Provider.ts"

/** Who asks, beside the request. */
export interface Asking {
  /** The tenant: failure counts are kept by it. */
  readonly partition: string
  /** The tenant's own key of a provider, for a model as clients name it. Undefined: it has none. */
  readonly keyFor?:
    | ((provider: string, model: string) => Effect.Effect<Redacted.Redacted | "unusable" | undefined>)
    | undefined
  /** Called when a request to an upstream begins. The record is completed in place. */
  readonly attempt: (started: AttemptRecord) => void
  /** Milliseconds since 1970. */
  readonly moment: () => number
}

import type { FailureReason } from "./Generation.ts"
import type { Pricing } from "./Pricing.ts"
import type { Usage, UsageDetails } from "./Usage.ts"

/** Whose key pays a provider: the installation's, or the tenant's own. */
export type KeySource = "installation" | "tenant"

/** One call of a provider, completed in place while it goes on. Times are in milliseconds since 1970. */
export interface Attempt {
  /** The provider's name in the configuration. */
  readonly provider: string
  /** The model as the provider knows it. */
  readonly model: string
  readonly keySource: KeySource
  /** Undefined: it has no price. */
  readonly pricing?: Pricing | undefined
  readonly startedAt: number
  /** When the first piece came. */
  firstAt?: number | undefined
  /** Undefined while it goes on. */
  endedAt?: number | undefined
  /** The HTTP status, where there was one. */
  status?: number | undefined
  /** Undefined: it did not fail. */
  failure?: FailureReason | undefined
  /** The provider's id of the answer. */
  upstreamId?: string | undefined
  /** The model that answered, as the provider names it. */
  responseModel?: string | undefined
  usage?: Usage | undefined
  /** How the provider says it served it, where it says so: `flex`, `priority`. It has a price of its own. */
  serviceTier?: string | undefined
}

/** A call in the database's spelling: the columns of `app.attempts` that the program writes. */
export interface AttemptRow {
  readonly number: number
  readonly provider: string
  readonly model: string
  readonly key_source: KeySource
  readonly response_model: string | null
  readonly upstream_id: string | null
  readonly http_status: number | null
  readonly failure: string | null
  readonly tokens_in: number | null
  readonly tokens_out: number | null
  readonly usage: UsageDetails | null
  readonly started_at: number
  readonly first_token_at: number | null
  readonly ended_at: number | null
}

/** The `index`th call of an answer, from 0, as a row. `endedAt`: when the answer ended, for a call that it ended with. */
export const attemptRow = (attempt: Attempt, index: number, endedAt: number): AttemptRow => ({
  number: index + 1,
  provider: attempt.provider,
  model: attempt.model,
  key_source: attempt.keySource,
  response_model: attempt.responseModel ?? null,
  upstream_id: attempt.upstreamId ?? null,
  http_status: attempt.status ?? null,
  failure: attempt.failure ?? null,
  tokens_in: attempt.usage?.input ?? null,
  tokens_out: attempt.usage?.output ?? null,
  usage: attempt.usage?.details ?? null,
  started_at: attempt.startedAt,
  first_token_at: attempt.firstAt ?? null,
  ended_at: attempt.endedAt ?? endedAt
})

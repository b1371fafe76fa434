import type { ClientNetwork } from "../config/ClientNetworks.ts"
import { FailureCounts } from "./FailureCounts.ts"
import { WIDER } from "./LoginThrottle.ts"

/**
 * Limits how often one address may do something, successful or not: a number per window, which leaks away. An IPv6 /64 counts as one
 * address, and a /48 as ten.
 */
export class AddressLimit {
  readonly #limit: number
  readonly #counts: FailureCounts

  constructor({ limit, windowMs }: { readonly limit: number; readonly windowMs: number }) {
    this.#limit = limit
    this.#counts = new FailureCounts({ windowMs, capacity: 50_000 })
  }

  /** Counts one more. Returns undefined if it is allowed, else the time (ms) until it is. `now` is on the monotonic clock, in ms. */
  take({ narrow, wide }: ClientNetwork, now: number): number | undefined {
    const places = [
      { key: narrow, limit: this.#limit },
      ...(wide === undefined ? [] : [{ key: wide, limit: this.#limit * WIDER }])
    ]
    const attempt = this.#counts.attempt(places, now)
    if ("waitMs" in attempt) return attempt.waitMs
    attempt.end(true, now)
    return undefined
  }
}

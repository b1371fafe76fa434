import type { ClientNetwork } from "../config/ClientNetworks.ts"
import { FailureCounts } from "./FailureCounts.ts"
import { WIDER } from "./LoginThrottle.ts"

/** Keys or tokens of an address that did not work: an IPv6 /64 is one address, and a /48 ten. Counted by each process. */
export class AddressFailures {
  readonly #counts: FailureCounts
  readonly #limit: number

  constructor(windowMs: number, limit: number) {
    this.#counts = new FailureCounts({ windowMs, capacity: 50_000 })
    this.#limit = limit
  }

  /** Milliseconds until one may be tried; undefined: now. */
  wait(network: ClientNetwork, now: number): number | undefined {
    const attempt = this.#counts.attempt(this.#places(network), now)
    if ("waitMs" in attempt) return attempt.waitMs
    attempt.end(false, now)
    return undefined
  }

  /** Of many that were tried at once, those beyond the limit are not counted. */
  add(network: ClientNetwork, now: number): void {
    const attempt = this.#counts.attempt(this.#places(network), now)
    if ("end" in attempt) attempt.end(true, now)
  }

  #places({ narrow, wide }: ClientNetwork) {
    return [
      { key: narrow, limit: this.#limit },
      ...(wide === undefined ? [] : [{ key: wide, limit: this.#limit * WIDER }])
    ]
  }
}

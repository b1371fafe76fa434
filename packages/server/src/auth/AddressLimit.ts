import type { PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import { TooManyRequests, type Unavailable } from "@llm-saas/domain/Refusal"
import { monotonicMillis } from "@llm-saas/domain/Time"
import { Clock, Effect, Redacted } from "effect"
import { createHmac } from "node:crypto"
import type { ClientNetwork } from "../config/ClientNetworks.ts"
import { AgingMap } from "./AgingMap.ts"
import { WIDER } from "./LoginThrottle.ts"

interface AddressLimitOptions {
  /** What is counted. */
  readonly name: string
  /** So often in a window. */
  readonly limit: number
  readonly windowMs: number
  readonly secret: Redacted.Redacted
  readonly access: Pick<PreTenantAccess["Service"], "countAttempt">
}

/** The refusals that are remembered. */
const CAPACITY = 50_000

/**
 * Limits how often one address may do something, successful or not: a number per window, which leaks away, counted in the database for all
 * processes together. An IPv6 /64 counts as one address, and a /48 as ten. A refused address is refused without the database until it has
 * room again.
 */
export class AddressLimit {
  readonly #options: AddressLimitOptions
  /** Until when (ms, monotonic) an address is refused. */
  readonly #refused: AgingMap<string, number>

  constructor(options: AddressLimitOptions) {
    this.#options = options
    this.#refused = new AgingMap({ lifetimeMs: options.windowMs, capacity: CAPACITY })
  }

  /** Counts one more, or refuses. */
  count({ narrow, wide }: ClientNetwork): Effect.Effect<void, TooManyRequests | Unavailable> {
    const { access, limit, windowMs } = this.#options
    return Clock.clockWith((clock) => {
      const now = monotonicMillis(clock)
      const until = this.#refused.get(narrow) ?? 0
      if (until > now) return refuse(until - now)
      const places = [
        { key: this.#key(narrow), limit },
        ...(wide === undefined ? [] : [{ key: this.#key(wide), limit: limit * WIDER }])
      ]
      return Effect.flatMap(access.countAttempt(places, windowMs), (waitMs) => {
        if (waitMs === 0) return Effect.void
        const then = monotonicMillis(clock)
        this.#refused.set(narrow, then + waitMs, then)
        return refuse(waitMs)
      })
    })
  }

  #key(address: string): string {
    const { name, secret } = this.#options
    return createHmac("sha256", Redacted.value(secret)).update(`address ${name} ${address}`).digest("base64url")
  }
}

const refuse = (waitMs: number) => Effect.fail(new TooManyRequests({ retry_after: Math.ceil(waitMs / 1000) }))

import { AgingMap } from "./AgingMap.ts"

/** How often a key may fail. */
export interface Allowance {
  readonly key: string
  /** Failures allowed at once, attempts under way included. */
  readonly limit: number
  /** Failures that leak away per window. Default: `limit`. */
  readonly leak?: number
}

/** An allowed attempt, whose outcome `end` records; or the time until one is allowed. */
export type Attempt = { readonly end: (failed: boolean, now: number) => void } | { readonly waitMs: number }

interface Count {
  /** Failures that have not leaked away at the time `at` (ms). */
  level: number
  at: number
  leak: number
  underWay: number
}

/** The shortest wait (ms): for attempts under way, whose end is unknown. */
const SOON_MS = 1000
/** Failures: tolerance for sums of fractions. */
const ROUNDING = 1e-6

/**
 * Failures as leaky buckets: each failure fills a bucket, and a full one is empty after one window. Memory is bounded: an idle bucket is
 * empty after a window and forgotten without a search, and there are at most 2 × `capacity`. Only attempts that were let through create
 * one, each at the cost of a look in the database.
 */
export class FailureCounts {
  readonly #windowMs: number
  readonly #counts: AgingMap<string, Count>

  constructor(options: { readonly windowMs: number; readonly capacity: number }) {
    this.#windowMs = options.windowMs
    this.#counts = new AgingMap({ lifetimeMs: options.windowMs, capacity: options.capacity })
  }

  get size(): number {
    return this.#counts.size
  }

  /** Failures of `key` that have not leaked away. */
  level(key: string, now: number): number {
    const count = this.#counts.get(key)
    return count === undefined ? 0 : this.#leaked(count, now)
  }

  /** Lets an attempt through if none of its keys has reached its limit. */
  attempt(allowances: ReadonlyArray<Allowance>, now: number): Attempt {
    const waitMs = Math.max(...allowances.map((allowance) => this.#wait(allowance, now)))
    if (waitMs > 0) return { waitMs }
    const counts = allowances.map(({ key, leak, limit }) => {
      const count = this.#counts.get(key) ?? { level: 0, at: now, leak: leak ?? limit, underWay: 0 }
      count.underWay++
      this.#counts.set(key, count, now)
      return { key, count }
    })
    return {
      end: (failed, then) => {
        for (const { count, key } of counts) {
          count.underWay--
          if (!failed) continue
          count.level = this.#leaked(count, then) + 1
          count.at = then
          this.#counts.set(key, count, then)
        }
      }
    }
  }

  #wait({ key, leak, limit }: Allowance, now: number): number {
    const count = this.#counts.get(key)
    if (count === undefined) return 0
    const perWindow = leak ?? limit
    // The limit may have been lowered since: what exceeds it counts as full, so that no client waits longer than one window.
    count.level = Math.min(this.#leaked(count, now), limit, 2 * perWindow)
    count.at = now
    count.leak = perWindow
    const excess = count.level + 1 - limit
    if (excess > ROUNDING) return Math.max(SOON_MS, (excess * this.#windowMs) / perWindow)
    return excess + count.underWay > ROUNDING ? SOON_MS : 0
  }

  #leaked(count: Count, now: number): number {
    return Math.max(0, count.level - ((now - count.at) * count.leak) / this.#windowMs)
  }
}

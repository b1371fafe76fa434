import { AgingMap } from "./AgingMap.ts"

/** How often a key may fail. */
export interface Allowance {
  readonly key: string
  /** Failures allowed at once, attempts under way included. */
  readonly limit: number
  /** Failures that leak away in a window; `limit`, unless it says otherwise. */
  readonly leak?: number
}

/** An attempt that may go on: `end` says how it came out. Or else the time (ms) until one may. */
export type Attempt = { readonly end: (failed: boolean, now: number) => void } | { readonly wait: number }

interface Count {
  /** Failures that have not leaked away at the time `at` (ms). */
  level: number
  at: number
  leak: number
  underWay: number
}

/** The shortest time (ms) to wait: for attempts under way, whose end nobody knows. */
const SOON = 1000
/** Failures: what sums of fractions may be off by. */
const ROUNDING = 1e-6

/**
 * Failures as leaky buckets: each fills one, and a full bucket is empty again after one window. Memory is bounded: a bucket that is
 * left alone for a window is empty, and is forgotten without being looked for; and there are at most 2 × `capacity`. Only attempts
 * that were let through make one, each at the price of a password hash, so pushing out a bucket takes longer than waiting for it.
 */
export class FailureCounts {
  readonly #window: number
  readonly #counts: AgingMap<string, Count>

  constructor(options: { readonly window: number; readonly capacity: number }) {
    this.#window = options.window
    this.#counts = new AgingMap({ lifetime: options.window, capacity: options.capacity })
  }

  get size(): number {
    return this.#counts.size
  }

  /** Failures of `key` that have not leaked away. */
  level(key: string, now: number): number {
    const count = this.#counts.get(key)
    return count === undefined ? 0 : this.#leaked(count, now)
  }

  /** Lets an attempt through if every one of its keys has one left. */
  attempt(allowances: ReadonlyArray<Allowance>, now: number): Attempt {
    const wait = Math.max(...allowances.map((allowance) => this.#wait(allowance, now)))
    if (wait > 0) return { wait }
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
    // A limit may have sunk since: what lies above it counts as full, so that nobody waits longer than one window.
    count.level = Math.min(this.#leaked(count, now), limit, 2 * perWindow)
    count.at = now
    count.leak = perWindow
    const excess = count.level + 1 - limit
    if (excess > ROUNDING) return Math.max(SOON, (excess * this.#window) / perWindow)
    return excess + count.underWay > ROUNDING ? SOON : 0
  }

  #leaked(count: Count, now: number): number {
    return Math.max(0, count.level - ((now - count.at) * count.leak) / this.#window)
  }
}

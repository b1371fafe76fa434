import { AgingMap } from "./AgingMap.ts"

/** Something that logins count for. */
export interface Place {
  readonly key: string
  /** Failures allowed, logins under way included. */
  readonly limit: number
}

/** The wait (ms) for a login under way, whose end is unknown. */
const SOON_MS = 1000

/**
 * Logins that this process refuses without the database, because the database would: so one client, however fast, is soon refused at no
 * cost to others. Refused is what is certain to be full until a known time, and what has as many logins under way in this process alone
 * as may be under way in all.
 */
export class LocalRefusals {
  readonly #full: AgingMap<string, number>
  readonly #underWay = new Map<string, number>()

  constructor(options: { readonly windowMs: number; readonly capacity: number }) {
    this.#full = new AgingMap({ lifetimeMs: options.windowMs, capacity: options.capacity })
  }

  /** Begins a login and returns 0, or returns how long (ms) to wait. `now` is on the monotonic clock, in ms. */
  begin(places: ReadonlyArray<Place>, now: number): number {
    const wait = Math.max(...places.map((place) => this.#wait(place, now)))
    if (wait > 0) return wait
    for (const { key } of places) this.#underWay.set(key, (this.#underWay.get(key) ?? 0) + 1)
    return 0
  }

  /** Ends a login that began. */
  end(places: ReadonlyArray<Place>): void {
    for (const { key } of places) {
      const left = (this.#underWay.get(key) ?? 0) - 1
      if (left > 0) this.#underWay.set(key, left)
      else this.#underWay.delete(key)
    }
  }

  /** The database said that there is no room for `waitMs`. */
  full({ key }: Place, waitMs: number, now: number): void {
    this.#full.set(key, now + waitMs, now)
  }

  #wait({ key, limit }: Place, now: number): number {
    const full = (this.#full.get(key) ?? 0) - now
    if (full > 0) return full
    return (this.#underWay.get(key) ?? 0) >= limit ? SOON_MS : 0
  }
}

/**
 * Keeps entries for a limited time, in bounded memory and without a timer: two halves, the younger and the older. An entry lasts at least
 * `lifetimeMs` and at most twice as long, unless more than `capacity` others are added meanwhile: then the older half is dropped. Both
 * operations cost as much as a Map's; nothing is sorted or swept.
 */
export class AgingMap<K, V> {
  #young = new Map<K, V>()
  #old = new Map<K, V>()
  #bornAt = Number.NEGATIVE_INFINITY
  readonly #lifetimeMs: number
  readonly #capacity: number

  constructor(options: { readonly lifetimeMs: number; readonly capacity: number }) {
    this.#lifetimeMs = options.lifetimeMs
    this.#capacity = options.capacity
  }

  /** Entries in both halves: at most 2 × `capacity`. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  get(key: K): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key)
  }

  /** Keeps the entry from `now` (ms) on; an entry that was there starts anew. */
  set(key: K, value: V, now: number): void {
    if (now - this.#bornAt >= this.#lifetimeMs || this.#young.size >= this.#capacity) {
      // A half to which nothing was added for two lifetimes has expired.
      this.#old = now - this.#bornAt >= 2 * this.#lifetimeMs ? new Map() : this.#young
      this.#young = new Map()
      this.#bornAt = now
    }
    this.#old.delete(key)
    this.#young.set(key, value)
  }
}

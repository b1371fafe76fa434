/**
 * Remembers entries for a while, in bounded memory and without a timer: two halves, the younger and the older. What was set lasts at
 * least `lifetime` ms and at most twice as long, unless more than `capacity` others came in between: then the older half goes first.
 * Both operations are a Map's; nothing is sorted and nothing is swept.
 */
export class AgingMap<K, V> {
  #young = new Map<K, V>()
  #old = new Map<K, V>()
  #bornAt = Number.NEGATIVE_INFINITY
  readonly #lifetime: number
  readonly #capacity: number

  constructor(options: { readonly lifetime: number; readonly capacity: number }) {
    this.#lifetime = options.lifetime
    this.#capacity = options.capacity
  }

  /** Entries held, of both halves: 2 × capacity at most. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  get(key: K): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key)
  }

  /** Remembers the entry from `now` (ms) on, again if it was there before. */
  set(key: K, value: V, now: number): void {
    if (now - this.#bornAt >= this.#lifetime || this.#young.size >= this.#capacity) {
      // A half nobody added to for two lifetimes has nothing left to say.
      this.#old = now - this.#bornAt >= 2 * this.#lifetime ? new Map() : this.#young
      this.#young = new Map()
      this.#bornAt = now
    }
    this.#old.delete(key)
    this.#young.set(key, value)
  }
}

interface Entry<A> {
  readonly item: A
  readonly flows: ReadonlyArray<string>
  readonly turn: number
}

/**
 * A bounded queue that is fair between flows (start-time fair queueing): each item belongs to several, such as a client and a tenant, and
 * its turn is one after the last waiting item of each. So a flow with a thousand items waits for itself, and a flow with none waiting is
 * next. When the queue is full, the item with the latest turn is dropped: a flood pushes out its own items.
 *
 * An idle flow costs nothing. Adding and taking look at every entry, of which there are at most `capacity`.
 */
export class FairQueue<A> {
  readonly #capacity: number
  /** In order of arrival. */
  readonly #entries: Array<Entry<A>> = []
  /** The turn that was taken last. */
  #now = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#entries.length
  }

  /** Adds an item. Returns the item that no longer has a place, if any: another one, or this. */
  add(item: A, flows: ReadonlyArray<string>): A | undefined {
    let last = this.#now
    let farthest: Entry<A> | undefined
    for (const entry of this.#entries) {
      if (entry.turn > last && entry.flows.some((flow) => flows.includes(flow))) last = entry.turn
      if (farthest === undefined || entry.turn >= farthest.turn) farthest = entry
    }
    const turn = last + 1
    const isFull = this.#entries.length >= this.#capacity
    if (isFull && (farthest === undefined || farthest.turn <= turn)) return item
    this.#entries.push({ item, flows, turn })
    if (!isFull || farthest === undefined) return undefined
    this.remove(farthest.item)
    return farthest.item
  }

  /** Takes the item with the earliest turn; of several, the oldest. */
  take(): A | undefined {
    let next: Entry<A> | undefined
    for (const entry of this.#entries) if (next === undefined || entry.turn < next.turn) next = entry
    if (next === undefined) return undefined
    this.#now = Math.max(this.#now, next.turn)
    this.remove(next.item)
    return next.item
  }

  /** Removes an item whose client has left. */
  remove(item: A): void {
    const at = this.#entries.findIndex((entry) => entry.item === item)
    if (at >= 0) this.#entries.splice(at, 1)
  }

  /** Removes and returns all items. */
  clear(): ReadonlyArray<A> {
    return this.#entries.splice(0).map(({ item }) => item)
  }
}

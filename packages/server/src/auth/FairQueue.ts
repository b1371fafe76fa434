interface Entry<A> {
  readonly item: A
  readonly flows: ReadonlyArray<string>
  readonly turn: number
}

/**
 * A bounded queue that is fair between flows (start-time fair queueing): each item belongs to several, such as a client and a tenant, and
 * comes one turn after the last waiting item of each of them. So a flow with a thousand items waits for itself, and one that has none
 * waiting is next. Where it is full, the item whose turn is farthest off gives way: a flood pushes out its own.
 *
 * Flows cost nothing while they have nothing waiting. Adding and taking look at every entry, of which there are `capacity` at most.
 */
export class FairQueue<A> {
  readonly #capacity: number
  /** In the order in which they came. */
  readonly #entries: Array<Entry<A>> = []
  /** The turn that was taken last. */
  #now = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#entries.length
  }

  /** Adds an item. Answers the one that has no place any more, if there is one: another, or this. */
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

  /** Takes the item whose turn it is; of several, the one that came first. */
  take(): A | undefined {
    let next: Entry<A> | undefined
    for (const entry of this.#entries) if (next === undefined || entry.turn < next.turn) next = entry
    if (next === undefined) return undefined
    this.#now = Math.max(this.#now, next.turn)
    this.remove(next.item)
    return next.item
  }

  /** Takes an item out, whose client has left. */
  remove(item: A): void {
    const at = this.#entries.findIndex((entry) => entry.item === item)
    if (at >= 0) this.#entries.splice(at, 1)
  }

  /** Takes everything out. */
  clear(): ReadonlyArray<A> {
    return this.#entries.splice(0).map(({ item }) => item)
  }
}

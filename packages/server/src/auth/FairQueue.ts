/** Whose an item is, and whom it is for. */
export interface Flows {
  readonly client: string
  readonly target: string
}

interface Entry<A> extends Flows {
  readonly item: A
}

/** An entry and its place in line; the smaller one is served first. */
interface Ranked<A> {
  readonly entry: Entry<A>
  readonly rank: number
  /** When the client or the target was served last: the later one of the two. */
  readonly servedAt: number
}

/**
 * A bounded queue that is fair between clients and between targets. An item's rank is the larger one of two: how many items of its client
 * are before it, and how many of its target are before it, where the target's items are in the order in which its clients take turns. The
 * smallest rank is served first; of equal ones, that whose client and target were not served for longest; of those, the oldest.
 *
 * So one client's thousand items wait for each other, also where all are for one target: another client of that target is next. A
 * thousand clients' items for one target wait for each other, and other targets' do not wait for them. When the queue is full, the item
 * with the largest rank is dropped, of equal ones the newest: a flood pushes out its own items.
 *
 * A client or target without waiting items is forgotten. Adding to a full queue and taking sort the entries, of which there are at most
 * `capacity`.
 */
export class FairQueue<A> {
  readonly #capacity: number
  /** In order of arrival. */
  #entries: Array<Entry<A>> = []
  /** Which turn each client and each target with waiting items had last. */
  readonly #served = { client: new Map<string, number>(), target: new Map<string, number>() }
  #turn = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#entries.length
  }

  /** Adds an item. Returns the item that no longer has a place, if any: another one, or this. */
  add(item: A, { client, target }: Flows): A | undefined {
    this.#entries.push({ item, client, target })
    if (this.#entries.length <= this.#capacity) return undefined
    const last = this.#ranked().at(-1)
    if (last === undefined) return item
    this.remove(last.entry.item)
    return last.entry.item
  }

  /** Takes the item that is next. */
  take(): A | undefined {
    const next = this.#ranked()[0]
    if (next === undefined) return undefined
    const { client, item, target } = next.entry
    this.#turn++
    this.#served.client.set(client, this.#turn)
    this.#served.target.set(target, this.#turn)
    this.remove(item)
    return item
  }

  /** Removes an item whose client has left. */
  remove(item: A): void {
    const at = this.#entries.findIndex((entry) => entry.item === item)
    if (at < 0) return
    const [removed] = this.#entries.splice(at, 1)
    if (removed === undefined) return
    if (!this.#entries.some(({ client }) => client === removed.client)) this.#served.client.delete(removed.client)
    if (!this.#entries.some(({ target }) => target === removed.target)) this.#served.target.delete(removed.target)
  }

  /** Removes and returns all items. */
  clear(): ReadonlyArray<A> {
    const all = this.#entries
    this.#entries = []
    this.#served.client.clear()
    this.#served.target.clear()
    return all.map(({ item }) => item)
  }

  /** All entries, the next one first. Sorting is stable: of equal ones the oldest is first. */
  #ranked(): ReadonlyArray<Ranked<A>> {
    const ofClient = new Map<string, number>()
    const byClient = this.#entries.map((entry, place) => {
      const before = ofClient.get(entry.client) ?? 0
      ofClient.set(entry.client, before + 1)
      return { entry, before, place, servedAt: this.#served.client.get(entry.client) ?? 0 }
    })
    byClient.sort((a, b) => a.before - b.before || a.servedAt - b.servedAt)
    const ofTarget = new Map<string, number>()
    const ranked = byClient.map(({ before, entry, place, servedAt }) => {
      const beforeInTarget = ofTarget.get(entry.target) ?? 0
      ofTarget.set(entry.target, beforeInTarget + 1)
      return {
        entry,
        rank: Math.max(before, beforeInTarget),
        servedAt: Math.max(servedAt, this.#served.target.get(entry.target) ?? 0),
        place
      }
    })
    return ranked.sort((a, b) => a.rank - b.rank || a.servedAt - b.servedAt || a.place - b.place)
  }
}

import { Effect } from "effect"

/**
 * How many messages are begun in one turn of the event loop, of all connections together; the next ones wait for the next turn, in the
 * order in which they came. So a frame full of messages costs others a few milliseconds, and not the second that all of it takes.
 */
export class Turns {
  readonly #perTurn: number
  readonly #waiting: Array<() => void> = []
  #left: number
  #counting = false

  constructor(perTurn: number) {
    this.#perTurn = perTurn
    this.#left = perTurn
  }

  /** Waits until one more message may be begun. */
  readonly next: Effect.Effect<void> = Effect.callback((resume) => {
    const go = () => resume(Effect.void)
    if (!this.#counting) {
      this.#counting = true
      setImmediate(this.#turn)
    }
    if (this.#left > 0) {
      this.#left--
      return go()
    }
    this.#waiting.push(go)
    return Effect.sync(() => {
      const place = this.#waiting.indexOf(go)
      if (place >= 0) this.#waiting.splice(place, 1)
    })
  })

  readonly #turn = () => {
    this.#left = this.#perTurn
    const going = this.#waiting.splice(0, this.#perTurn)
    this.#left -= going.length
    this.#counting = going.length > 0
    if (this.#counting) setImmediate(this.#turn)
    for (const go of going) go()
  }
}

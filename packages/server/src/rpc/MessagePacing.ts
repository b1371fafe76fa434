import { Effect } from "effect"

/**
 * Limits how many messages begin in one turn of the event loop, over all connections; the rest wait for the next turn, in order of
 * arrival. So a frame full of messages delays others by a few milliseconds, not by the second that all of it takes.
 */
export class MessagePacing {
  readonly #perTurn: number
  readonly #waiting: Array<() => void> = []
  #left: number
  #counting = false

  constructor(perTurn: number) {
    this.#perTurn = perTurn
    this.#left = perTurn
  }

  /** Waits until one more message may begin. */
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

import { Effect } from "effect"

/** A turn: requested or taken. */
export interface Turn<Line> {
  readonly line: Line
  taken: boolean
  /** Turns with the same number get the same connection, where several share one. */
  readonly together?: number | undefined
}

interface Waiting<Line> {
  /** Turns that the line has. */
  held: number
  readonly waiters: Map<Turn<Line>, () => void>
}

/**
 * A number of turns that lines share fairly. A line that has no turn may take any free one; a line that has some leaves `reserve` for
 * others. Free turns go around the waiting lines. So the slow work of one line never keeps another from its first turn.
 */
export class Turns<Line> {
  readonly capacity: number
  readonly #reserve: number
  readonly #lines = new Map<Line, Waiting<Line>>()
  #held = 0
  #waiting = 0

  constructor(capacity: number) {
    this.capacity = capacity
    this.#reserve = capacity === 1 ? 0 : Math.ceil(capacity / 4)
  }

  get held(): number {
    return this.#held
  }
  get waiting(): number {
    return this.#waiting
  }
  /** How many wait in one line. */
  waitingIn(line: Line): number {
    return this.#lines.get(line)?.waiters.size ?? 0
  }

  /** Takes the turn if it is free and this line may have it: no waiting line could have taken it. */
  tryTake(turn: Turn<Line>): boolean {
    const line = this.#lineOf(turn.line)
    if (!this.#mayTake(line)) {
      this.#forget(turn.line, line)
      return false
    }
    this.#take(turn, line)
    return true
  }

  /**
   * Waits for the turn, for this many ms of real time, and returns whether it was given. `turn.taken` says the same, also after an
   * interruption.
   */
  take(turn: Turn<Line>, milliseconds: number): Effect.Effect<boolean> {
    return Effect.callback((resume) => {
      if (this.tryTake(turn)) return resume(Effect.succeed(true))
      const line = this.#lineOf(turn.line)
      const leave = () => {
        clearTimeout(timer)
        if (!line.waiters.delete(turn)) return
        this.#waiting--
        this.#forget(turn.line, line)
      }
      // One timer and no fiber: under load there are many waiters.
      const timer = setTimeout(() => {
        leave()
        resume(Effect.succeed(turn.taken))
      }, milliseconds)
      line.waiters.set(turn, () => {
        clearTimeout(timer)
        resume(Effect.succeed(true))
      })
      this.#waiting++
      return Effect.sync(leave)
    })
  }

  /** Returns the turn, and gives it to the next waiter. */
  give(turn: Turn<Line>): undefined {
    if (!turn.taken) return
    turn.taken = false
    const line = this.#lineOf(turn.line)
    line.held--
    this.#held--
    this.#forget(turn.line, line)
    while (this.#giveNext()) continue
  }

  /** Gives one turn to the first waiting line that may have it, and moves that line to the end. */
  #giveNext(): boolean {
    if (this.#waiting === 0 || this.#held >= this.capacity) return false
    for (const [name, line] of this.#lines) {
      const next = line.waiters.entries().next()
      if (next.done === true || !this.#mayTake(line)) continue
      const [turn, resume] = next.value
      line.waiters.delete(turn)
      this.#waiting--
      this.#take(turn, line)
      this.#lines.delete(name)
      this.#lines.set(name, line)
      resume()
      return true
    }
    return false
  }

  #mayTake({ held }: Waiting<Line>): boolean {
    const free = this.capacity - this.#held
    return held === 0 ? free > 0 : free > this.#reserve
  }

  #take(turn: Turn<Line>, line: Waiting<Line>): void {
    turn.taken = true
    line.held++
    this.#held++
  }

  #lineOf(name: Line): Waiting<Line> {
    const found = this.#lines.get(name)
    if (found !== undefined) return found
    const line: Waiting<Line> = { held: 0, waiters: new Map() }
    this.#lines.set(name, line)
    return line
  }

  #forget(name: Line, line: Waiting<Line>): void {
    if (line.held === 0 && line.waiters.size === 0) this.#lines.delete(name)
  }
}

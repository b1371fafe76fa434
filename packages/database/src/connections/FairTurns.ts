import { Effect } from "effect"

/** Somebody's turn: asked for, or taken. */
export interface Turn<Line> {
  readonly line: Line
  taken: boolean
}

interface Waiting<Line> {
  /** Turns that the line has. */
  held: number
  readonly waiters: Map<Turn<Line>, () => void>
}

/**
 * A number of turns that lines share fairly. A line that has none may take any that is free; one that has some leaves `reserve` for others.
 * What becomes free goes around the lines that wait. So the slow work of one line keeps no other from its first turn.
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

  /** Takes the turn if it is free. Whoever waits could not have had it. */
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
   * Waits for the turn, for so many ms of the real time, and answers whether it was given. `turn.taken` says it too, also to those who were
   * interrupted.
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
      // One timer, and no fiber: under load many wait.
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

  /** Gives the turn back, to who is next. */
  give(turn: Turn<Line>): undefined {
    if (!turn.taken) return
    turn.taken = false
    const line = this.#lineOf(turn.line)
    line.held--
    this.#held--
    this.#forget(turn.line, line)
    while (this.#giveNext()) continue
  }

  /** One turn to the first line that waits and may have it, which is the last line then. */
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

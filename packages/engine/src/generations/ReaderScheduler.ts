/** What has readers that wait for more. */
export interface Wakeable {
  wake(): void
}

/**
 * Milliseconds a reader waits for what came after the first token: as many as answers have more to read, within these bounds, and about
 * half as long again where all have it at once. What came meanwhile leaves together, a write per reader: writes are half of what a stream
 * costs. Up to 5 ms are not noticed, and with 40 words still seem to be written one by one.
 */
const WAIT_MS = { shortest: 5, longest: 40 }
/** Logs woken in one turn of the event loop: all at once would keep every other request waiting. */
const LOGS_PER_TURN = 50
/** Shortest time between two turns. */
const TURN_MS = 2

/**
 * Wakes the readers of all token logs of a process, those that wait longest first. It has one timer, and none while nothing comes. A round
 * goes on until nothing is due.
 */
export class ReaderScheduler {
  readonly #due = new Set<Wakeable>()
  #timer: NodeJS.Timeout | undefined = undefined
  /** The most logs that were due at once in this round. */
  #peak = 0
  /** Milliseconds between two turns of the last round. */
  #interval_ms = WAIT_MS.shortest

  /** Wakes the log's readers soon. */
  schedule(log: Wakeable): void {
    this.#due.add(log)
    this.#timer ??= setTimeout(this.#turn, this.#interval_ms)
  }

  /** The log's readers were woken otherwise. */
  cancel(log: Wakeable): void {
    this.#due.delete(log)
  }

  /** Wakes no reader any more. */
  close(): void {
    this.#due.clear()
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  readonly #turn = (): void => {
    this.#timer = undefined
    this.#peak = Math.max(this.#peak, this.#due.size)
    const wait = Math.min(WAIT_MS.longest, Math.max(WAIT_MS.shortest, this.#peak))
    const turns = Math.max(1, Math.min(Math.ceil(this.#peak / LOGS_PER_TURN), wait / TURN_MS))
    this.#interval_ms = wait / turns
    let rest = Math.ceil(this.#peak / turns)
    try {
      for (const log of this.#due) {
        if (rest-- === 0) break
        this.#due.delete(log)
        log.wake()
      }
    } finally {
      // Also if a reader threw: the others must not sleep for good.
      if (this.#due.size > 0) this.#timer ??= setTimeout(this.#turn, this.#interval_ms)
      else this.#peak = 0
    }
  }
}

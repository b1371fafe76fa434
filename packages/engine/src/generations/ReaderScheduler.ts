/** What has readers that wait for more. */
export interface Wakeable {
  wake(): void
}

/** What the scheduler knows of the event loop. */
export interface Loop {
  /** Milliseconds on a monotonic clock. */
  now(): number
  /** The part of its time, 0 to 1, in which the loop was at work since the last call. */
  load(): number
}

/** Milliseconds between two rounds while the loop has time: what comes more often leaves together, and 2 ms are not noticed. */
const SHORTEST_MS = 2
/** Milliseconds between two rounds when the loop has none: with 25 writes a second, words still seem to be written one by one. */
const LONGEST_MS = 40
/** Milliseconds of one turn of the event loop that go to readers: other requests are served in between. */
const TURN_MS = 1
/** Logs woken before the clock is read again. */
const LOGS_PER_LOOK = 8
/** Milliseconds after which the loop's load is looked at again. */
const LOOK_MS = 50
/**
 * A loop that is at work for more of its time than this is behind; for less than that, it has caught up. The other half is for questions:
 * their first tokens need the processor, and so does the database.
 */
const LOAD = { behind: 0.5, caughtUp: 0.35 }
/** The part of the loop's time that readers may take while it is behind, and the part so small that rarer rounds would not help it. */
const SHARE = { large: 0.2, small: 0.1 }
/** The factor by which rounds become rarer or more frequent. */
const STEP = 1.5

/**
 * Wakes the readers of all token logs of a process, those that wait longest first. A round wakes what is due when it begins, each log once:
 * a write per reader is half of what a token costs, so a reader gets at most one per round. While the event loop has time, a round begins
 * with the turn in which a token came. Only when the loop is behind, and readers are what keeps it, do rounds wait, and then as long as it
 * takes for the loop to keep up: what comes meanwhile leaves in one write. A first token waits for no round, see `TokenLog`.
 *
 * It has one timer or one turn under way, and none while nothing comes.
 */
export class ReaderScheduler {
  readonly #due = new Set<Wakeable>()
  readonly #loop: Loop
  #timer: NodeJS.Timeout | undefined = undefined
  #immediate: NodeJS.Immediate | undefined = undefined
  /** Logs of this round that are not woken yet. */
  #left = 0
  /** Milliseconds between the end of a round and the beginning of the next one. */
  #interval = SHORTEST_MS
  /** When the next round may begin. */
  #next = 0
  #lookedAt = Number.NEGATIVE_INFINITY
  /** Milliseconds that readers took since then. */
  #spent = 0

  constructor(loop: Loop = eventLoop()) {
    this.#loop = loop
  }

  /** Wakes the log's readers soon. */
  schedule(log: Wakeable): void {
    this.#due.add(log)
    if (this.#timer === undefined && this.#immediate === undefined) this.#wait(this.#loop.now())
  }

  /** The log's readers were woken otherwise. */
  cancel(log: Wakeable): void {
    this.#due.delete(log)
  }

  /** Wakes no reader any more. */
  close(): void {
    this.#due.clear()
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
    this.#timer = undefined
    this.#immediate = undefined
  }

  /** Until the next round, or the next turn of this one. */
  #wait(now: number): void {
    if (this.#left > 0 || this.#next <= now) this.#immediate = setImmediate(this.#turn)
    else this.#timer = setTimeout(this.#turn, this.#next - now)
  }

  readonly #turn = (): void => {
    this.#timer = undefined
    this.#immediate = undefined
    const began = this.#loop.now()
    let now = began
    if (this.#left === 0) this.#left = this.#due.size
    let count = 0
    try {
      for (const log of this.#due) {
        if (this.#left === 0 || now - began >= TURN_MS) break
        this.#left--
        this.#due.delete(log)
        log.wake()
        if (++count % LOGS_PER_LOOK === 0) now = this.#loop.now()
      }
    } finally {
      // Also if a reader threw: the others must not sleep for good.
      this.#left = Math.min(this.#left, this.#due.size)
      now = this.#loop.now()
      this.#spent += now - began
      if (this.#left === 0) {
        this.#look(now)
        this.#next = now + this.#interval
      }
      if (this.#due.size > 0) this.#wait(now)
    }
  }

  #look(now: number): void {
    if (now - this.#lookedAt < LOOK_MS) return
    const share = this.#spent / (now - this.#lookedAt)
    this.#lookedAt = now
    this.#spent = 0
    const load = this.#loop.load()
    if (load > LOAD.behind && share > SHARE.large) this.#interval = Math.min(LONGEST_MS, this.#interval * STEP)
    else if (load < LOAD.caughtUp || share < SHARE.small) this.#interval = Math.max(SHORTEST_MS, this.#interval / STEP)
  }
}

const eventLoop = (): Loop => {
  let last = performance.eventLoopUtilization()
  return {
    now: () => performance.now(),
    load: () => {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, last)
      last = now
      return utilization
    }
  }
}

import type { Ending, GenerationId, Usage } from "@llm-saas/domain/Generation"
import type { Message } from "@llm-saas/domain/Message"
import { endsOf } from "./Tokens.ts"

/** How an answer ended, known only once its row says so too. */
export interface GenerationEnd {
  readonly ending: Ending
  readonly usage: Usage | undefined
  /** The exchange as it is stored. */
  readonly message: Message
  /** Its reader may not read it any more. The answer itself may go on, for others. */
  readonly refused?: true
}

/** An answer's tokens as a reader sees them: numbered from 1, and read by their place. */
export interface TokenSource {
  readonly generationId: GenerationId
  /** The place of the last token so far; 0 before the first. */
  readonly seq: number
  /** Set only after the row is final. */
  readonly ended: GenerationEnd | undefined
  /** Whether the end is there and cannot be written down just now, so that {@link ended} may be long in coming. */
  readonly stalled: boolean
  /** The token at a place, from 1 to {@link seq}. */
  token(seq: number): string
  readonly tokens: ReadonlyArray<string>
  /**
   * Calls `wake` when there is more: at once for the first token and for the end, soon for what is in between. Subscribe
   * first, then read. Returns how to unsubscribe.
   */
  subscribe(wake: () => void): () => void
}

/**
 * Milliseconds a reader waits for what came after the first token: as many as answers have more to read, within these bounds, and about
 * half as long again where all have it at once. What came meanwhile leaves together, a write for each reader: writes are half of what a
 * stream costs. Up to 5 ms nobody notices anything, and with 40 words still seem to be written one by one.
 */
const WAIT = { shortest: 5, longest: 40 }
/** TokenLogs woken in one turn of the event loop, if that does: all of them at once would keep every other request waiting. */
const SLICE = 50
/** Milliseconds between two turns, at least. */
const STEP = 2

/**
 * What has more to read, longest waiting first. One timer for all token logs of the process, and none while nothing comes. A round goes on
 * until nothing is due; `peak` is how many there were in it at most, and `step` the time between two turns of the last one.
 */
const due = new Set<TokenLog>()
let timer: NodeJS.Timeout | undefined = undefined
let peak = 0
let step = WAIT.shortest
const wakeSoon = () => {
  timer ??= setTimeout(wakeDue, step)
}
const wakeDue = () => {
  timer = undefined
  peak = Math.max(peak, due.size)
  const wait = Math.min(WAIT.longest, Math.max(WAIT.shortest, peak))
  const turns = Math.max(1, Math.min(Math.ceil(peak / SLICE), wait / STEP))
  step = wait / turns
  let rest = Math.ceil(peak / turns)
  try {
    for (const tokenLog of due) {
      if (rest-- === 0) break
      due.delete(tokenLog)
      tokenLog.wake()
    }
  } finally {
    // Whatever a reader did: the others are not to sleep for good.
    if (due.size > 0) wakeSoon()
    else peak = 0
  }
}

/**
 * An answer as far as it is known in this process, and who reads it here. Readers hold a number, the place of the last token they
 * have, and not a queue: one that is slow, or comes back, reads on from there.
 */
export class TokenLog implements TokenSource {
  readonly generationId: GenerationId
  /** An answer that came whole, and where in it each token ends: a string for each would take six times the memory. */
  #text = ""
  #ends: Uint32Array = NONE
  /** The tokens behind it. */
  readonly #tokens: Array<string> = []
  readonly #readers = new Set<() => void>()
  #ended: GenerationEnd | undefined = undefined
  #stalled = false

  constructor(generationId: GenerationId) {
    this.generationId = generationId
  }

  get seq(): number {
    return this.#ends.length + this.#tokens.length
  }

  get ended(): GenerationEnd | undefined {
    return this.#ended
  }

  get stalled(): boolean {
    return this.#stalled
  }

  token(seq: number): string {
    const whole = this.#ends.length
    return seq > whole
      ? (this.#tokens[seq - whole - 1] ?? "")
      : this.#text.slice(this.#ends[seq - 2] ?? 0, this.#ends[seq - 1] ?? 0)
  }

  /** Tokens behind `seq`, in order. */
  after(seq: number): ReadonlyArray<string> {
    return this.#ends.length === 0 ? this.#tokens.slice(seq) : this.tokens.slice(seq)
  }

  get text(): string {
    return this.#text + this.#tokens.join("")
  }

  get tokens(): ReadonlyArray<string> {
    if (this.#ends.length === 0) return this.#tokens
    return [...Array.from(this.#ends, (_, index) => this.token(index + 1)), ...this.#tokens]
  }

  subscribe(wake: () => void): () => void {
    this.#readers.add(wake)
    return () => void this.#readers.delete(wake)
  }

  /** The whole answer at once, `lengths` in characters (code points). Only where nothing is there yet. */
  load(text: string, lengths: ReadonlyArray<number>): void {
    if (this.seq > 0 || text === "" || this.#ended !== undefined) return
    this.#text = text
    this.#ends = endsOf(text, lengths)
    this.wake()
  }

  /** More tokens, never empty ones. */
  append(tokens: ReadonlyArray<string>): void {
    if (tokens.length === 0 || this.#ended !== undefined) return
    const first = this.seq === 0
    for (const token of tokens) this.#tokens.push(token)
    if (this.#readers.size === 0) return
    if (first) return this.wake()
    due.add(this)
    wakeSoon()
  }

  /** Says that the end cannot be written down just now. */
  stall(): void {
    if (this.#stalled) return
    this.#stalled = true
    this.wake()
  }

  /** The end, once. */
  end(end: GenerationEnd): void {
    if (this.#ended !== undefined) return
    this.#ended = end
    due.delete(this)
    this.wake()
  }

  wake(): void {
    for (const wake of this.#readers) wake()
  }
}

const NONE = new Uint32Array(0)

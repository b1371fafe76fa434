import type { Ending, GenerationId, Usage } from "@llm-saas/domain/Generation"
import type { Message } from "@llm-saas/domain/Message"
import { endsOf } from "./Tokens.ts"

/** How an answer ended, known only once its row is final. */
export interface GenerationEnd {
  readonly ending: Ending
  readonly usage: Usage | undefined
  /** The exchange as it is stored. */
  readonly message: Message
  /** The reader has lost the right to read it. The answer itself may go on, for others. */
  readonly refused?: true
}

/** An answer's tokens as a reader sees them, numbered from 1. */
export interface TokenSource {
  readonly generationId: GenerationId
  /** Number of the last token so far; 0 before the first. */
  readonly seq: number
  /** Set only after the row is final. */
  readonly ended: GenerationEnd | undefined
  /** Whether the answer ended but the end cannot be stored just now, so that {@link ended} may take long. */
  readonly stalled: boolean
  /** The token with a number from 1 to {@link seq}. */
  token(seq: number): string
  readonly tokens: ReadonlyArray<string>
  /**
   * Calls `wake` when there is more: at once for the first token and for the end, soon for the tokens in between. Subscribe first, then
   * read. Returns how to unsubscribe.
   */
  subscribe(wake: () => void): () => void
}

/**
 * Milliseconds a reader waits for tokens after the first one: as many as there are answers with unread tokens, within these bounds, and
 * about half as long again where all have some at once. Tokens that arrive meanwhile leave in one write per reader: writes are half of a
 * stream's cost. A reader does not notice 5 ms, and at 40 ms words still seem to arrive one by one.
 */
const WAIT_MS = { shortest: 5, longest: 40 }
/** Token logs woken in one turn of the event loop, where the longest wait allows it: waking all at once would block every other request. */
const LOGS_PER_TURN = 50
/** Milliseconds between two turns, at least. */
const STEP_MS = 2

/**
 * Token logs with unread tokens, longest waiting first. One timer for all token logs of the process, and none while no token arrives. A
 * round goes on until nothing is due; `peak` is the largest number due in it, and `step` the time (ms) between two turns of the last one.
 */
const due = new Set<TokenLog>()
let timer: NodeJS.Timeout | undefined = undefined
let peak = 0
let step = WAIT_MS.shortest
const wakeSoon = () => {
  timer ??= setTimeout(wakeDue, step)
}
const wakeDue = () => {
  timer = undefined
  peak = Math.max(peak, due.size)
  const wait = Math.min(WAIT_MS.longest, Math.max(WAIT_MS.shortest, peak))
  const turns = Math.max(1, Math.min(Math.ceil(peak / LOGS_PER_TURN), wait / STEP_MS))
  step = wait / turns
  let rest = Math.ceil(peak / turns)
  try {
    for (const tokenLog of due) {
      if (rest-- === 0) break
      due.delete(tokenLog)
      tokenLog.wake()
    }
  } finally {
    // If a reader throws, the others must still be woken.
    if (due.size > 0) wakeSoon()
    else peak = 0
  }
}

/**
 * The tokens of one answer known in this process, and its readers here. A reader holds the number of its last token and not a queue: a slow
 * or returning reader continues from there.
 */
export class TokenLog implements TokenSource {
  readonly generationId: GenerationId
  /** An answer loaded whole, and where each token ends in it: one string per token would take six times the memory. */
  #text = ""
  #ends: Uint32Array = NONE
  /** The tokens after that text. */
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

  /** Tokens after `seq`, in order. */
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

  /** Loads a whole answer, `lengths` in characters (code points). Only into an empty log. */
  load(text: string, lengths: ReadonlyArray<number>): void {
    if (this.seq > 0 || text === "" || this.#ended !== undefined) return
    this.#text = text
    this.#ends = endsOf(text, lengths)
    this.wake()
  }

  /** Appends tokens, never empty ones. */
  append(tokens: ReadonlyArray<string>): void {
    if (tokens.length === 0 || this.#ended !== undefined) return
    const first = this.seq === 0
    for (const token of tokens) this.#tokens.push(token)
    if (this.#readers.size === 0) return
    if (first) return this.wake()
    due.add(this)
    wakeSoon()
  }

  /** Says that the end cannot be stored just now. */
  stall(): void {
    if (this.#stalled) return
    this.#stalled = true
    this.wake()
  }

  /** Ends the log, once. */
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

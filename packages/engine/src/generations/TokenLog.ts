import type { Ending, GenerationId } from "@llm-saas/domain/Generation"
import type { Message } from "@llm-saas/domain/Message"
import { isEvent, visibleTextOf } from "@llm-saas/domain/ModelEvent"
import type { Usage } from "@llm-saas/domain/Usage"
import type { ReaderScheduler } from "./ReaderScheduler.ts"
import { endsOf } from "./Tokens.ts"

/** How an answer ended, known only once its row is final. */
export interface GenerationEnd {
  readonly ending: Ending
  readonly usage: Usage | undefined
  /** The model that answered. */
  readonly model: string | undefined
  /** The message as it is stored. */
  readonly message: Message
  /** The reader has lost the right to read it. The answer itself may go on, for others. */
  readonly refused?: true
}

/**
 * The entries of an answer's log as a reader sees them, numbered from 1: tokens of text, and events as `domain/ModelEvent` writes them.
 */
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
  #events = false

  readonly #scheduler: ReaderScheduler

  constructor(generationId: GenerationId, scheduler: ReaderScheduler) {
    this.generationId = generationId
    this.#scheduler = scheduler
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

  /** Whether some entry is an event. */
  get hasEvents(): boolean {
    return this.#events
  }

  /** The answer's visible text. */
  get text(): string {
    if (!this.#events) return this.#text + this.#tokens.join("")
    return visibleTextOf(this.tokens)
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
    this.#events = this.tokens.some(isEvent)
    this.wake()
  }

  /** Appends tokens, never empty ones. */
  append(tokens: ReadonlyArray<string>): void {
    if (tokens.length === 0 || this.#ended !== undefined) return
    const first = this.seq === 0
    for (const token of tokens) {
      this.#events ||= isEvent(token)
      this.#tokens.push(token)
    }
    if (this.#readers.size === 0) return
    if (first) return this.wake()
    this.#scheduler.schedule(this)
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
    this.#scheduler.cancel(this)
    this.wake()
  }

  wake(): void {
    for (const wake of this.#readers) wake()
  }
}

const NONE = new Uint32Array(0)

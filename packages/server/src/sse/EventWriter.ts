import { failureOf, type GenerationFailed } from "@llm-saas/domain/Generation"
import type { Asked } from "@llm-saas/engine/generations/Generations"
import type { Exchange } from "../http/Exchange.ts"
import { remaining } from "./LastEvent.ts"
import { KEEP_ALIVE, type LateFailure, type StreamForm, type Wire } from "./Wire.ts"

/** Milliseconds of silence after which a keep-alive is sent. Proxies give up after 30 to 60 s. */
const QUIET_MS = 15_000
/** Milliseconds a reader may take nothing of what was sent. Below 1 kB per second it should rather reconnect and resume. */
const STUCK_MS = 60_000
/** UTF-16 code units after which a write is full: at most 64 KiB, unless a single token is larger. */
const FULL_CODE_UNITS = 21_845
/** Entries after which the rest waits, too: those that a reader already has are read without a write. */
const FULL_ENTRIES = 4096

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no"
}

/**
 * Called when everything has been sent. Undefined: the answer is whole, and the stream has ended. A failure, and what {@link remaining}
 * says of a reader that gets nothing, are for the caller to send.
 */
export type Sent = (unsent: GenerationFailed | "all" | "beyond" | undefined) => void

/**
 * Sends one answer to one reader, through Node's own response: a `Stream` element per token cost more than the rest of its way. It holds
 * a position in the answer's token log and no queue. A reader that is behind gets many events per write, and one full write per turn of
 * the event loop: 57,000 events at once would block every other request for 250 ms. One whose buffers are full gets nothing until they
 * are empty, and then continues from its position.
 */
export class EventWriter {
  readonly #exchange: Exchange
  readonly #form: StreamForm
  readonly #now: () => number
  #reading:
    | { readonly asked: Asked; readonly wire: Wire; readonly asksAgain: boolean; readonly sent: Sent }
    | undefined = undefined
  #unsubscribe = () => {}
  #seq = 0
  #begun = false
  #full = false
  #over = false
  /** Set while the next write waits for its turn. */
  #turn: NodeJS.Immediate | undefined = undefined
  /** Time of the last write; while the reader takes nothing, when that began. */
  #since: number

  /** `now`: monotonic time in milliseconds. */
  constructor(exchange: Exchange, form: StreamForm, now: () => number) {
    this.#exchange = exchange
    this.#form = form
    this.#now = now
    this.#since = now()
    exchange.on("drain", () => {
      this.#full = false
      this.#since = this.#now()
      this.#pump()
    })
  }

  /** Whether the headers are sent: from then on a failure is an event. */
  get started(): boolean {
    return this.#exchange.headersSent
  }

  /** Sends the headers and a keep-alive, unless something was sent already. */
  open(): void {
    if (!this.started && !this.#over) this.#write(KEEP_ALIVE + this.#begin())
  }

  /** There is nothing to send. Returns whether a status can still say so; otherwise ends the stream. */
  nothing(): boolean {
    this.stop()
    if (this.started) this.#end("")
    return !this.started
  }

  /** Sends the tokens after `seq`, now and as they come. `asksAgain`: see `Place`. */
  follow(asked: Asked, seq: number, sent: Sent, asksAgain = false): void {
    this.#reading = { asked, asksAgain, wire: this.#form.wire(asked), sent }
    this.#seq = seq
    this.#unsubscribe = asked.tokenLog.subscribe(() => this.#pump())
    if (this.started && remaining(asked.tokenLog, seq) === "more") this.#write(this.#begin())
    this.#pump()
  }

  /** Stops reading. */
  stop(): void {
    this.#unsubscribe()
    clearImmediate(this.#turn)
    this.#over = true
  }

  /** Ends the stream with a failure. */
  fail(failure: LateFailure): void {
    this.stop()
    if (this.#reading === undefined) return this.#end(this.#form.failure(failure))
    const { asked, wire } = this.#reading
    const { ended, seq } = asked.tokenLog
    // Of a finished answer, this is the last event. An answer whose reader was refused may go on.
    const last = ended === undefined || ended.refused === true ? undefined : wire.last(seq)
    this.#end(wire.failure(failure, last))
  }

  /** Sends a keep-alive or closes a stuck connection; returns milliseconds until the next check. */
  tick(): number {
    const waited = this.#now() - this.#since
    if (this.#full || this.#over) {
      if (waited < STUCK_MS) return STUCK_MS - waited
      this.#exchange.destroy()
      return STUCK_MS
    }
    if (waited < QUIET_MS) return QUIET_MS - waited
    this.#write(KEEP_ALIVE)
    return QUIET_MS
  }

  #begin(): string {
    if (this.#reading === undefined || this.#begun) return ""
    this.#begun = true
    const { asked, asksAgain, wire } = this.#reading
    return wire.begin(
      asked,
      this.#seq,
      this.#seq >= asked.tokenLog.seq && asked.tokenLog.ended === undefined,
      asksAgain
    )
  }

  /** At most one write: what does not fit into it waits for the next turn of the event loop. */
  #pump(): void {
    if (this.#reading === undefined || this.#turn !== undefined || this.#full || this.#over) return
    const { asked, sent, wire } = this.#reading
    const { tokenLog } = asked
    // A reader that has gone needs no events.
    if (this.#gone && this.#seq < tokenLog.seq) this.#seq = tokenLog.seq
    let text = ""
    const last = Math.min(tokenLog.seq, this.#seq + FULL_ENTRIES)
    while (this.#seq < last && text.length < FULL_CODE_UNITS) {
      if (text === "") text = this.#begin()
      this.#seq++
      text += wire.token(this.#seq, tokenLog.token(this.#seq))
    }
    if (this.#seq < tokenLog.seq) {
      this.#write(text)
      if (!this.#full) this.#turn = setImmediate(this.#nextTurn)
      return
    }
    if (tokenLog.ended === undefined) return this.#write(text)
    const left = remaining(tokenLog, this.#seq)
    const unsent = left === "more" ? failureOf(tokenLog.ended.ending, asked.generationId, asked.replayed) : left
    if (unsent === undefined) this.#end(text + this.#begin() + wire.end(tokenLog.ended, this.#seq))
    else this.#write(text)
    this.stop()
    sent(unsent)
  }

  readonly #nextTurn = () => {
    this.#turn = undefined
    this.#pump()
  }

  /**
   * Whether the connection is lost or the listener has already answered, as it does when garbage follows the request. A write would be an
   * error that ends the process.
   */
  get #gone(): boolean {
    return this.#exchange.destroyed || this.#exchange.writableEnded
  }

  #head(): void {
    const { asked } = this.#reading ?? {}
    this.#exchange.writeHead(200, asked === undefined ? HEADERS : { ...HEADERS, "x-generation-id": asked.generationId })
  }

  #write(text: string): void {
    if (text === "" || this.#gone) return
    if (!this.started) this.#head()
    this.#since = this.#now()
    this.#full = !this.#exchange.chunk(text)
  }

  #end(text: string): void {
    if (this.#gone) return
    if (!this.started) this.#head()
    this.#since = this.#now()
    this.#exchange.end(text)
  }
}

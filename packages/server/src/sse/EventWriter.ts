import type { StreamFormat } from "@llm-saas/api/StreamEvent"
import { failureOf, type GenerationFailed } from "@llm-saas/domain/Generation"
import type { Asked } from "@llm-saas/engine/generations/Generations"
import type { Exchange } from "../http/Exchange.ts"
import { failure, KEEP_ALIVE, type Wire, wireOf } from "./Wire.ts"

/** Milliseconds in which nothing was sent, after which we say that we are here. Proxies give up after 30 to 60 s. */
const QUIET = 15_000
/** Milliseconds a reader may take nothing of what was sent. Below 1 kB a second it had better come back and resume. */
const STUCK = 60_000
/** UTF-16 units after which a write is full: never more than 64 KiB, unless a single token is. */
const FULL = 21_845

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no"
}

/** Told when everything there was has been sent: undefined where the answer is whole, and the stream is ended then. */
export type Sent = (failed: GenerationFailed | undefined) => void

/**
 * Sends one answer to one reader, through Node's own response: a `Stream` element for each token cost more than the rest of its way. It
 * holds a place on the answer's token log and no queue. A reader that is behind gets many events with one write; one whose buffers are full
 * gets nothing until they are empty, and then goes on from its place.
 */
export class EventWriter {
  readonly #exchange: Exchange
  readonly #format: StreamFormat
  readonly #now: () => number
  #reading:
    | { readonly asked: Asked; readonly wire: Wire; readonly asksAgain: boolean; readonly sent: Sent }
    | undefined = undefined
  #unsubscribe = () => {}
  #seq = 0
  #begun = false
  #full = false
  #over = false
  /** When something was written last; while the reader takes nothing, since when. */
  #since: number

  /** `now`: milliseconds. */
  constructor(exchange: Exchange, format: StreamFormat, now: () => number) {
    this.#exchange = exchange
    this.#format = format
    this.#now = now
    this.#since = now()
    exchange.on("drain", () => {
      this.#full = false
      this.#since = this.#now()
      this.#pump()
    })
  }

  /** Whether the headers are out: from then on a failure is an event. */
  get started(): boolean {
    return this.#exchange.headersSent
  }

  /** Sends the headers and says that we are here, unless something was sent already. */
  open(): void {
    if (!this.started && !this.#over) this.#write(KEEP_ALIVE + this.#begin())
  }

  /** There is nothing to send. Whether that can still be answered by a status; else the stream ends. */
  nothing(): boolean {
    this.stop()
    if (this.started) this.#end("")
    return !this.started
  }

  /** Sends what is behind `seq`, now and as it comes. `asksAgain`: see `Place`. */
  follow(asked: Asked, seq: number, sent: Sent, asksAgain = false): void {
    this.#reading = { asked, asksAgain, wire: wireOf(this.#format, asked.generationId), sent }
    this.#seq = seq
    this.#unsubscribe = asked.tokenLog.subscribe(() => this.#pump())
    if (this.started) this.#write(this.#begin())
    this.#pump()
  }

  /** Reads no further. */
  stop(): void {
    this.#unsubscribe()
    this.#over = true
  }

  /** Ends the stream with a failure, a problem's text. */
  fail(problem: string): void {
    this.stop()
    const { ended, seq = 0 } = this.#reading?.asked.tokenLog ?? {}
    // Of an answer that is over, this is the last event. One whose reader was refused may go on.
    const last = ended === undefined || ended.refused === true ? undefined : this.#reading?.wire.last(seq)
    this.#end(failure(problem, last))
  }

  /** Does what is due by now, and says in how many milliseconds to look again. */
  tend(): number {
    const waited = this.#now() - this.#since
    if (this.#full || this.#over) {
      if (waited < STUCK) return STUCK - waited
      this.#exchange.destroy()
      return STUCK
    }
    if (waited < QUIET) return QUIET - waited
    this.#write(KEEP_ALIVE)
    return QUIET
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

  #pump(): void {
    if (this.#reading === undefined) return
    const { asked, sent, wire } = this.#reading
    const { tokenLog } = asked
    while (!this.#full && !this.#over) {
      let text = ""
      while (this.#seq < tokenLog.seq && text.length < FULL) {
        if (text === "") text = this.#begin()
        this.#seq++
        text += wire.token(this.#seq, tokenLog.token(this.#seq))
      }
      if (this.#seq < tokenLog.seq || tokenLog.ended === undefined) {
        if (text === "") return
        this.#write(text)
      } else {
        const failed = failureOf(tokenLog.ended.ending, asked.generationId, asked.replayed)
        if (failed === undefined) this.#end(text + this.#begin() + wire.end(tokenLog.ended.message, this.#seq))
        else this.#write(text)
        this.stop()
        sent(failed)
      }
    }
  }

  /**
   * Whether the connection is lost, or somebody else has answered: the listener does, when garbage comes behind the request. A write
   * would be an error that ends the process.
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

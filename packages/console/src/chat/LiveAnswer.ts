import { LlmSaasError, type Message, type StreamEvent } from "@llm-saas/client"
import { client } from "../session/session.ts"
import type { Attached } from "./attachments.ts"
import { BlockReader } from "./blocks.ts"

/** A question as it is asked. */
export interface Asking {
  readonly content: string
  readonly files: ReadonlyArray<Attached>
  /** Asked again with the same one, the model is not asked twice. */
  readonly key: string
}

/** What became of reading: the answer has ended, was refused before it was stored, or cannot be followed any more. */
export type Outcome =
  | { readonly kind: "ended" }
  | { readonly kind: "refused"; readonly error: unknown }
  | { readonly kind: "left" }

/** Milliseconds between two tries where the server cannot say when. The browser's word that the network is back ends the wait. */
const PAUSE_MS = 2000
/** Milliseconds that a frame may take without a pause after it. */
const LONG_FRAME_MS = 12
/** Milliseconds until a question that was not acknowledged is given up when it is to stop. */
const UNHEARD_MS = 1500

let count = 0

/**
 * An answer under way, asked here or found under way when the page was opened. It is read until it ends, also while no page shows it, over
 * connections that break. Its readers are told at most once a frame.
 */
export class LiveAnswer {
  /** Names it on the page, before it has an id and after. */
  readonly name = `live ${++count}`
  readonly conversation: string
  /** The question; of an answer that was found, without its files. */
  readonly asking: Asking
  readonly blocks = new BlockReader()
  /** What the model thought aloud before. */
  reasoning = ""
  generation: string | undefined
  message: string | undefined
  model: string | undefined
  connection: "open" | "lost" = "open"
  /** It was told to stop, and has not yet. */
  stopping = false
  /** Why it could not be stopped. */
  stopFailure: unknown
  /** Counts what readers have not seen. */
  version = 0
  #seq = 0
  #awaitsFrame = false
  /** Milliseconds that the last frame took. */
  #rest = 0
  #left = false
  #attempt = new AbortController()
  readonly #listeners = new Set<() => void>()
  readonly #started: (live: LiveAnswer) => void

  /** `found`: the message whose answer it is; undefined: it is to be asked. `started`: told once it has an id. */
  constructor(conversation: string, asking: Asking, started: (live: LiveAnswer) => void, found?: Message) {
    this.conversation = conversation
    this.asking = asking
    this.#started = started
    this.message = found?.id
    this.generation = found?.generation_id ?? undefined
    this.model = found?.model ?? undefined
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Reads it to its end. Never fails. */
  async read(): Promise<Outcome> {
    const online = () => {
      // What the old connection or the wait for the next would tell, a new one tells sooner.
      if (this.connection === "lost") this.#attempt.abort("online")
    }
    const offline = () => this.#become("lost")
    addEventListener("online", online)
    addEventListener("offline", offline)
    try {
      for (;;) {
        try {
          this.#attempt = new AbortController()
          for await (const event of await this.#open()) this.#take(event)
          return { kind: "ended" }
        } catch (error) {
          const outcome = await this.#afterwards(error)
          if (outcome !== undefined) return outcome
        }
      }
    } finally {
      removeEventListener("online", online)
      removeEventListener("offline", offline)
    }
  }

  /** Stops it at the server; what came so far is kept there. */
  async stop(): Promise<void> {
    this.stopping = true
    this.stopFailure = undefined
    this.#tell()
    if (this.generation !== undefined) return this.#cancel(this.generation)
    // It is cancelled when it gets its id. Waiting in a queue or for the network, it has none.
    await new Promise((resolve) => setTimeout(resolve, UNHEARD_MS))
    if (this.generation === undefined) this.leave()
  }

  /** Reads no more, and does not stop it. */
  leave(): void {
    this.#left = true
    this.#attempt.abort("left")
  }

  async #cancel(generation: string): Promise<void> {
    try {
      await client.generations.cancel(generation)
    } catch (error) {
      this.stopping = false
      this.stopFailure = error
      this.#tell()
    }
  }

  async #open(): Promise<AsyncIterable<StreamEvent>> {
    const options = {
      signal: this.#attempt.signal,
      onConnection: (connection: "open" | "lost") => this.#become(connection)
    }
    if (this.generation === undefined) {
      const { content, files, key } = this.asking
      const attachments = files.map(({ attachment }) => attachment)
      const question = {
        content,
        conversation_id: this.conversation,
        ...(attachments.length > 0 ? { attachments } : {})
      }
      return client.messages.stream(question, { ...options, idempotencyKey: key })
    }
    if (this.#seq === 0) await this.#catchUp(this.generation)
    return client.generations.watch(this.generation, { ...options, after: this.#seq })
  }

  /** The text so far at once, and only what follows as a stream. Thoughts alone are read from their beginning. */
  async #catchUp(generation: string): Promise<void> {
    const { seq, text } = await client.generations.get(generation, { signal: this.#attempt.signal })
    if (text === "") return
    this.blocks.push(text)
    this.#seq = seq
    this.#become("open")
    this.#tell()
  }

  #take(event: StreamEvent): void {
    if (this.connection === "lost") this.#become("open")
    if (event.type === "start") {
      this.generation = event.generation_id
      this.message = event.message_id
      this.model = event.model
      this.#started(this)
      if (this.stopping) void this.#cancel(event.generation_id)
      return
    }
    if (event.type !== "delta" && event.type !== "reasoning" && event.type !== "tool_call") return
    // A position that was read before the connection broke is not read again.
    if (event.seq <= this.#seq) return
    this.#seq = event.seq
    if (event.type === "delta") this.blocks.push(event.text)
    if (event.type === "reasoning") this.reasoning += event.text
    this.#tell()
  }

  /** What a failure of reading means; undefined: it is to be read on. */
  async #afterwards(error: unknown): Promise<Outcome | undefined> {
    if (this.#left) return { kind: "left" }
    if (this.#attempt.signal.aborted) return undefined
    if (!(error instanceof LlmSaasError)) return { kind: "refused", error }
    const isStored = this.generation !== undefined || error.problem?.generation_id !== undefined
    this.generation ??= error.problem?.generation_id
    switch (error.code) {
      case "connection_failed":
      case "invalid_answer":
      case "unavailable":
        if (!isStored) return { kind: "refused", error }
        this.#become("lost")
        await this.pause(PAUSE_MS)
        return this.#left ? { kind: "left" } : undefined
      case "too_many_requests":
        if (!isStored) return { kind: "refused", error }
        // Too many answers are read at once: this one goes on without a reader, and is read again.
        await this.pause((error.retryAfter ?? 1) * 1000)
        return this.#left ? { kind: "left" } : undefined
      default:
        return isStored ? { kind: "ended" } : { kind: "refused", error }
    }
  }

  /** Waits, or until the network is back. */
  pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        removeEventListener("online", done)
        this.#attempt.signal.removeEventListener("abort", done)
        resolve()
      }
      const timer = setTimeout(done, milliseconds)
      addEventListener("online", done)
      this.#attempt.signal.addEventListener("abort", done)
    })
  }

  #become(connection: "open" | "lost"): void {
    if (connection === this.connection) return
    this.connection = connection
    this.#tell()
  }

  /** A page that is not seen has no frames, and needs none. After one that took long, as long is left for other work. */
  #tell(): void {
    this.version++
    if (this.#awaitsFrame) return
    this.#awaitsFrame = true
    const frame = () =>
      requestAnimationFrame(() => {
        const began = performance.now()
        this.#awaitsFrame = false
        for (const listener of this.#listeners) listener()
        // What was rendered for it is in the document by then.
        setTimeout(() => {
          this.#rest = performance.now() - began
        })
      })
    if (this.#rest < LONG_FRAME_MS) frame()
    else setTimeout(frame, this.#rest)
  }
}

import { LlmSaasError, type Message } from "@llm-saas/client"
import { client, session } from "../session/session.ts"
import type { Attached } from "./attachments.ts"
import { Composer } from "./Composer.ts"
import { readDraft, writeDraft } from "./Drafts.ts"
import { type Asking, LiveAnswer } from "./LiveAnswer.ts"

/** A question was not accepted: the composer has it again. */
export interface Refused {
  /** Undefined: it was stopped before the server had answered. */
  readonly error: unknown
}

/** A conversation as its page shows it. */
export interface ThreadState {
  /** Oldest first, as far back as they were read, without those under way. */
  readonly messages: ReadonlyArray<Message>
  /** `unread`: nothing was read yet. */
  readonly older: "unread" | "more" | "reading" | "none"
  /** Why they could not be read. */
  readonly failure: unknown
  /** Those under way, oldest first. One at a time is asked here; other tabs may ask too. */
  readonly live: ReadonlyArray<LiveAnswer>
  readonly refused: Refused | undefined
  /** The last change put messages in front of the others. */
  readonly prepended: boolean
}

/** What a user thinks of an answer: 1 or -1, and why. */
export interface Opinion {
  readonly rating: number
  readonly comment: string | null
}

/** Messages of a page. A conversation is shown once its first page is there. */
const PAGE = 50
const PAUSE_MS = 1000

/** The messages of one conversation, and the answers under way in it. */
export class Thread {
  readonly conversation: string
  state: ThreadState = {
    messages: [],
    older: "unread",
    failure: undefined,
    live: [],
    refused: undefined,
    prepended: false
  }
  readonly composer: Composer
  #cursor: string | undefined
  readonly #listeners = new Set<() => void>()
  /** The files of questions that were asked on this page, by message; the server does not tell them. */
  readonly #files = new Map<string, ReadonlyArray<Attached>>()
  /** Names of messages on the page that were under way on it. */
  readonly #names = new Map<string, string>()
  /** What the user said of answers on this page, by message; the server does not tell it. */
  readonly opinions = new Map<string, Opinion>()
  /** Told when a question got its id: the conversation may have its title from it. */
  readonly #started: () => void

  constructor(conversation: string, started: () => void) {
    this.conversation = conversation
    this.composer = new Composer(conversation)
    this.#started = started
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Whether no page shows it, and nothing would be lost with it. */
  get isIdle(): boolean {
    return this.#listeners.size === 0 && this.state.live.length === 0 && this.composer.state.files.length === 0
  }

  /** It has just been created: there is nothing to read. */
  begin(): void {
    this.#become({ older: "none" })
  }

  /** Reads the newest page: at first, and again when it is looked at again, as other tabs and programs ask too. */
  async refresh(): Promise<void> {
    if (this.state.older === "reading") return
    const isFirst = this.state.older === "unread"
    if (isFirst) this.#become({ older: "reading", failure: undefined })
    try {
      const page = await client.conversations.messages(this.conversation, { limit: PAGE })
      if (isFirst) this.#clearAnsweredDraft(page.data[0])
      const oldest = page.data.at(-1)?.id ?? ""
      const { messages, older } = this.state
      // Where nothing is missing between them, what was read before stays in front of the page.
      const isJoined = !isFirst && (page.next_cursor === null || messages.some(({ id }) => id === oldest))
      const kept = isJoined && page.next_cursor !== null ? messages.filter(({ id }) => id < oldest) : []
      if (!isJoined) this.#cursor = page.next_cursor ?? undefined
      this.#become({ older: isJoined ? older : page.next_cursor === null ? "none" : "more" })
      this.#show(kept, page.data)
    } catch (failure) {
      ended(failure)
      if (isFirst) this.#become({ older: "unread", failure })
    }
  }

  /** Reads the page before what was read. */
  async readOlder(): Promise<void> {
    if (this.state.older !== "more") return
    this.#become({ older: "reading", failure: undefined })
    try {
      const cursor = this.#cursor
      const query = { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) }
      const page = await client.conversations.messages(this.conversation, query)
      this.#cursor = page.next_cursor ?? undefined
      this.#become({ older: page.next_cursor === null ? "none" : "more" })
      this.#show(this.state.messages, page.data, true)
    } catch (failure) {
      ended(failure)
      this.#become({ older: "more", failure })
    }
  }

  /** Messages beside a page that was just read; those under way are followed. */
  #show(others: ReadonlyArray<Message>, page: ReadonlyArray<Message>, prepended = false): void {
    const live = new Set(this.state.live.map(({ message }) => message))
    const ended = this.state.messages
    // What has ended here meanwhile is newer than the page. Of a question that has no id yet, the page may have the answer.
    const fresh = page.filter(
      ({ id, status }) => !live.has(id) && !(status === "streaming" && ended.some((each) => each.id === id))
    )
    const ids = new Set(page.map(({ id }) => id))
    const kept = ended.filter(({ id }) => ids.has(id) && !fresh.some((each) => each.id === id))
    const read = fresh.filter(({ status }) => status !== "streaming")
    const all = [...others.filter(({ id }) => !ids.has(id)), ...kept, ...read]
    this.#become({ messages: all.toSorted((a, b) => (a.id < b.id ? -1 : 1)), prepended })
    if (live.has(undefined)) return
    for (const message of fresh.toReversed()) if (message.status === "streaming") this.#follow(message)
  }

  /** Asks. `replaces`: a message that is deleted before, and is not if that fails. */
  async ask(asking: Asking, replaces?: Message): Promise<void> {
    this.#become({ refused: undefined })
    // Until the server has it, the tab keeps it: the files would be too large.
    writeDraft(this.conversation, {
      text: asking.content,
      after: this.state.messages.at(-1)?.id ?? "",
      ...(asking.files.length === 0 ? { key: asking.key } : {})
    })
    const live = new LiveAnswer(this.conversation, asking, this.#accepted)
    const { messages } = this.state
    this.#become({ live: [...this.state.live, live], messages: messages.filter(({ id }) => id !== replaces?.id) })
    if (replaces !== undefined)
      try {
        await client.messages.remove(replaces.id)
      } catch (error) {
        if (!(error instanceof LlmSaasError && error.code === "message_not_found")) {
          this.#become({ live: this.#without(live), messages, refused: { error } })
          this.composer.giveBack(asking, false)
          return ended(error)
        }
      }
    await this.#read(live)
  }

  /** The files that a message was asked with, if it was asked on this page. */
  filesOf(message: string): ReadonlyArray<Attached> | undefined {
    return this.#files.get(message)
  }

  /** The same for a message and for its answer while it was under way, so that its place on the page stays. */
  nameOf(message: string): string {
    return this.#names.get(message) ?? message
  }

  /** Reads nothing more. Answers under way go on for a while at the server. */
  close(): void {
    for (const live of this.state.live) live.leave()
  }

  #follow(message: Message): void {
    const asking = { content: message.content, files: [], key: "" }
    const live = new LiveAnswer(this.conversation, asking, () => {}, message)
    this.#become({ live: [...this.state.live, live] })
    void this.#read(live)
  }

  async #read(live: LiveAnswer): Promise<void> {
    for (;;) {
      const outcome = await live.read()
      const { asking } = live
      const isUnheard = outcome.kind === "left" && live.stopping && live.generation === undefined
      if (outcome.kind === "refused" || isUnheard) {
        const error = outcome.kind === "refused" ? outcome.error : undefined
        ended(error)
        this.#become({ live: this.#without(live), refused: { error } })
        // What the server has refused is another question when it is asked again. What it may have got is the same.
        return this.composer.giveBack(asking, !isAnswered(error))
      }
      if (outcome.kind === "left") return this.#become({ live: this.#without(live) })
      const message = await this.#settled(live)
      if (message === "gone") return this.#become({ live: this.#without(live) })
      if (message.status !== "streaming")
        return this.#become({
          live: this.#without(live),
          messages: [...this.state.messages.filter(({ id }) => id !== message.id), message]
        })
      // What ended was the reading alone.
      await live.pause(PAUSE_MS)
    }
  }

  /** The message as it is stored at last. `gone`: it was deleted meanwhile, or the session is over. */
  async #settled(live: LiveAnswer): Promise<Message | "gone"> {
    for (;;)
      try {
        if (live.message === undefined) live.message = (await client.generations.get(live.generation ?? "")).message_id
        const message = await client.messages.get(live.message)
        this.#names.set(message.id, live.name)
        if (live.asking.key !== "") this.#accepted(live)
        return message
      } catch (error) {
        if (error instanceof LlmSaasError && error.status >= 400 && error.status < 500 && error.status !== 429) {
          ended(error)
          return "gone"
        }
        await live.pause(PAUSE_MS)
      }
  }

  readonly #accepted = ({ asking, message }: LiveAnswer): void => {
    if (message === undefined || this.#files.has(message)) return
    this.#files.set(message, asking.files)
    if (readDraft(this.conversation).text === asking.content) writeDraft(this.conversation, { text: "" })
    this.#started()
  }

  /** A page that was reloaded before it knew: the newest message is what its draft asked. */
  #clearAnsweredDraft(newest: Message | undefined): void {
    const { after, text } = readDraft(this.conversation)
    if (after === undefined || newest?.content !== text || newest.id === after) return
    if (this.composer.state.text === text) this.composer.write("")
  }

  #without(live: LiveAnswer) {
    return this.state.live.filter((each) => each !== live)
  }

  #become(change: Partial<ThreadState>): void {
    this.state = { ...this.state, prepended: false, ...change }
    for (const listener of this.#listeners) listener()
  }
}

/** Whether the server has decided, so that the same question is a new one. */
const isAnswered = (error: unknown): boolean =>
  error instanceof LlmSaasError && error.status >= 400 && error.status < 500

/** The server does not know who asks any more. */
const ended = (error: unknown): void => {
  if (error instanceof LlmSaasError && error.code === "unauthenticated") session.ended()
}

import { type Ending, evolve, type GenerationId, type GenerationState } from "@llm-saas/domain/Generation"
import type { Actor } from "@llm-saas/domain/Actor"
import type { AskedGeneration } from "@llm-saas/domain/GenerationRecord"
import type { ConversationId } from "@llm-saas/domain/Conversation"
import { entryOf, type ModelEvent, type ModelPiece, storable, visibleText, wordsOf } from "@llm-saas/domain/ModelEvent"
import type { MessageId } from "@llm-saas/domain/Message"
import type { TenantId } from "@llm-saas/domain/Tenant"
import type { UserId } from "@llm-saas/domain/User"
import type { ReaderScheduler } from "./ReaderScheduler.ts"
import { TokenLog } from "./TokenLog.ts"
import { codePoints, Tokens } from "./Tokens.ts"

/** A generation that this process runs. */
export class RunningGeneration {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly generationId: GenerationId
  readonly messageId: MessageId
  readonly conversationId: ConversationId | null
  readonly tokenLog: TokenLog
  /** How many tokens the database has. */
  persisted = 0
  /** Whether it goes on without a reader. */
  readonly background: boolean
  /** Number of readers in this process. */
  readers = 0
  /** Until when (ms, monotonic) the generation is read at another process, as far as we know. */
  followedUntil = Number.NEGATIVE_INFINITY
  firstTokenAt: number | undefined = undefined
  /** The ending that it was asked for, before the model ends, and who is told. */
  #asked: Ending | undefined = undefined
  #tell = (_: Ending): void => {}
  #state: GenerationState = { status: "streaming", seq: 0 }
  #characters = 0
  /** Characters of events, which are more than what they say. */
  #eventCharacters = 0
  /** Kept since the first event: reading it from the log would parse all events again. */
  #said: { visible: string; words: string } | undefined = undefined
  readonly #pieces = new Tokens()
  readonly #maxCharacters: number

  /** `maxCharacters`: the characters an answer may have. */
  constructor(
    { tenantId, userId }: Actor["Service"],
    asked: AskedGeneration,
    maxCharacters: number,
    scheduler: ReaderScheduler,
    background = false
  ) {
    this.background = background
    this.tenantId = tenantId
    this.userId = userId
    this.generationId = asked.id
    this.messageId = asked.message_id
    this.conversationId = asked.conversation_id
    this.tokenLog = new TokenLog(asked.id, scheduler)
    this.#maxCharacters = maxCharacters
  }

  get state(): GenerationState {
    return this.#state
  }

  /** Whether it belongs to this user or conversation, or answers this message. */
  belongsTo(id: UserId | ConversationId | MessageId): boolean {
    return id === this.messageId || id === this.conversationId || id === this.userId
  }

  /** Adds a piece from the provider, at the time `now` (ms). */
  push(piece: ModelPiece, now: number): void {
    if (this.#state.status !== "streaming") return
    if (typeof piece === "string") this.#add(this.#pieces.push(piece), now)
    else this.#event(piece, now)
  }

  /** The answer so far: what is visible of it, and all that the model wrote, thoughts and arguments of tools included. */
  get said(): { readonly visible: string; readonly words: string } {
    const said = this.#said
    if (said !== undefined) return { visible: storable(said.visible), words: said.words }
    const { text } = this.tokenLog
    return { visible: text, words: text }
  }

  /** Takes no more pieces. Returns the ending that happened first. */
  close(ending: Ending, now: number): Ending {
    if (this.#state.status !== "streaming") return this.#state
    this.#add(this.#pieces.end(), now)
    this.#state = evolve(this.#state, { event: "ended", ending })
    return ending
  }

  /** Asks it to end, from outside. The first ending counts. */
  end(ending: Ending): void {
    if (this.#asked !== undefined) return
    this.#asked = ending
    this.#tell(ending)
  }

  /** Tells what runs it that it was asked to end: at once if it was before. */
  whenAsked(tell: (ending: Ending) => void): void {
    this.#tell = tell
    if (this.#asked !== undefined) tell(this.#asked)
  }

  #event(event: ModelEvent, now: number): void {
    const entry = entryOf(event)
    this.#add(this.#pieces.end(), now)
    const words = wordsOf(event)
    this.#said ??= { ...this.said }
    this.#said.visible += visibleText(event)
    this.#said.words += words
    this.#eventCharacters += entry.length
    this.#characters += words.length
    this.#append([entry], now)
  }

  #add(tokens: ReadonlyArray<string>, now: number): void {
    if (tokens.length === 0) return
    for (const token of tokens) {
      this.#characters += codePoints(token)
      if (this.#said === undefined) continue
      this.#said.visible += token
      this.#said.words += token
    }
    this.#append(tokens, now)
  }

  #append(entries: ReadonlyArray<string>, now: number): void {
    this.firstTokenAt ??= now
    this.#state = evolve(this.#state, { event: "appended", tokens: entries.length })
    this.tokenLog.append(entries)
    if (this.#characters > this.#maxCharacters || this.#eventCharacters > this.#maxCharacters * EVENT_FACTOR)
      this.end({ status: "failed", failure: "answer_too_long" })
  }
}

/** Events may have this many times the characters of an answer: a provider's own event is some 300 characters around a token. */
const EVENT_FACTOR = 100

/** The generations that this process runs. {@link find} and {@link of} answer for one tenant only, which keeps the tenants apart. */
export class RunningGenerations {
  readonly #byId = new Map<GenerationId, RunningGeneration>()

  get size(): number {
    return this.#byId.size
  }

  add(generation: RunningGeneration): void {
    this.#byId.set(generation.generationId, generation)
  }

  remove({ generationId }: RunningGeneration): void {
    this.#byId.delete(generationId)
  }

  /** The generation with this id of the actor's tenant, if it runs here. */
  find({ tenantId }: Pick<Actor["Service"], "tenantId">, id: GenerationId): RunningGeneration | undefined {
    const found = this.#byId.get(id)
    return found?.tenantId === tenantId ? found : undefined
  }

  /** All generations of a tenant that run here. */
  of(tenantId: TenantId): ReadonlyArray<RunningGeneration> {
    return [...this.#byId.values()].filter((each) => each.tenantId === tenantId)
  }

  /** All, of every tenant: to store them, and to end them with the process. */
  all(): ReadonlyArray<RunningGeneration> {
    return [...this.#byId.values()]
  }

  /** The generation whose lease a notice of the database is about. */
  ofLease(id: GenerationId): RunningGeneration | undefined {
    return this.#byId.get(id)
  }
}

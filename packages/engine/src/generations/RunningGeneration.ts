import { type Ending, evolve, type GenerationId, type GenerationState } from "@llm-saas/domain/Generation"
import type { Actor } from "@llm-saas/domain/Actor"
import type { AskedGeneration } from "@llm-saas/domain/GenerationRecord"
import type { ConversationId } from "@llm-saas/domain/Conversation"
import type { MessageId } from "@llm-saas/domain/Message"
import type { TenantId } from "@llm-saas/domain/Tenant"
import type { UserId } from "@llm-saas/domain/User"
import { Deferred, Effect } from "effect"
import { TokenLog } from "./TokenLog.ts"
import { codePoints, Tokens } from "./Tokens.ts"

/** A generation this process runner. */
export class RunningGeneration {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly generationId: GenerationId
  readonly messageId: MessageId
  readonly conversationId: ConversationId | null
  readonly tokenLog: TokenLog
  /** Completed by whoever wants it to end before the model does; says as what. */
  readonly stop: Deferred.Deferred<Ending> = Deferred.makeUnsafe()
  /** How many tokens the database has. */
  persisted = 0
  /** Who waits for the answer here. */
  readers = 0
  /** Until when (ms, monotonic) somebody reads it at another process, as far as we know. */
  followedUntil = Number.NEGATIVE_INFINITY
  firstTokenAt: number | undefined = undefined
  #state: GenerationState = { status: "streaming", seq: 0 }
  #characters = 0
  readonly #pieces = new Tokens()
  readonly #maxCharacters: number

  /** `maxCharacters`: the characters an answer may have. */
  constructor({ tenantId, userId }: Actor["Service"], asked: AskedGeneration, maxCharacters: number) {
    this.tenantId = tenantId
    this.userId = userId
    this.generationId = asked.id
    this.messageId = asked.message_id
    this.conversationId = asked.conversation_id
    this.tokenLog = new TokenLog(asked.id)
    this.#maxCharacters = maxCharacters
  }

  get state(): GenerationState {
    return this.#state
  }

  /** Whether it is an answer of this user, in this conversation, or to this message. */
  belongsTo(id: UserId | ConversationId | MessageId): boolean {
    return id === this.messageId || id === this.conversationId || id === this.userId
  }

  /** One more piece from the provider, at the time `now` (ms). */
  push(piece: string, now: number): void {
    if (this.#state.status === "streaming") this.#add(this.#pieces.push(piece), now)
  }

  /** Nothing more comes: what counts as the end is what happened first. */
  close(ending: Ending, now: number): Ending {
    if (this.#state.status !== "streaming") return this.#state
    this.#add(this.#pieces.end(), now)
    this.#state = evolve(this.#state, { event: "ended", ending })
    return ending
  }

  /** Asks it to end, from outside. */
  end(ending: Ending): void {
    Deferred.doneUnsafe(this.stop, Effect.succeed(ending))
  }

  #add(tokens: ReadonlyArray<string>, now: number): void {
    if (tokens.length === 0) return
    this.firstTokenAt ??= now
    this.#state = evolve(this.#state, { event: "appended", tokens: tokens.length })
    for (const token of tokens) this.#characters += codePoints(token)
    this.tokenLog.append(tokens)
    if (this.#characters > this.#maxCharacters) this.end({ status: "failed", failure: "answer_too_long" })
  }
}

/** The generations that this process runs. A tenant's are found by {@link find} and {@link of}, which keep the tenants apart. */
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

  /** The actor's tenant's generation with this id, if it runs here. */
  find({ tenantId }: Pick<Actor["Service"], "tenantId">, id: GenerationId): RunningGeneration | undefined {
    const found = this.#byId.get(id)
    return found?.tenantId === tenantId ? found : undefined
  }

  /** All of a tenant's that run here. */
  of(tenantId: TenantId): ReadonlyArray<RunningGeneration> {
    return [...this.#byId.values()].filter((each) => each.tenantId === tenantId)
  }

  /** All, of any tenant: to write them down, and to end them with the process. */
  all(): ReadonlyArray<RunningGeneration> {
    return [...this.#byId.values()]
  }

  /** The one whose lease a notice of the database is about. */
  ofLease(id: GenerationId): RunningGeneration | undefined {
    return this.#byId.get(id)
  }
}

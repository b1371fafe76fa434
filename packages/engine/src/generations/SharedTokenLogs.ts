import { Actor } from "@llm-saas/domain/Actor"
import { GenerationId, type GenerationNotFound, PROCESS_LOST } from "@llm-saas/domain/Generation"
import type { Message } from "@llm-saas/domain/Message"
import type * as Refusal from "@llm-saas/domain/Refusal"
import { monotonicMillis } from "@llm-saas/domain/Time"
import { Clock, Deferred, Effect, RcMap, type Scope, Semaphore } from "effect"
import type { ReaderScheduler } from "./ReaderScheduler.ts"
import { TokenLog, type GenerationEnd, type TokenSource } from "./TokenLog.ts"

/** How often (ms) an answer that runs at another process is read: as often as that process writes its chunks. */
const POLL_MS = 250
/** The process that runs the answer is told that it has readers once per this many polls (3 s). */
const POLLS_PER_TELL = 12
/** How long (ms) a user may read before their right to read is checked again. */
const CHECK_MS = 1000

type Refused = GenerationNotFound | Refusal.Refused

/** The database requests, each made as the {@link Actor} in the context. */
export interface Source {
  /** Appends to the token log what the database has beyond it. Returns the stored message, without the tokens that the log already has. */
  readonly fill: (id: GenerationId, tokenLog: TokenLog) => Effect.Effect<Message, Refused, Actor>
  /** Fails unless the generation is the actor's to read. */
  readonly check: (id: GenerationId) => Effect.Effect<unknown, Refused, Actor>
  /** Tells the process that runs it that it has a reader. */
  readonly tell: (id: GenerationId) => Effect.Effect<unknown, Refused, Actor>
}

/**
 * Answers that do not run in this process: one token log and one poll, shared by all local readers of the same answer. The last reader's
 * leaving releases it. The key contains the tenant, and a reader gets here only after the database let them in: see `GenerationReader`.
 *
 * The poll reads as each of its users in turn, so every user's right to read is checked again at least every {@link CHECK_MS}. A user who
 * has lost it loses the stream; the others go on.
 */
export const make = Effect.fnUntraced(function* (source: Source, scheduler: ReaderScheduler) {
  const clock = yield* Clock.Clock
  const shared = yield* RcMap.make({
    lookup: (key: string) =>
      Effect.gen(function* () {
        const one = new Shared(GenerationId.make(key.slice(key.indexOf(" ") + 1)), scheduler)
        yield* Effect.forkScoped(Effect.andThen(Deferred.await(one.running), polling(one)))
        return one
      })
  })

  const polling = Effect.fnUntraced(function* (one: Shared) {
    for (let round = 0; one.tokenLog.ended === undefined; round++) {
      yield* read(one, round % POLLS_PER_TELL === 0)
      if (one.tokenLog.ended === undefined) yield* Effect.sleep(POLL_MS)
    }
  })

  /** One round. When the database is away, no stream ends: the next round asks again. */
  const read = Effect.fnUntraced(function* (one: Shared, telling: boolean) {
    let filled = false
    for (const user of one.usersByAge()) {
      if (filled && monotonicMillis(clock) - user.checkedAt < CHECK_MS) return
      const asking = filled ? source.check(one.id) : source.fill(one.id, one.tokenLog)
      const outcome = yield* asking.pipe(
        Effect.as("allowed" as const),
        Effect.catchTag("Unavailable", () => Effect.succeed("away" as const)),
        Effect.catch(() => Effect.succeed("refused" as const)),
        Effect.provideService(Actor, user.actor)
      )
      if (outcome === "away") return
      if (outcome === "refused") one.refuse(user)
      else {
        user.checkedAt = monotonicMillis(clock)
        if (one.tokenLog.ended !== undefined) return
        if (telling && !filled) yield* Effect.provideService(Effect.ignore(source.tell(one.id)), Actor, user.actor)
        filled = true
      }
    }
  })

  /** The tokens so far and those to come. The scope is the reader; the actor's right to read is checked. */
  const attach = Effect.fnUntraced(function* (
    id: GenerationId
  ): Effect.fn.Return<TokenSource, Refused, Actor | Scope.Scope> {
    const actor = yield* Actor
    const one = yield* RcMap.get(shared, `${actor.tenantId} ${id}`)
    // The first reader loads the log as itself; if it fails or leaves meanwhile, the next reader does.
    yield* one.loading.withPermit(
      Effect.suspend(() =>
        one.message === undefined
          ? Effect.map(source.fill(id, one.tokenLog), (message) => {
              one.message = message
            })
          : Effect.void
      )
    )
    if (one.tokenLog.ended !== undefined) return one.tokenLog
    const reading = yield* Effect.acquireRelease(
      Effect.sync(() => one.enter(actor, monotonicMillis(clock))),
      (reading) => Effect.sync(() => one.leave(actor, reading))
    )
    yield* Deferred.succeed(one.running, undefined)
    return reading
  })

  return { attach }
})

/** A user, by one token, and all readers they have with it. */
interface User {
  readonly actor: Actor["Service"]
  readonly readings: Set<Reading>
  /** When (ms) the database last confirmed the user's right to read. */
  checkedAt: number
}

class Shared {
  readonly id: GenerationId
  readonly tokenLog: TokenLog
  readonly loading = Semaphore.makeUnsafe(1)
  readonly running = Deferred.makeUnsafe<void>()
  /** Set when the token log has been filled for the first time. */
  message: Message | undefined = undefined
  readonly #users = new Map<string, User>()

  constructor(id: GenerationId, scheduler: ReaderScheduler) {
    this.id = id
    this.tokenLog = new TokenLog(id, scheduler)
  }

  /** The user whose check is the oldest comes first. */
  usersByAge(): ReadonlyArray<User> {
    return [...this.#users.values()].sort((a, b) => a.checkedAt - b.checkedAt)
  }

  enter(actor: Actor["Service"], now: number): Reading {
    const key = JSON.stringify(actor)
    const user = this.#users.get(key) ?? { actor, readings: new Set(), checkedAt: now }
    this.#users.set(key, user)
    const reading = new Reading(this.tokenLog)
    user.readings.add(reading)
    return reading
  }

  leave(actor: Actor["Service"], reading: Reading): void {
    const key = JSON.stringify(actor)
    const user = this.#users.get(key)
    user?.readings.delete(reading)
    if (user?.readings.size === 0) this.#users.delete(key)
  }

  /** Ends the user's readers, as if the answer had been lost. */
  refuse({ actor, readings }: User): void {
    this.#users.delete(JSON.stringify(actor))
    const { message } = this
    if (message === undefined) return
    const model = message.model ?? undefined
    const end: GenerationEnd = { ending: PROCESS_LOST, usage: undefined, model, message, refused: true }
    for (const reading of readings) reading.end(end)
  }
}

/** One reader's view of a shared token log. It can end while the token log goes on for the others. */
class Reading implements TokenSource {
  readonly #tokenLog: TokenLog
  readonly #wakes = new Set<() => void>()
  #ended: GenerationEnd | undefined = undefined
  #seq = 0

  constructor(tokenLog: TokenLog) {
    this.#tokenLog = tokenLog
  }

  get generationId(): GenerationId {
    return this.#tokenLog.generationId
  }

  get seq(): number {
    return this.#ended === undefined ? this.#tokenLog.seq : this.#seq
  }

  get ended(): GenerationEnd | undefined {
    return this.#ended ?? this.#tokenLog.ended
  }

  /** Only the process that runs the generation knows this. */
  get stalled(): boolean {
    return this.#ended === undefined && this.#tokenLog.stalled
  }

  get tokens(): ReadonlyArray<string> {
    return this.#tokenLog.tokens
  }

  token(seq: number): string {
    return this.#tokenLog.token(seq)
  }

  subscribe(wake: () => void): () => void {
    const unsubscribe = this.#tokenLog.subscribe(wake)
    this.#wakes.add(wake)
    return () => {
      this.#wakes.delete(wake)
      unsubscribe()
    }
  }

  end(end: GenerationEnd): void {
    this.#seq = this.seq
    this.#ended = end
    for (const wake of this.#wakes) wake()
  }
}

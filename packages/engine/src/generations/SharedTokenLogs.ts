import { Actor } from "@llm-saas/domain/Actor"
import { type Ending, GenerationId, type GenerationNotFound } from "@llm-saas/domain/Generation"
import type { Message } from "@llm-saas/domain/Message"
import type { Forbidden, Unauthenticated, Unavailable } from "@llm-saas/domain/Refusal"
import { monotonicMillis } from "@llm-saas/domain/Time"
import { Clock, Deferred, Effect, RcMap, type Scope, Semaphore } from "effect"
import { TokenLog, type GenerationEnd, type TokenSource } from "./TokenLog.ts"

/** How often an answer that runs at another process is read, in ms: as often as that process writes it down. */
const POLL = 250
/** Every so many polls (3 s) the other process is told that its answer is being read. */
const TELL = 12
/** How long (ms) a user may go on reading until it is asked again whether they may. */
const CHECK = 1000

type Refused = GenerationNotFound | Unauthenticated | Forbidden | Unavailable

/** What is asked of the database, each time as the {@link Actor} in the context. */
export interface Source {
  /** Puts on the token log what the database has beyond it. Answers the exchange as it is stored, without what the token log has of it. */
  readonly fill: (id: GenerationId, tokenLog: TokenLog) => Effect.Effect<Message, Refused, Actor>
  /** Fails unless the generation is the actor's to read. */
  readonly check: (id: GenerationId) => Effect.Effect<unknown, Refused, Actor>
  /** Says to the process that runs it that it is being read. */
  readonly tell: (id: GenerationId) => Effect.Effect<unknown, Refused, Actor>
}

/**
 * Answers that do not run at this process: one token log, and one poll, for all who read the same one here. It is let go of with its last
 * reader. The key has the tenant in it, and nobody comes this far without having been let in by the database: see `GenerationReader`.
 *
 * The poll reads as each of its users in turn, so that everybody's right to read is asked anew, every {@link CHECK} at least. Whoever
 * has lost it loses the stream, and the others go on.
 */
export const make = Effect.fnUntraced(function* (source: Source) {
  const clock = yield* Clock.Clock
  const shared = yield* RcMap.make({
    lookup: (key: string) =>
      Effect.gen(function* () {
        const one = new Shared(GenerationId.make(key.slice(key.indexOf(" ") + 1)))
        yield* Effect.forkScoped(Effect.andThen(Deferred.await(one.running), polling(one)))
        return one
      })
  })

  const polling = Effect.fnUntraced(function* (one: Shared) {
    for (let round = 0; one.tokenLog.ended === undefined; round++) {
      yield* read(one, round % TELL === 0)
      if (one.tokenLog.ended === undefined) yield* Effect.sleep(POLL)
    }
  })

  /** One round. A database that is away ends no stream: it is asked again with the next one. */
  const read = Effect.fnUntraced(function* (one: Shared, telling: boolean) {
    let filled = false
    for (const user of one.usersByAge()) {
      if (filled && monotonicMillis(clock) - user.checkedAt < CHECK) return
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

  /** What is known of an answer, and what will be. The scope is the reader; the actor has been let in. */
  const attach = Effect.fnUntraced(function* (
    id: GenerationId
  ): Effect.fn.Return<TokenSource, Refused, Actor | Scope.Scope> {
    const actor = yield* Actor
    const one = yield* RcMap.get(shared, `${actor.tenantId} ${id}`)
    // The first reader fetches what there is, in its own name; if it fails or leaves meanwhile, the next one does.
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

/** A user, by one token, and all that they read with it. */
interface User {
  readonly actor: Actor["Service"]
  readonly readings: Set<Reading>
  /** When the database last let them in, in ms. */
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

  constructor(id: GenerationId) {
    this.id = id
    this.tokenLog = new TokenLog(id)
  }

  /** Whose right was looked at longest ago comes first. */
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

  /** Ends what a user reads, as if it had been lost. */
  refuse({ actor, readings }: User): void {
    this.#users.delete(JSON.stringify(actor))
    if (this.message === undefined) return
    const end: GenerationEnd = { ending: LOST, usage: undefined, message: this.message, refused: true }
    for (const reading of readings) reading.end(end)
  }
}

export const LOST: Ending = { status: "interrupted", failure: "process_lost" }

/** One reader's view of a shared token log. It can be ended while the token log goes on for the others. */
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

  /** That is known to the process alone which runs it. */
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

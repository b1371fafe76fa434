import { PreTenantAccess, type RefusedKey, type UsedKey } from "@llm-saas/database/PreTenantAccess"
import type { KeyId } from "@llm-saas/domain/ApiKey"
import { repeat } from "@llm-saas/domain/Loop"
import { monotonicMillis } from "@llm-saas/domain/Time"
import { Clock, Context, Effect, Layer } from "effect"

/** How often (ms) uses are written. */
const EVERY_MS = 1000
/** How long (ms) further uses of a key are not noted. */
const QUIET_MS = 60_000
/** Most keys written with one statement. */
const BATCH_KEYS = 500
/** Most keys remembered; beyond that some are noted more often, and the database leaves out what it has. */
const REMEMBERED_KEYS = 50_000
/** A loop that finished no round for this long is dead or hangs. */
const OVERDUE_AFTER = "2 minutes"

/**
 * When keys were used, and that they were used after their end: written behind the requests and for many keys together, so that no request
 * waits for it. A process that is killed loses the last second of it.
 */
export class KeyUses extends Context.Service<
  KeyUses,
  {
    readonly used: (key: UsedKey) => void
    /** Only for keys whose secret was right. */
    readonly refused: (key: RefusedKey) => void
  }
>()("@llm-saas/engine/accounts/KeyUses") {
  static readonly layer = Layer.effect(
    KeyUses,
    Effect.gen(function* () {
      const access = yield* PreTenantAccess
      const clock = yield* Clock.Clock
      const now = () => monotonicMillis(clock)
      const used = new Noted<UsedKey>(now)
      const refused = new Noted<RefusedKey>(now)

      // The database is away and the keys are kept: the next round writes them.
      const round = Effect.gen(function* () {
        for (let keys = used.some(); keys.length > 0; keys = used.some()) {
          yield* access.keysUsed(keys)
          used.written(keys.map(({ keyId }) => keyId))
        }
        for (let keys = refused.some(); keys.length > 0; keys = refused.some()) {
          const seen = yield* access.keysRefused(keys)
          refused.written(seen)
          // Another transaction holds the rest.
          if (seen.length < keys.length) return
        }
      }).pipe(Effect.catchTag("Unavailable", () => Effect.void))
      yield* Effect.addFinalizer(() => Effect.timeoutOption(round, "1 second"))
      yield* repeat({ name: "the uses of API keys", every: EVERY_MS, late: OVERDUE_AFTER }, round)
      return KeyUses.of({ used: (key) => used.add(key), refused: (key) => refused.add(key) })
    })
  )
}

/** Keys to write, each at most once in {@link QUIET_MS}. */
class Noted<Key extends UsedKey> {
  readonly #now: () => number
  readonly #at = new Map<KeyId, number>()
  readonly #waiting = new Map<KeyId, Key>()

  constructor(now: () => number) {
    this.#now = now
  }

  add(key: Key): void {
    const at = this.#at.get(key.keyId)
    const now = this.#now()
    if (at !== undefined && now - at < QUIET_MS) return
    if (this.#waiting.size >= REMEMBERED_KEYS) return
    if (this.#at.size >= REMEMBERED_KEYS) this.#at.clear()
    this.#at.set(key.keyId, now)
    this.#waiting.set(key.keyId, key)
  }

  some(): ReadonlyArray<Key> {
    return [...this.#waiting.values()].slice(0, BATCH_KEYS)
  }

  written(ids: ReadonlyArray<KeyId>): void {
    for (const id of ids) this.#waiting.delete(id)
  }
}

import { held } from "@llm-saas/domain/Held"
import { TooManyRequests } from "@llm-saas/domain/Refusal"
import type { TenantId } from "@llm-saas/domain/Tenant"
import type { UserId } from "@llm-saas/domain/User"
import { Effect, type Scope } from "effect"

/** Seconds a refused client is asked to wait. */
const RETRY_AFTER_SECONDS = 2

/**
 * Counts the answers that each user reads at this process, asked or followed. A slow reader holds a socket and its buffers for as long as
 * it likes, so one user may have at most `perUser` readers.
 */
export class ReaderLimit {
  readonly #perUser: number
  readonly #users = new Map<string, number>()

  constructor(perUser: number) {
    this.#perUser = perUser
  }

  /** One more reader, for as long as the scope is open; refused where the user has too many. */
  enter(tenantId: TenantId, userId: UserId): Effect.Effect<void, TooManyRequests, Scope.Scope> {
    const user = `${tenantId} ${userId}`
    return held(
      Effect.suspend(() => {
        const mine = this.#users.get(user) ?? 0
        if (mine >= this.#perUser) return Effect.fail(new TooManyRequests({ retry_after: RETRY_AFTER_SECONDS }))
        this.#users.set(user, mine + 1)
        return Effect.void
      }),
      () =>
        Effect.sync(() => {
          const rest = (this.#users.get(user) ?? 1) - 1
          if (rest > 0) this.#users.set(user, rest)
          else this.#users.delete(user)
        })
    )
  }
}

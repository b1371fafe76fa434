import type { Unavailable } from "@llm-saas/domain/Refusal"
import type { UserId } from "@llm-saas/domain/User"
import type { Effect } from "effect"

/**
 * The accounts that one login tries. An address may have accounts in several tenants, and one login tries a password on all of them. Each
 * is an attempt of its own at that account, whatever the result at the others: else an account in a tenant of one's own would make guesses
 * free.
 */
export interface LoginAttempts {
  /** Notes which accounts the password is compared with, before it is: if the client leaves meanwhile, it failed at each of them. */
  readonly begin: (accounts: ReadonlyArray<UserId>) => void
  /**
   * Ends the login: the password fits `fitting`, and no other of those accounts. The answer must tell of no account but `told`, nor record
   * any but `tried`: those that had an attempt left. To be called as soon as the result is known; until then the login counts as failed.
   */
  readonly end: (
    fitting: ReadonlyArray<UserId>
  ) => Effect.Effect<{ readonly tried: ReadonlySet<UserId>; readonly told: ReadonlySet<UserId> }, Unavailable>
}

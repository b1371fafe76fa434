import type { UserId } from "@llm-saas/domain/User"

/**
 * The accounts that one login may try. An address may have accounts in several tenants, and one login tries a password on all of them. Each
 * is an attempt of its own at that account, whatever the result at the others: else an account in a tenant of one's own would make guesses
 * free.
 */
export interface LoginAttempts {
  /** Begins an attempt at each of the accounts that has one left. The login must not mention the others. */
  readonly begin: (accounts: ReadonlyArray<UserId>) => ReadonlySet<UserId>
  /** Ends those attempts: the others failed. Returns which of the fitting accounts may be named. */
  readonly end: (fitting: ReadonlyArray<UserId>) => ReadonlySet<UserId>
}

import type { UserId } from "@llm-saas/domain/User"

/**
 * What one login may try. An address may have accounts in several tenants, and one login tries a password on all of them: each is an
 * attempt of its own at that account, whatever the others come to, or else an account in a tenant of one's own would make guesses free.
 */
export interface LoginAttempts {
  /** Begins an attempt at each of the accounts that has one left. Of the others the login must not speak. */
  readonly begin: (accounts: ReadonlyArray<UserId>) => ReadonlySet<UserId>
  /** Ends those attempts: the others failed. Answers which of the fitting accounts may be told. */
  readonly end: (fitting: ReadonlyArray<UserId>) => ReadonlySet<UserId>
}

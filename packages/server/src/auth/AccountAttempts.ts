import type { UserId } from "@llm-saas/domain/User"
import type { LoginAttempts } from "@llm-saas/engine/accounts/LoginAttempts"
import { AgingMap } from "./AgingMap.ts"
import type { ClientNetwork } from "../config/ClientNetworks.ts"
import { type Allowance, type Attempt, FailureCounts } from "./FailureCounts.ts"

/** Limits on attempts at accounts. */
export interface AccountLimits {
  /** In which as many failures leak away as are allowed. */
  readonly windowMs: number
  /** Failures for one account from one address. */
  readonly perPair: number
  /** Failures for one email from all addresses; beyond it each address has one for each account. */
  readonly perEmail: number
  /** Failures behind a success from one address, for any email. */
  readonly perAddress: number
  readonly perWideAddress: number
}

/** One login: its email, its address, and whether it names the tenant. `now` is on the monotonic clock, in ms. */
interface Login {
  readonly email: string
  readonly client: ClientNetwork
  readonly exact: boolean
  readonly now: () => number
}

/** Accounts of one email that are counted separately for an address that does not know them; beyond that they share one count. */
const APART = 8
/** How long (ms) an account stays known at the address that created it or logged in to it. */
const REMEMBERED_MS = 24 * 3_600_000

/** An attempt that was let through. */
type Begun = Extract<Attempt, { readonly end: unknown }>

/** Failures of one login, which count for each of these accounts. */
interface Shared {
  readonly attempt: Begun
  readonly accounts: ReadonlyArray<UserId>
}

/**
 * Attempts at each account of an email. A login without a tenant tries them all, and may succeed at one while it guesses at another: an
 * attacker with an account of the victim's email in their own tenant would succeed with every guess. So each account is counted
 * separately, and an account that has used up its failures is left out silently: neither the answer nor its time reveals that, or that
 * the account exists.
 *
 * An account is *known* at an address that created it or logged in to it. Only that distinguishes its owner from others who made accounts
 * of the same email in tenants of their own:
 * - Of many accounts (more than {@link APART}), those that are not known share one count, so that a login adds few entries, however many
 *   accounts there are, and no client can push out the counts of others. The owner's account is known after their first login there.
 * - For an address that failed too often behind successes, whatever the email, a matching account that is known there is the only one
 *   told. So guesses at many emails are limited too, even with tenants of the attacker's own.
 *
 * A login that names its tenant has one account, fails where it fails, and is counted by the LoginThrottle: it is never left out.
 */
export class AccountAttempts {
  readonly #limits: AccountLimits
  readonly #counts: FailureCounts
  readonly #known = new AgingMap<string, true>({ lifetimeMs: REMEMBERED_MS, capacity: 100_000 })

  constructor(limits: AccountLimits) {
    this.#limits = limits
    this.#counts = new FailureCounts({ windowMs: limits.windowMs, capacity: 100_000 })
  }

  /** Number of counts held. */
  get size(): number {
    return this.#counts.size
  }

  /** Records that the account was created or logged in to from this address. */
  know(account: UserId, address: string, now: number): void {
    this.#known.set(`${account} ${address}`, true, now)
  }

  /** Begins one login. `close` ends it; `left`: its client left before the answer. */
  login(login: Login): { readonly attempts: LoginAttempts; readonly close: (left: boolean) => void } {
    let open: ReadonlyArray<Shared> = []
    const end = (failed: (account: UserId) => boolean) => {
      for (const { accounts, attempt } of open) attempt.end(accounts.some(failed), login.now())
      open = []
    }
    return {
      attempts: {
        begin: (accounts) => {
          open = this.#begin(accounts, login)
          const begun = new Set(open.flatMap((each) => each.accounts))
          return new Set(accounts.filter((account) => begun.has(account)))
        },
        end: (fitting) => {
          const fits = new Set(fitting)
          const missed = open.some(({ accounts }) => accounts.some((account) => !fits.has(account)))
          end((account) => !fits.has(account))
          return new Set(this.#told(fitting, missed, login))
        }
      },
      close: (left) => end(() => left)
    }
  }

  #isKnown(account: UserId, { client }: Login): boolean {
    return this.#known.get(`${account} ${client.narrow}`) === true
  }

  /** The accounts that may be tried, and the attempts their failures count for. */
  #begin(accounts: ReadonlyArray<UserId>, login: Login): ReadonlyArray<Shared> {
    const { client, email, exact, now } = login
    const { perEmail, perPair } = this.#limits
    const from = `email ${email}`
    const leak = this.#counts.level(from, now()) >= perEmail ? 1 : perPair
    const limit = exact ? Number.POSITIVE_INFINITY : leak
    const apart = accounts.length <= APART ? accounts : accounts.filter((account) => this.#isKnown(account, login))
    const others = accounts.length <= APART ? [] : accounts.filter((account) => !this.#isKnown(account, login))
    const keys: Array<readonly [key: string, accounts: ReadonlyArray<UserId>]> = apart.map((account) => [
      account,
      [account]
    ])
    if (others.length > 0) keys.push([email, others])
    const open: Array<Shared> = []
    for (const [key, shared] of keys) {
      const allowance: Allowance = { key: `pair ${key} ${client.narrow}`, limit, leak }
      const attempt = this.#counts.attempt([allowance], now())
      if ("end" in attempt) open.push({ attempt, accounts: shared })
    }
    const everywhere = this.#counts.attempt([{ key: from, limit: Number.POSITIVE_INFINITY, leak: perEmail }], now())
    if ("end" in everywhere) open.push({ attempt: everywhere, accounts: open.flatMap((each) => each.accounts) })
    return open
  }

  /** The matching accounts that may be told; `missed`: others did not match. */
  #told(fitting: ReadonlyArray<UserId>, missed: boolean, login: Login): ReadonlyArray<UserId> {
    const { client, now } = login
    const guessed = fitting.length > 0 && missed
    const crowded = this.#behind(login, guessed)
    const known = fitting.filter((account) => this.#isKnown(account, login))
    const told = crowded && known.length > 0 ? known : fitting
    const [one, another] = told
    if (one !== undefined && another === undefined) this.know(one, client.narrow, now())
    return told
  }

  /** Whether this address has failed too often behind successes; `guessed`: counts one more failure. */
  #behind({ client, now }: Login, guessed: boolean): boolean {
    const { perAddress, perWideAddress } = this.#limits
    const places = [
      { key: `address ${client.narrow}`, limit: perAddress },
      ...(client.wide === undefined ? [] : [{ key: `address ${client.wide}`, limit: perWideAddress }])
    ]
    const attempt = this.#counts.attempt(places, now())
    if ("waitMs" in attempt) return true
    attempt.end(guessed, now())
    return false
  }
}

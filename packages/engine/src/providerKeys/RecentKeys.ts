import type { TenantId } from "@llm-saas/domain/Tenant"
import { monotonicMillis } from "@llm-saas/domain/Time"
import type { Clock } from "effect"
import type { UsableKey } from "./ProviderKeyQueries.ts"

/** How long a key that was changed at another process is still used here. */
const FRESH_MS = 5000

/** How long what was read serves where the database is away: nothing new is asked then, but what was asked goes on. */
const STALE_MS = 60_000

/** Tenants' providers that are remembered; the longest unread is forgotten first. */
const MOST = 10_000

interface Entry {
  readonly keys: ReadonlyArray<UsableKey>
  readonly readAt: number
}

/**
 * What was last read of tenants' keys, encrypted as it is stored, so that a question costs no round trip. Each entry is one tenant's, and
 * is found by that tenant's id alone.
 */
export class RecentKeys {
  readonly #clock: Clock.Clock
  readonly #entries = new Map<string, Entry>()

  constructor(clock: Clock.Clock) {
    this.#clock = clock
  }

  /** What is as good as new. */
  fresh(tenant: TenantId, provider: string): ReadonlyArray<UsableKey> | undefined {
    return this.#youngerThan(FRESH_MS, tenant, provider)
  }

  /** What is good enough while the database is away. */
  stale(tenant: TenantId, provider: string): ReadonlyArray<UsableKey> | undefined {
    return this.#youngerThan(STALE_MS, tenant, provider)
  }

  set(tenant: TenantId, provider: string, keys: ReadonlyArray<UsableKey>): void {
    const name = nameOf(tenant, provider)
    this.#entries.delete(name)
    this.#entries.set(name, { keys, readAt: monotonicMillis(this.#clock) })
    if (this.#entries.size <= MOST) return
    const [oldest] = this.#entries.keys()
    if (oldest !== undefined) this.#entries.delete(oldest)
  }

  forget(tenant: TenantId, provider: string): void {
    this.#entries.delete(nameOf(tenant, provider))
  }

  #youngerThan(milliseconds: number, tenant: TenantId, provider: string): ReadonlyArray<UsableKey> | undefined {
    const found = this.#entries.get(nameOf(tenant, provider))
    return found !== undefined && monotonicMillis(this.#clock) - found.readAt < milliseconds ? found.keys : undefined
  }
}

/** Ids have one length: no provider's name makes one tenant's entry another's. */
const nameOf = (tenant: TenantId, provider: string): string => tenant + provider

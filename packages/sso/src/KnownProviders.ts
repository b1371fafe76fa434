import type { ProviderClient } from "@llm-saas/engine/sso/OpenIdProviders"
import { Redacted } from "effect"
import { createHash } from "node:crypto"
import type { Configuration } from "openid-client"

/** How long a provider's configuration is used before it is read again. The library reads its keys again as it needs them. */
const FRESH_MS = 600_000
/** Providers that are remembered; the longest unused is forgotten first. */
const MOST = 1000

interface Entry {
  readonly configuration: Promise<Configuration>
  readonly readAt: number
}

/**
 * Providers' configurations. Each entry is of one client of one tenant, and is found by all of that: nothing that one tenant's provider says
 * is used for another's. Requests that come together wait for one reading.
 */
export class KnownProviders {
  readonly #entries = new Map<string, Entry>()

  /** `now` in milliseconds, monotonic. `anew`: whatever is known. */
  get(client: ProviderClient, now: number, read: () => Promise<Configuration>, anew = false): Promise<Configuration> {
    const key = keyOf(client)
    const known = this.#entries.get(key)
    if (!anew && known !== undefined && now - known.readAt < FRESH_MS) {
      this.#put(key, known)
      return known.configuration
    }
    const entry = { configuration: read(), readAt: now }
    this.#put(key, entry)
    // A failure is told to those who wait for it, and to nobody later.
    entry.configuration.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key)
    })
    return entry.configuration
  }

  #put(key: string, entry: Entry): void {
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    const [oldest] = this.#entries.keys()
    if (this.#entries.size > MOST && oldest !== undefined) this.#entries.delete(oldest)
  }
}

const keyOf = ({ clientId, issuer, owner, redirectUri, secret }: ProviderClient): string =>
  createHash("sha256")
    .update(
      JSON.stringify([owner, issuer, clientId, redirectUri, secret === undefined ? null : Redacted.value(secret)])
    )
    .digest("base64")

import { type FoundKey, PreTenantAccess } from "@llm-saas/database/PreTenantAccess"
import { parseKey } from "@llm-saas/domain/ApiKeyText"
import { TooManyRequests, Unauthenticated, type Unavailable } from "@llm-saas/domain/Refusal"
import { RequestId } from "@llm-saas/domain/RequestId"
import type { TenantId } from "@llm-saas/domain/Tenant"
import { monotonicMillis } from "@llm-saas/domain/Time"
import { KeyUses } from "@llm-saas/engine/accounts/KeyUses"
import { type Clock, Context, Effect, Layer, Option, Result } from "effect"
import { createHash } from "node:crypto"
import { AddressFailures } from "./AddressFailures.ts"
import { AgingMap } from "./AgingMap.ts"
import { ClientNetworks, type Sender } from "../config/ClientNetworks.ts"
import { Settings } from "../config/Settings.ts"

/** How long (ms) a key that worked is not counted as a guess and waits in its tenant's line, and how many are known. */
const KNOWN = { lifetimeMs: 3_600_000, capacity: 50_000 }

/**
 * API keys of requests. Every request looks its key up in the database: what ends a key counts from its very next request. What is looked
 * up is the hash of the whole key, so that an unknown id and a wrong secret are the same look that finds nothing, and no stored hash is
 * ever compared with a given one.
 *
 * A key that worked in this process waits for its look in the line of its tenant, so that no tenant's requests hold up another's.
 *
 * Keys that do not work count for the client's address, as failed logins do. Beyond the limit only keys that worked in this process within
 * the last hour are looked up: a client that tries keys does not stop another at the same address.
 */
export class ApiKeys extends Context.Service<
  ApiKeys,
  {
    /** Refuses everything but a key that works, without saying why. */
    readonly verify: (
      text: string,
      from: Sender
    ) => Effect.Effect<FoundKey, Unauthenticated | TooManyRequests | Unavailable>
  }
>()("@llm-saas/server/auth/ApiKeys") {
  static readonly layer = Layer.effect(
    ApiKeys,
    Effect.gen(function* () {
      const settings = yield* Settings
      const access = yield* PreTenantAccess
      const networks = yield* ClientNetworks
      const uses = yield* KeyUses
      /** The tenant of a key that works, by its hash; null: it does not any more. */
      const known = new AgingMap<string, TenantId | null>(KNOWN)
      const failures = new AddressFailures(settings.LOGIN_WINDOW_MINUTES * 60_000, settings.LOGIN_FAILURES_PER_ADDRESS)

      const refuse = (from: Sender, clock: Clock.Clock) => {
        failures.add(networks.of(from), monotonicMillis(clock))
        return new Unauthenticated({})
      }

      const find = Effect.fnUntraced(function* (hash: string, from: Sender, clock: Clock.Clock) {
        const tenant = known.get(hash) ?? undefined
        const found = yield* access.key(hash, tenant)
        if (Option.isNone(found)) return yield* refuse(from, clock)
        const key = { tenantId: found.value.tenant_id, keyId: found.value.key_id }
        if (found.value.refused !== null) {
          if (tenant !== undefined) known.set(hash, null, monotonicMillis(clock))
          uses.refused({ ...key, reason: found.value.refused, requestId: yield* RequestId })
          return yield* refuse(from, clock)
        }
        known.set(hash, found.value.tenant_id, monotonicMillis(clock))
        uses.used(key)
        return found.value
      })

      return ApiKeys.of({
        verify: (text, from) =>
          Effect.clockWith((clock): ReturnType<ApiKeys["Service"]["verify"]> => {
            const hash = createHash("sha256").update(text).digest("hex")
            const tenant = known.get(hash)
            if (tenant === undefined || tenant === null) {
              const waitMs = failures.wait(networks.of(from), monotonicMillis(clock))
              if (waitMs !== undefined)
                return Effect.fail(new TooManyRequests({ retry_after: Math.ceil(waitMs / 1000) }))
            }
            return Result.isFailure(parseKey(text)) ? Effect.fail(refuse(from, clock)) : find(hash, from, clock)
          })
      })
    })
  )
}

import { TenantId } from "@llm-saas/domain/Tenant"
import type { Attempt, GuestAttempt } from "@llm-saas/engine/Idempotency"
import { Context, Effect, Layer, Redacted } from "effect"
import { createHmac } from "node:crypto"
import { ClientNetworks, type Sender } from "../config/ClientNetworks.ts"
import { SecretKey } from "./SecretKey.ts"

/** What is asked, in which order does not change: the values that make one request another one. */
type Body = ReadonlyArray<string | number | null>

/**
 * Requests that came with an `Idempotency-Key`, as they are known again. Hashes are keyed: a body may hold a password, and a guest's key
 * must lead nobody else to the answer, so that it counts for the network it came from.
 */
export class CreationAttempts extends Context.Service<
  CreationAttempts,
  {
    /** None without a key. */
    readonly of: (operation: string, key: string | undefined, body: Body) => Attempt | undefined
    /** The same of somebody who has no account yet. */
    readonly ofGuest: (operation: string, key: string | undefined, body: Body, from: Sender) => GuestAttempt | undefined
  }
>()("@llm-saas/server/auth/CreationAttempts") {
  static readonly layer = Layer.effect(
    CreationAttempts,
    Effect.gen(function* () {
      const secret = yield* SecretKey
      const networks = yield* ClientNetworks
      const own = createHmac("sha256", Redacted.value(secret.value)).update("idempotency").digest()
      const hash = (...parts: ReadonlyArray<string | Body>) =>
        createHmac("sha256", own).update(JSON.stringify(parts)).digest()

      const bodyHash = (operation: string, body: Body) => hash("body", operation, body).toString("hex")
      return CreationAttempts.of({
        of: (operation, key, body) =>
          key === undefined ? undefined : { key: `${operation} ${key}`, bodyHash: bodyHash(operation, body) },
        ofGuest: (operation, key, body, from) => {
          if (key === undefined) return undefined
          const { narrow } = networks.of(from)
          return {
            key: hash("key", operation, narrow, key).toString("hex"),
            bodyHash: bodyHash(operation, body),
            tenantId: TenantId.make(uuid(hash("tenant", operation, narrow, key)))
          }
        }
      })
    })
  )
}

/** A UUID of our own making (version 8, RFC 9562 §5.8) out of the first bytes of a hash. */
const uuid = (bytes: Buffer): string => {
  const hex = bytes.toString("hex")
  const variant = (8 + (parseInt(hex.charAt(16), 16) % 4)).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

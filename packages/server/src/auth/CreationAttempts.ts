import { TenantId } from "@llm-saas/domain/Tenant"
import type { Attempt, GuestAttempt } from "@llm-saas/engine/Idempotency"
import { Context, Effect, Layer, Redacted } from "effect"
import { createHmac } from "node:crypto"
import { ClientNetworks, type Sender } from "../config/ClientNetworks.ts"
import { SecretKey } from "./SecretKey.ts"

/** The values of a request, in a fixed order, that distinguish it from another. */
type Body = ReadonlyArray<string | number | null>

/**
 * Recognises repeated requests by their `Idempotency-Key`. Hashes are keyed: a body may hold a password. A guest's key counts per
 * network, so that it cannot lead another client to the answer.
 */
export class CreationAttempts extends Context.Service<
  CreationAttempts,
  {
    /** Undefined without a key. */
    readonly of: (operation: string, key: string | undefined, body: Body) => Attempt | undefined
    /** The same for a client without an account. */
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

/** A UUID (version 8, RFC 9562 §5.8) from the first bytes of a hash. */
const uuid = (bytes: Buffer): string => {
  const hex = bytes.toString("hex")
  const variant = (8 + (parseInt(hex.charAt(16), 16) % 4)).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

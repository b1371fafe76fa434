import type { TenantId } from "@llm-saas/domain/Tenant"
import { Context, type Effect, type Redacted } from "effect"

/** A tenant's data key, encrypted with a key of the installation. Bytes are in hex. */
export interface WrappedKey {
  readonly version: number
  readonly wrapped: string
  /** Which key of the installation. */
  readonly wrapped_by: string
}

/** What a secret belongs to. It cannot be read in another place. */
export interface Place {
  readonly tenant: TenantId
  readonly kind: "provider key" | "second factor" | "single sign-on"
  readonly id: string
}

/**
 * Encrypts secrets of tenants. Each is under its tenant's data key, which is under a key of the installation: what one tenant has is of no
 * use with another's, and the installation's key can be changed without touching any secret. What cannot be read is undefined.
 */
export class Encryption extends Context.Service<
  Encryption,
  {
    /** A new data key of a tenant. */
    readonly makeKey: (tenant: TenantId, version: number) => Effect.Effect<WrappedKey>
    /** The secret in hex, encrypted. */
    readonly seal: (secret: Redacted.Redacted, key: WrappedKey, place: Place) => Effect.Effect<string | undefined>
    readonly open: (sealed: string, key: WrappedKey, place: Place) => Effect.Effect<Redacted.Redacted | undefined>
  }
>()("@llm-saas/engine/providerKeys/Encryption") {}

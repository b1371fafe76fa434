import type { Outside } from "@llm-saas/domain/Outside"
import type { CreatedPasskey, PasskeyOptions, UsedPasskey } from "@llm-saas/domain/Passkey"
import { Context, type Effect } from "effect"

/** A passkey as it is stored. Bytes are in base64url. */
export interface KnownPasskey {
  readonly credential: string
  readonly publicKey: string
  readonly signCount: number
  readonly transports: ReadonlyArray<string>
}

/** What is known of a passkey after it was used. */
export interface PasskeyUse {
  readonly signCount: number
  readonly backedUp: boolean
}

/**
 * The signatures of passkeys (WebAuthn Level 3 §7), for pages of this server. `challenge`: any text; what is signed is its hash. What does not
 * fit is undefined, without the reason. Slow by its asynchronous signatures, so never called inside a room.
 */
export class PasskeyVerifier extends Context.Service<
  PasskeyVerifier,
  {
    readonly creation: (of: {
      readonly challenge: string
      /** The account: 1 to 64 bytes in base64url, in which no one's name is. */
      readonly handle: string
      readonly account: string
      readonly known: ReadonlyArray<Pick<KnownPasskey, "credential" | "transports">>
    }) => PasskeyOptions
    readonly created: (
      passkey: typeof CreatedPasskey.Type,
      challenge: string
    ) => Effect.Effect<(KnownPasskey & PasskeyUse) | undefined>
    readonly request: (of: {
      readonly challenge: string
      readonly known: ReadonlyArray<Pick<KnownPasskey, "credential" | "transports">>
    }) => PasskeyOptions
    readonly used: (
      passkey: UsedPasskey,
      of: { readonly challenge: string; readonly known: KnownPasskey }
    ) => Effect.Effect<PasskeyUse | undefined>
  }
>()("@llm-saas/engine/accounts/PasskeyVerifier") {
  declare readonly outside: Outside["outside"]
}

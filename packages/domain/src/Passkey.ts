import { Schema } from "effect"
import { FactorName } from "./Factor.ts"

// What browsers send of passkeys, as `PublicKeyCredential.toJSON` writes it (WebAuthn Level 3 §5.1): bytes in base64url. Members that are not
// read are left out.

const bytes = (most: number) =>
  Schema.String.check(
    Schema.isPattern(/^[A-Za-z0-9_-]+$/u, { expected: "base64url" }),
    Schema.isMaxCodePoints(most, { expected: `at most ${most} characters` })
  )

const CREDENTIAL_CHARACTERS = 1364

const credential = {
  id: bytes(CREDENTIAL_CHARACTERS),
  rawId: bytes(CREDENTIAL_CHARACTERS),
  type: Schema.Literal("public-key")
}

/** Of `navigator.credentials.create`. */
export const CreatedPasskey = Schema.Struct({
  ...credential,
  response: Schema.Struct({
    clientDataJSON: bytes(8192),
    attestationObject: bytes(16_384),
    transports: Schema.optionalKey(
      Schema.Array(Schema.Literals(["ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"])).check(
        Schema.isMaxLength(10, { expected: "at most 10 transports" })
      )
    )
  })
}).annotate({ identifier: "CreatedPasskey" })

/** Of `navigator.credentials.get`. */
export const UsedPasskey = Schema.Struct({
  ...credential,
  response: Schema.Struct({
    clientDataJSON: bytes(8192),
    authenticatorData: bytes(8192),
    signature: bytes(4096),
    userHandle: Schema.optionalKey(bytes(128))
  })
}).annotate({ identifier: "UsedPasskey" })
export type UsedPasskey = typeof UsedPasskey.Type

/** Options for a browser, as the method that takes them wants them. */
export const PasskeyOptions = Schema.Record(Schema.String, Schema.Unknown)
export type PasskeyOptions = typeof PasskeyOptions.Type

/** A passkey that is being added: what `navigator.credentials.create` wants, and the `challenge` that comes back with its answer. */
export const PasskeyCreation = Schema.Struct({ challenge: Schema.String, options: PasskeyOptions }).annotate({
  identifier: "PasskeyCreation"
})

/** The members of a passkey to add, beside its challenge. */
export const newPasskey = { name: Schema.optionalKey(FactorName), passkey: CreatedPasskey }

/** Most passkeys of an account. */
export const MOST_PASSKEYS = 10

import { Effect, Option, Redacted, Schema } from "effect"
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto"
import { Result } from "effect"

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** A text that only we can have written, and only we can read. What it is for is part of the key: none can stand in for another. */
export interface Sealed<A> {
  readonly seal: (value: A) => Effect.Effect<string>
  /** None: not ours, changed, cut off, or of another SECRET_KEY. */
  readonly open: (text: string) => Option.Option<A>
}

/** By AES-256-GCM with a key of SECRET_KEY for this purpose, and a random nonce: far fewer than 2³² are sealed in the life of a key. */
export const sealed = <A, I>(
  of: { readonly secret: Redacted.Redacted; readonly purpose: string; readonly prefix: string },
  schema: Schema.Codec<A, I>
): Sealed<A> => {
  const key = createHmac("sha256", Redacted.value(of.secret)).update(`sealed ${of.purpose}`).digest()
  const encode = Schema.encodeEffect(Schema.fromJsonString(schema))
  const decode = Schema.decodeUnknownOption(Schema.fromJsonString(schema))
  return {
    seal: (value) =>
      Effect.map(Effect.orDie(encode(value)), (json) => {
        const nonce = randomBytes(NONCE_BYTES)
        const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES })
        const bytes = Buffer.concat([nonce, cipher.update(json, "utf8"), cipher.final(), cipher.getAuthTag()])
        return of.prefix + bytes.toString("base64url")
      }),
    open: (text) => {
      if (!text.startsWith(of.prefix)) return Option.none()
      const bytes = Buffer.from(text.slice(of.prefix.length), "base64url")
      if (bytes.length < NONCE_BYTES + TAG_BYTES) return Option.none()
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES
      })
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
      const json = Result.try(() =>
        Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString()
      )
      return Result.isSuccess(json) ? decode(json.success) : Option.none()
    }
  }
}

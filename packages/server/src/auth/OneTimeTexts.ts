import { makeOneTimeToken } from "@llm-saas/domain/OneTimeTokenText"
import { OneTimeTexts } from "@llm-saas/engine/accounts/OneTimeTexts"
import { Effect, Layer, Redacted } from "effect"
import { createHmac } from "node:crypto"
import { SecretKey } from "./SecretKey.ts"

/**
 * Texts as an HMAC of the token's id, by a key that is derived from SECRET_KEY: so the process that sends the mail knows the text, and the
 * database never has it. With another SECRET_KEY, tokens from before lead nowhere.
 */
export const OneTimeTextsLayer = Layer.effect(
  OneTimeTexts,
  Effect.gen(function* () {
    const { value } = yield* SecretKey
    const key = createHmac("sha256", Redacted.value(value)).update("one-time tokens").digest()
    return OneTimeTexts.of({
      textOf: (id) => Redacted.make(makeOneTimeToken(createHmac("sha256", key).update(`mail ${id}`).digest()))
    })
  })
)

import { Operator, OperatorAuthorization } from "@llm-saas/api/OperatorAuthorization"
import { NotFound } from "@llm-saas/api/Failures"
import { OperatorAccess } from "@llm-saas/database/OperatorAccess"
import { isOperatorToken } from "@llm-saas/domain/OperatorTokenText"
import { Unauthenticated } from "@llm-saas/domain/Refusal"
import { Effect, Layer, Redacted } from "effect"
import { createHash } from "node:crypto"
import { Settings } from "../config/Settings.ts"

/** What the database knows of a token: its hash, in hexadecimal. */
export const operatorTokenHash = (text: string): string => createHash("sha256").update(text).digest("hex")

/**
 * Verifies the operator's token of a request. The database looks it up with each request, and once more in every call: what ends a token
 * counts from the very next request. Nothing is counted against guesses: a token has 256 random bits, and what does not look like one is
 * refused without a look.
 */
export const OperatorAuthorizationLayer = Layer.effect(
  OperatorAuthorization,
  Effect.gen(function* () {
    const { OPERATOR } = yield* Settings
    const access = yield* OperatorAccess
    return OperatorAuthorization.of({
      operator: (handler, { credential }) => {
        if (OPERATOR === "off") return Effect.fail(new NotFound({}))
        const text = Redacted.value(credential)
        if (!isOperatorToken(text)) return Effect.fail(new Unauthenticated({ detail: NEEDS_TOKEN }))
        const hash = operatorTokenHash(text)
        return Effect.flatMap(access.whoami(hash), (token) => Effect.provideService(handler, Operator, { hash, token }))
      }
    })
  })
)

const NEEDS_TOKEN = "This is for the operator of the installation, with a token of `npm run operator -- token create`."

import { folded } from "@llm-saas/domain/PasswordRules"
import { SHORTEST_PASSWORD } from "@llm-saas/domain/Password"
import { PasswordRules } from "@llm-saas/engine/accounts/PasswordRules"
import { Effect, Layer } from "effect"
import { Settings } from "../config/Settings.ts"

/** The password of the README's quick start. It is on the list, and works where nothing is at stake. */
const QUICK_START = "password123"

/** {@link PasswordRules} as the settings say, with a list of common passwords. */
export const PasswordRulesLayer = Layer.unwrap(
  Effect.gen(function* () {
    const { APP_ENV, APP_NAME, PASSWORD_MIN_LENGTH } = yield* Settings
    const isCommon = yield* Effect.cached(commonPasswords(APP_ENV === "production" ? [] : [QUICK_START]))
    // Read while the database starts, so that no request waits for it.
    yield* Effect.forkScoped(isCommon)
    return PasswordRules.layer({ product: APP_NAME, minCharacters: PASSWORD_MIN_LENGTH, isCommon })
  })
)

/**
 * The 49,233 most common passwords that zxcvbn-ts counted in lists of stolen ones, of which 17,950 are long enough to be chosen here. They
 * take 4 MB and, once, 40 ms. All lower case. OWASP ASVS 5 §6.2.4 asks for 3,000.
 */
export const commonPasswords = (except: ReadonlyArray<string>) =>
  Effect.map(
    Effect.promise(() => import("@zxcvbn-ts/language-common")),
    ({ dictionary }) => {
      const common = new Set(dictionary["passwords-common"].filter(isLongEnough).map(folded))
      for (const each of except) common.delete(each)
      return (text: string) => common.has(text)
    }
  ).pipe(Effect.withSpan("CommonPasswords.read"))

const isLongEnough = (text: string): boolean => text.length >= SHORTEST_PASSWORD

import { Schema, SchemaGetter } from "effect"
import { isText } from "./Text.ts"

/** Characters (code points) of the shortest password that any installation takes. */
export const SHORTEST_PASSWORD = 8
const MAX_CHARACTERS = 256

const EXPECTED = `a password of ${SHORTEST_PASSWORD} to ${MAX_CHARACTERS} characters`

/** Characters are code points, each at most two UTF-16 units. */
const fits = (text: string): boolean =>
  isText(text)
  && text.length <= MAX_CHARACTERS * 2
  && [...text].length >= SHORTEST_PASSWORD
  && [...text].length <= MAX_CHARACTERS

const Normalised = Schema.String.check(
  Schema.makeFilter((text) => ([...text].length >= SHORTEST_PASSWORD ? undefined : `Expected ${EXPECTED}`), {
    expected: EXPECTED
  })
)

/**
 * A new password: 8 to 256 characters (code points) of well-formed Unicode, NFC-normalised so that the same word typed
 * on two keyboards is the same password (NIST SP 800-63B §3.1.1.2). Its length is checked before and after normalising. Which of
 * them may be chosen is said by `PasswordRules.ts`.
 */
export const Password = Schema.String.check(
  Schema.makeFilter((typed) => (fits(typed) ? undefined : `Expected ${EXPECTED}`), {
    expected: EXPECTED,
    toJsonSchema: () => ({ minLength: SHORTEST_PASSWORD, maxLength: MAX_CHARACTERS, pattern: "^[^\\u0000]*$" })
  })
).pipe(
  Schema.decodeTo(Normalised, {
    decode: SchemaGetter.transform((typed) => typed.normalize("NFC")),
    encode: SchemaGetter.passthrough()
  }),
  Schema.RedactedFromValue
)
export type Password = typeof Password.Type

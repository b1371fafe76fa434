import { Schema, SchemaGetter } from "effect"

const MIN = 8
const MAX = 256
// A code point is at most two UTF-16 units, and NFC makes no text this short more than three times longer (UAX #15).
const MAX_UNITS = MAX * 6

const Characters = Schema.String.check(
  Schema.makeFilter(
    (text) => {
      if (!text.isWellFormed()) return "Expected well-formed Unicode"
      const length = text.length > MAX * 2 ? Number.POSITIVE_INFINITY : [...text].length
      return length >= MIN && length <= MAX ? undefined : `Expected ${MIN} to ${MAX} characters`
    },
    { expected: `a password of ${MIN} to ${MAX} characters` }
  )
)

/**
 * A password to be chosen: 8 to 256 characters (code points) of well-formed Unicode, NFC-normalised so that the same word typed
 * on two keyboards is the same password (NIST SP 800-63B §3.1.1.2). Longer input is refused before it is normalised.
 */
export const Password = Schema.String.check(Schema.isMaxLength(MAX_UNITS)).pipe(
  Schema.decodeTo(Characters, {
    decode: SchemaGetter.transform((typed) => typed.normalize("NFC")),
    encode: SchemaGetter.passthrough()
  }),
  Schema.RedactedFromValue
)
export type Password = typeof Password.Type

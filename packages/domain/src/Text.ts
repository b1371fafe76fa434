import { Schema } from "effect"

/** White space as `String.prototype.trim` knows it (ECMA-262, WhiteSpace and LineTerminator), inside a character class. */
export const WHITE = "\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff"
/** Control characters (Unicode's category Cc), inside a character class. */
export const CONTROLS = "\\u0000-\\u001f\\u007f-\\u009f"

const WELL_FORMED = "well-formed Unicode without NUL"
const VISIBLE = "text with at least one visible character"

/**
 * Text that PostgreSQL can store and JSON can carry unchanged: well-formed Unicode (no lone surrogate) and no NUL,
 * which the `text` type refuses (https://www.postgresql.org/docs/current/datatype-character.html).
 */
export const isText = (text: string): boolean => text.isWellFormed() && !text.includes("\0")

/** See {@link isText}. */
export const Text = Schema.String.check(
  Schema.makeFilter((text) => (isText(text) ? undefined : `Expected ${WELL_FORMED}`), {
    expected: WELL_FORMED,
    toJsonSchema: () => ({ pattern: "^[^\\u0000]*$" })
  })
)

/** Text that is not blank, with at most `max` characters (code points). Without `max` the length is not checked. */
export const prose = (max?: number) =>
  Schema.String.check(
    Schema.makeFilter(
      (text) => {
        if (!isText(text)) return `Expected ${WELL_FORMED}`
        if (text.trim() === "") return `Expected ${VISIBLE}`
        return max === undefined || isWithin(text, max) ? undefined : `Expected at most ${max} characters`
      },
      {
        expected: VISIBLE,
        toJsonSchema: () => ({
          minLength: 1,
          ...(max === undefined ? {} : { maxLength: max }),
          pattern: `^[^\\u0000]*[^\\u0000${WHITE}][^\\u0000]*$`
        })
      }
    )
  )

const CONTROL = /\p{Cc}/u

/** A single line: {@link Text} without control characters, not blank, at most `max` characters (code points). */
export const line = (max: number) =>
  Schema.String.check(
    Schema.makeFilter(
      (text) => {
        if (!isText(text)) return `Expected ${WELL_FORMED}`
        if (text.trim() === "") return `Expected ${VISIBLE}`
        if (CONTROL.test(text)) return "Expected text without control characters"
        return isWithin(text, max) ? undefined : `Expected at most ${max} characters`
      },
      {
        expected: `a line of 1 to ${max} characters`,
        toJsonSchema: () => ({
          minLength: 1,
          maxLength: max,
          pattern: `^[^${CONTROLS}]*[^${CONTROLS}${WHITE}][^${CONTROLS}]*$`
        })
      }
    )
  )

/** Whether a text has at most `max` code points. A code point is at most two UTF-16 units. */
const isWithin = (text: string, max: number): boolean => text.length <= max * 2 && [...text].length <= max

/** A row's id. We generate UUIDv7; a UUID of any version is accepted, so that a foreign id is "not found" and not "malformed". */
export const uuid = Schema.isGUID({ expected: "a UUID", toJsonSchema: () => ({ format: "uuid" }) })

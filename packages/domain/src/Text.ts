import { Schema } from "effect"

const WELL_FORMED = "well-formed Unicode without NUL"

/**
 * Text that PostgreSQL can store and JSON can carry unchanged: well-formed Unicode (no lone surrogate) and no NUL,
 * which the `text` type refuses (https://www.postgresql.org/docs/current/datatype-character.html).
 */
export const Text = Schema.String.check(
  Schema.makeFilter((text) => (text.isWellFormed() && !text.includes("\0") ? undefined : `Expected ${WELL_FORMED}`), {
    expected: WELL_FORMED
  })
)

const CONTROL = /\p{Cc}/u

/** No control character: nothing that a terminal or a log would obey. */
export const noControl = Schema.makeFilter(
  (text: string) => (CONTROL.test(text) ? "Expected no control character" : undefined),
  { expected: "text without control characters" }
)

/** A single line people read: {@link Text} with no control character, not blank, `max` characters (code points) at most. */
export const line = (max: number) =>
  Text.check(
    Schema.makeFilter(
      (text) => {
        if (text.trim() === "") return "Expected at least one visible character"
        if (CONTROL.test(text)) return "Expected no control character"
        return text.length <= max * 2 && [...text].length <= max ? undefined : `Expected at most ${max} characters`
      },
      { expected: `a line of 1 to ${max} characters` }
    )
  )

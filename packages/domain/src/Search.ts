import { Schema } from "effect"
import { isText, WHITE } from "./Text.ts"

const SHORTEST = 2
const LONGEST = 200
const EXPECTED = `a text of ${SHORTEST} to ${LONGEST} characters, not blank`

const isSearch = (text: string): boolean => {
  if (!isText(text) || text.trim() === "" || text.length > 2 * LONGEST) return false
  const { length } = [...text]
  return length >= SHORTEST && length <= LONGEST
}

/** What is looked for in texts: as it is written, no pattern. Capital and small letters are the same. */
export const Search = Schema.String.check(
  Schema.makeFilter((text) => (isSearch(text) ? undefined : `Expected ${EXPECTED}`), {
    expected: EXPECTED,
    toJsonSchema: () => ({
      minLength: SHORTEST,
      maxLength: LONGEST,
      pattern: `^[^\\u0000]*[^\\u0000${WHITE}][^\\u0000]*$`
    })
  })
)

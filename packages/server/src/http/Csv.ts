/**
 * A line of a table (RFC 4180). A text that a spreadsheet would take for a formula gets an apostrophe in front; so does such a part of one
 * behind a semicolon, which separates cells where the comma is the decimal sign.
 */
export const csvLine = (cells: ReadonlyArray<string | number | null>): string => `${cells.map(cell).join(",")}\r\n`

// The wide forms too: a spreadsheet may read them as the others.
const FORMULA = /^(?:\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])/u
const INNER_FORMULA = /;(?=["\s]*[=+\-@\uff1d\uff0b\uff0d\uff20])/gu
const NUMBER = /^-?\d+(?:\.\d+)?$/u
const QUOTED = /[",;\r\n]/u

const cell = (value: string | number | null): string => {
  if (value === null) return ""
  const text = String(value)
  const marked = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text
  const harmless = marked.replace(INNER_FORMULA, ";'")
  return QUOTED.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

export const CSV = "text/csv; charset=utf-8"

const CSV_RANGE = /^\s*text\/csv\s*(?:;|$)/iu

/** Whether a table is asked for: by `format` in the query, else by the accepted media types. */
export const wantsCsv = (format: string | undefined, accept: string | undefined): boolean =>
  format === undefined ? accept?.split(",").some((range) => CSV_RANGE.test(range)) === true : format === "csv"

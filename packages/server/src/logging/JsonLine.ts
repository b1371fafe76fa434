/** Line ends for Python's `splitlines` and tools built on it that JSON does not escape. */
const BREAK = /[\u0085\u2028\u2029]/u
const BREAKS = /[\u0085\u2028\u2029]/gu

/** JSON text that every reader takes for one line: line ends other than LF are escaped, as RFC 8259 §7 allows for any character. */
export const escaped = (json: string): string =>
  BREAK.test(json)
    ? json.replaceAll(BREAKS, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`)
    : json

/** A value as one line of JSON, see {@link escaped}. */
export const jsonLine = (value: unknown): string => escaped(JSON.stringify(value))

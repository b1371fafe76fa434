/** Ends of lines for some readers of event streams, which JSON does not escape: Python's `splitlines`, JavaScript's literals. */
const UNSAFE = /[\u0085\u2028\u2029]/gu

/** A value as the JSON of an event's data, in one line for every reader. */
export const lineOf = (json: string): string => json.replaceAll(UNSAFE, escaped)

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

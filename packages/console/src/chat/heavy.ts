/**
 * Marks of emphasis, links and struck text in one block above which it is not read as Markdown: the time for them grows with their square. 2,000
 * of them took 130 ms, 12,000 six seconds, in which the page would stand still.
 */
const MOST_MARKS = 2000
/** Quotes and lists in each other: the renderer calls itself for each of them. */
const DEEP = /^(?:[ \t]*(?:>|[-*+]|\d{1,9}[.)])){40}/mu
const MARK = /[*_[\]~`<!\\]/gu

/** Whether a text of a stranger would take too long, or too much of the stack, to be rendered as Markdown. `longest`: in characters. */
export const isHeavy = (text: string, longest: number): boolean =>
  text.length > longest || DEEP.test(text) || (text.match(MARK)?.length ?? 0) > MOST_MARKS

import type { Message } from "@llm-saas/client"

/** Where a text was found: what stands around it. */
export interface Excerpt {
  readonly before: string
  readonly hit: string
  readonly after: string
}

/** Characters around what was found. */
const AROUND = 50
/** The first place of `text` in a message, in its question or its answer; capital and small letters are the same. */
export const excerptOf = ({ content, response }: Pick<Message, "content" | "response">, text: string): Excerpt => {
  const inQuestion = placeOf(content, text)
  const whole = inQuestion === -1 && response !== null && placeOf(response, text) !== -1 ? response : content
  const at = placeOf(whole, text)
  if (at === -1) return { before: cut(whole.slice(0, 2 * AROUND)), hit: "", after: "" }
  const end = at + text.length
  const from = Math.max(0, at - AROUND)
  const to = Math.min(whole.length, end + AROUND)
  return {
    before: `${from > 0 ? "…" : ""}${cut(whole.slice(from, at))}`,
    hit: whole.slice(at, end),
    after: `${cut(whole.slice(end, to))}${to < whole.length ? "…" : ""}`
  }
}

/** Letters whose small form is longer than they are leave the place unknown. */
const placeOf = (whole: string, text: string): number => {
  const [small, wanted] = [whole.toLowerCase(), text.toLowerCase()]
  return small.length === whole.length && wanted.length === text.length ? small.indexOf(wanted) : -1
}

/** Half of a character of two units is left out. */
const cut = (text: string): string => text.replace(/^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/gu, "")

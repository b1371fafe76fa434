// oxlint-disable-next-line no-control-regex
const UNUSUAL = /[\r\0\v\f\x1c-\x1e\x85\u2028\u2029\ud800-\udfff]|\[DONE\]/u
const LONE_HIGH = /[\ud800-\udbff]$/u

/**
 * Makes tokens of the pieces a provider sends: the units that are stored, numbered and resumed by. A token is never empty and has no CR
 * (CRLF and CR become LF, also where a CRLF is split over two pieces), no NUL, no half of a surrogate pair, and no line that says `[DONE]`.
 * Other characters that Python takes for the end of a line (Unicode's, and some controls) stand only at its end. So no answer can end a
 * stream or forge an event, for any transport and reader. The usual piece is passed on unchanged.
 */
export class Tokens {
  #held = ""
  #afterCr = false

  /** The tokens of one more piece: usually one; none where it has to wait for the next piece; more where it must be split. */
  push(piece: string): ReadonlyArray<string> {
    if (!this.#afterCr && this.#held === "" && !UNUSUAL.test(piece)) return piece === "" ? [] : [piece]
    let text = this.#held + (this.#afterCr && piece.startsWith("\n") ? piece.slice(1) : piece)
    if (piece !== "") this.#afterCr = piece.endsWith("\r")
    this.#held = LONE_HIGH.exec(text)?.[0] ?? ""
    text = text.slice(0, text.length - this.#held.length)
    return split(clean(text))
  }

  /** The rest that was still waiting when the answer ended. */
  end(): ReadonlyArray<string> {
    const { length } = this.#held
    this.#held = ""
    return length === 0 ? [] : ["\ufffd"]
  }
}

const clean = (text: string) => text.replaceAll(/\r\n?/gu, "\n").replaceAll("\0", "\ufffd").toWellFormed()

const DONE_LINE = /(?:^|\n)[^\S\n]*\[DONE\](?=[^\S\n]*(?:\n|$))/u

// oxlint-disable-next-line no-control-regex
const BEHIND_LINE_END = /(?<=[\v\f\x1c-\x1e\x85\u2028\u2029])(?![\v\f\x1c-\x1e\x85\u2028\u2029])/u

const split = (text: string): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let rest = text
  for (let found = DONE_LINE.exec(rest); found !== null; found = DONE_LINE.exec(rest)) {
    const end = found.index + found[0].length - 1
    parts.push(rest.slice(0, end))
    rest = rest.slice(end)
  }
  if (rest !== "") parts.push(rest)
  return parts.flatMap((part) => part.split(BEHIND_LINE_END))
}

/** The length of each token in characters as PostgreSQL counts them (code points). */
export const lengthsOf = (tokens: ReadonlyArray<string>): Array<number> => tokens.map(codePoints)

/** Code points of a well-formed text. */
export const codePoints = (text: string): number => {
  let count = 0
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0xdc00 || unit > 0xdfff) count++
  }
  return count
}

/** Where each stored token ends in a text. Text beyond the lengths, if any, is one more token. */
export const endsOf = (text: string, lengths: ReadonlyArray<number>): Uint32Array => {
  const ends = new Uint32Array(lengths.length + 1)
  let end = 0
  let count = 0
  for (const length of lengths) {
    for (let taken = 0; taken < length && end < text.length; taken++) {
      const unit = text.charCodeAt(end)
      end += unit >= 0xd800 && unit <= 0xdbff ? 2 : 1
    }
    ends[count++] = end
  }
  if (end < text.length) ends[count++] = text.length
  return ends.subarray(0, count)
}

/** The tokens a text was stored as. */
export const tokensOf = (text: string, lengths: ReadonlyArray<number>): Array<string> => {
  let start = 0
  return Array.from(endsOf(text, lengths), (end) => {
    const token = text.slice(start, end)
    start = end
    return token
  })
}

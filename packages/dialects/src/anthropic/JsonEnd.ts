/** Knows where an object of JSON ends, as its text comes in pieces. It checks nothing else. */
export class JsonEnd {
  #depth = 0
  #inText = false
  #escaped = false
  #complete = false

  /** Whether the object is complete. */
  get complete(): boolean {
    return this.#complete
  }

  push(piece: string): void {
    for (let at = 0; at < piece.length && !this.#complete; at++) this.#read(piece.charCodeAt(at))
  }

  #read(unit: number): void {
    if (this.#inText) {
      if (this.#escaped) this.#escaped = false
      else if (unit === BACKSLASH) this.#escaped = true
      else if (unit === QUOTE) this.#inText = false
    } else if (unit === QUOTE) this.#inText = true
    else if (unit === OPEN_BRACE || unit === OPEN_BRACKET) this.#depth++
    else if (unit === CLOSE_BRACE || unit === CLOSE_BRACKET) {
      this.#depth--
      this.#complete = this.#depth <= 0
    }
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

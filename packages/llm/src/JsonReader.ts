import { StringDecoder } from "node:string_decoder"
import { Result } from "effect"

/** Longest body that is read, if nothing else is said. */
const LIMIT_CHARACTERS = 4_000_000

/** How a JSON body ended: understood, cut off in a value, or not JSON. */
export type JsonEnd = "whole" | "cut" | "malformed"

/**
 * Reads a JSON body that a server sends instead of a stream of events: one value, or one per line (NDJSON), in pieces split at any place.
 * The first line shows which of the two it is.
 */
export class JsonReader {
  readonly #decoder = new StringDecoder("utf8")
  /** Text not parsed yet: an incomplete line, or everything. */
  #text = ""
  #lines: boolean | undefined = undefined
  #characters = 0
  readonly #limit: number

  constructor(limitCharacters = LIMIT_CHARACTERS) {
    this.#limit = limitCharacters
  }

  /** Calls `each` with each value that became complete. False: the body is too long, or a line is not JSON. */
  push(bytes: Uint8Array, each: (value: unknown) => void): boolean {
    const more = this.#decoder.write(bytes)
    this.#characters += more.length
    if (this.#characters > this.#limit) return false
    const end = more.indexOf("\n")
    const [before, after] = end === -1 ? [more, ""] : [more.slice(0, end), more.slice(end + 1)]
    this.#text += before
    if (end === -1) return true
    if (this.#lines === undefined) {
      const first = parse(this.#text)
      this.#lines = Result.isSuccess(first)
      if (Result.isSuccess(first)) each(first.success)
      this.#text = this.#lines ? "" : `${this.#text}\n`
    } else if (this.#lines) {
      if (!this.#line(each)) return false
    } else this.#text += "\n"
    return this.#rest(after, each)
  }

  end(each: (value: unknown) => void): JsonEnd {
    const text = this.#text.trim()
    this.#text = ""
    if (text === "") return "whole"
    const value = parse(text)
    if (Result.isSuccess(value)) each(value.success)
    else return /[}\]]$/u.test(text) ? "malformed" : "cut"
    return "whole"
  }

  #rest(text: string, each: (value: unknown) => void): boolean {
    if (this.#lines !== true) {
      this.#text += text
      return true
    }
    const lines = text.split("\n")
    for (const [index, line] of lines.entries()) {
      this.#text += line
      if (index < lines.length - 1 && !this.#line(each)) return false
    }
    return true
  }

  #line(each: (value: unknown) => void): boolean {
    const text = this.#text.trim()
    this.#text = ""
    if (text === "") return true
    const value = parse(text)
    if (Result.isSuccess(value)) each(value.success)
    return Result.isSuccess(value)
  }
}

const parse = (text: string) => Result.try((): unknown => JSON.parse(text))

import { StringDecoder } from "node:string_decoder"

/** Characters of one event. Providers send some hundred; what grows past this is no stream of events. */
const LIMIT = 4_000_000

/**
 * Reads server-sent events (HTML Living Standard §9.2.6) from bytes that come in pieces cut anywhere, and keeps of each event its data
 * and its name. Written by hand because a token comes by for every event: with `JSON.parse` it takes 3 µs of one's time.
 */
export class SseReader {
  readonly #decoder = new StringDecoder("utf8")
  #first = true
  #afterCr = false
  /** The beginning of a line that is not whole yet. Only ever appended to: searched again, a long line would cost its square. */
  #line = ""
  #data: string | undefined = undefined
  #name = ""
  /** Whether a line has come that belongs to such a stream: a field of an event, or a comment. */
  begun = false

  /** Calls `event` with data and name of each event that became whole. False: one is too large, and nothing more is to be read. */
  push(bytes: Uint8Array, event: (data: string, name: string) => void): boolean {
    const text = this.#normalised(this.#decoder.write(bytes))
    let from = 0
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", from)) {
      const line = this.#line === "" ? text.slice(from, end) : this.#line + text.slice(from, end)
      this.#line = ""
      from = end + 1
      this.#read(line, event)
    }
    if (from < text.length) this.#line += from === 0 ? text : text.slice(from)
    return this.#line.length + (this.#data?.length ?? 0) <= LIMIT
  }

  #read(line: string, event: (data: string, name: string) => void): void {
    if (line === "") {
      const data = this.#data
      const name = this.#name
      this.#data = undefined
      this.#name = ""
      // An error may have come without a word.
      if (data !== undefined || name === "error") event(data ?? "", name)
    } else if (line.startsWith("data:")) {
      this.begun = true
      const value = line.slice(line.startsWith(" ", 5) ? 6 : 5)
      this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`
    } else if (line.startsWith("event:")) {
      this.begun = true
      this.#name = line.slice(6).trim()
    } else if (line.startsWith(":") || line.startsWith("id:") || line.startsWith("retry:")) this.begun = true
  }

  /** Lines may end in LF, CRLF or CR, and a CRLF may be cut in two; a byte order mark may stand at the beginning. */
  #normalised(text: string): string {
    if (text === "") return text
    let clean = text
    if (this.#first && clean.startsWith("\ufeff")) clean = clean.slice(1)
    this.#first = false
    if (this.#afterCr && clean.startsWith("\n")) clean = clean.slice(1)
    this.#afterCr = text.endsWith("\r")
    return clean.includes("\r") ? clean.replaceAll(/\r\n?/gu, "\n") : clean
  }
}

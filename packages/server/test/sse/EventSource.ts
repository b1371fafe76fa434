/** An event as a page receives it. */
export interface Event {
  readonly event: string
  readonly data: string
  /** The id in force for it: its own, or the last one before it. */
  readonly lastEventId: string
}

/**
 * Reads an event stream as browsers do: §9.2.6 of the HTML standard, step by step. Bytes come in pieces of any size. What a cut leaves
 * unfinished is thrown away, as the standard says.
 */
export class EventSource {
  readonly events: Array<Event> = []
  readonly comments: Array<string> = []
  lastEventId = ""
  readonly #decoder = new TextDecoder("utf-8")
  #line = ""
  #afterCr = false
  #data = ""
  #event = ""
  #id: string

  constructor(lastEventId = "") {
    this.lastEventId = lastEventId
    this.#id = lastEventId
  }

  feed(bytes: Uint8Array): this {
    for (const character of this.#decoder.decode(bytes, { stream: true })) {
      if (character === "\n" && this.#afterCr) {
        this.#afterCr = false
        continue
      }
      this.#afterCr = character === "\r"
      if (character === "\n" || character === "\r") {
        this.#take(this.#line)
        this.#line = ""
      } else this.#line += character
    }
    return this
  }

  #take(line: string): void {
    if (line === "") return this.#dispatch()
    const colon = line.indexOf(":")
    if (colon === 0) return void this.comments.push(line.slice(1))
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /u, "")
    if (field === "event") this.#event = value
    else if (field === "data") this.#data += `${value}\n`
    else if (field === "id" && !value.includes("\0")) this.#id = value
  }

  #dispatch(): void {
    this.lastEventId = this.#id
    if (this.#data !== "")
      this.events.push({
        event: this.#event === "" ? "message" : this.#event,
        data: this.#data.slice(0, -1),
        lastEventId: this.lastEventId
      })
    this.#data = ""
    this.#event = ""
  }
}

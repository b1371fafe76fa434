/** One event of a stream of server-sent events. */
export interface ServerEvent {
  readonly id: string
  readonly event: string
  readonly data: string
}

/**
 * Reads server-sent events from text split at any place: https://html.spec.whatwg.org/multipage/server-sent-events.html. Not
 * `eventsource-parser`, which would do the same: the plain client depends on nothing, so that it can be copied or vendored as it is.
 */
export class EventStream {
  #rest = ""
  #afterCr = false
  #id = ""
  #event = ""
  #data: Array<string> = []

  /** The events that this text completes. */
  push(text: string): ReadonlyArray<ServerEvent> {
    const events: Array<ServerEvent> = []
    // A CRLF may be split between two texts.
    const all = this.#rest + (this.#afterCr && text.startsWith("\n") ? text.slice(1) : text)
    if (text !== "") this.#afterCr = text.endsWith("\r")
    const lines = all.split(/\r\n|\r|\n/u)
    this.#rest = lines.pop() ?? ""
    for (const line of lines) this.#line(line, events)
    return events
  }

  #line(line: string, events: Array<ServerEvent>): void {
    if (line === "") {
      if (this.#data.length > 0)
        events.push({ id: this.#id, event: this.#event || "message", data: this.#data.join("\n") })
      this.#data = []
      this.#event = ""
      return
    }
    const colon = line.indexOf(":")
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /u, "")
    if (field === "data") this.#data.push(value)
    else if (field === "event") this.#event = value
    else if (field === "id" && !value.includes("\0")) this.#id = value
  }
}

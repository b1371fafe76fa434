/** An event as httpx-sse returns it. */
export interface PythonEvent {
  readonly event: string
  readonly data: string
  readonly id: string
}

/** Line ends of Python's `str.splitlines`: https://docs.python.org/3/library/stdtypes.html#str.splitlines. */
// oxlint-disable-next-line no-control-regex
const LINE_END = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/u

/**
 * Reads an event stream as httpx-sse does over `httpx.Response.iter_lines`: lines end at each of Python's line ends, and a blank line is an
 * event as soon as there was an id, whether or not anything came with it.
 */
export const readAsPython = (text: string): ReadonlyArray<PythonEvent> => {
  const events: Array<PythonEvent> = []
  let event = ""
  let data: Array<string> = []
  let id = ""
  for (const line of text.split(LINE_END)) {
    if (line === "") {
      if (event !== "" || data.length > 0 || id !== "") events.push({ event, data: data.join("\n"), id })
      event = ""
      data = []
      continue
    }
    if (line.startsWith(":")) continue
    const [field = "", ...rest] = line.split(":")
    const value = rest.join(":").replace(/^ /u, "")
    if (field === "event") event = value
    else if (field === "data") data.push(value)
    else if (field === "id" && !value.includes("\0")) id = value
  }
  // `split` has one more where the text ends with a line end.
  return text === "" || !LINE_END.test(text.slice(-1)) ? events : events.slice(0, -1)
}

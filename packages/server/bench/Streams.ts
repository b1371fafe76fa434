import { connect } from "node:net"

/** Streams opened at once and read to their end. */
export interface StreamsOptions {
  readonly port: number
  readonly request: string
  readonly streams: number
  /** Milliseconds over which they are opened, evenly; all at once unless it is given. */
  readonly ramp?: number
  /** How the last event of a whole answer begins: `data: [DONE]` unless it is given. */
  readonly done?: string
  /** Told of every event as it is read, for rates within a stretch of time. */
  readonly heard?: (events: number) => void
}

export interface StreamsResult {
  readonly events: number
  readonly seconds: number
  /** Milliseconds from the request to the first token, sorted. */
  readonly first: Float64Array
  /** Milliseconds between two reads of a stream that brought tokens, of all streams, sorted. */
  readonly gaps: Float64Array
  /** Streams that did not end with their last event. */
  readonly broken: number
}

const END = Buffer.from("\n\n")
const DATA = Buffer.from("\ndata: ")

/** Opens all streams, in batches so that the listener's queue holds them, and counts their events. */
export const streams = (options: StreamsOptions): Promise<StreamsResult> => {
  const started = performance.now()
  const first: Array<number> = []
  const gaps: Array<number> = []
  let events = 0
  let broken = 0
  const bytes = Buffer.from(options.request)
  const end = Buffer.from(options.done ?? "data: [DONE]")

  const stream = (index: number) =>
    new Promise<void>((resolve) => setTimeout(resolve, ((options.ramp ?? 0) * index) / options.streams)).then(() =>
      open()
    )

  const open = () =>
    new Promise<void>((resolve) => {
      const socket = connect(options.port, "127.0.0.1")
      let sent = 0
      let tail = Buffer.alloc(0)
      let last = 0
      let done = false
      socket.setNoDelay(true)
      socket.on("connect", () => {
        sent = performance.now()
        socket.write(bytes)
      })
      socket.on("data", (chunk: Buffer) => {
        const now = performance.now()
        if (last !== 0) {
          gaps.push(now - last)
          last = now
        } else if (chunk.includes(DATA)) {
          first.push(now - sent)
          last = now
        }
        let heard = 0
        for (let at = chunk.indexOf(END); at !== -1; at = chunk.indexOf(END, at + 2)) heard++
        events += heard
        options.heard?.(heard)
        const recent = Buffer.concat([tail, chunk])
        tail = recent.subarray(-end.length)
        if (recent.includes(end)) {
          done = true
          socket.destroy()
          resolve()
        }
      })
      socket.on("error", () => {})
      socket.on("close", () => {
        if (!done) broken++
        resolve()
      })
    })

  return Promise.all(Array.from({ length: options.streams }, (_, index) => stream(index))).then(() => ({
    events: events - options.streams,
    seconds: (performance.now() - started) / 1000,
    first: Float64Array.from(first).sort(),
    gaps: Float64Array.from(gaps).sort(),
    broken
  }))
}

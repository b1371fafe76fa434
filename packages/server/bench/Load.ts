import { connect, type Socket } from "node:net"

/** One request, or several in turns, sent again and again over keep-alive connections, each waiting for its answer before the next. */
export interface LoadOptions {
  readonly port: number
  readonly request: string | ReadonlyArray<string>
  readonly connections: number
  readonly seconds: number
  /** The status every answer must have. Anything else is an error of the benchmark. */
  readonly status: number
}

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  /** Milliseconds from the first byte sent to the last byte read, sorted. */
  readonly latencies: Float64Array
}

/** The value below which the fraction `p` of `sorted` lies. */
export const percentile = (sorted: Float64Array, p: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN

export const get = (path: string, headers: Record<string, string> = {}): string =>
  `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${lines(headers)}\r\n`

export const post = (path: string, body: string, contentType: string, headers: Record<string, string> = {}): string =>
  `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: ${contentType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${lines(headers)}\r\n${body}`

const lines = (headers: Record<string, string>) =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("")

/** Closed-loop load on a server of this machine, for a bounded time. */
export const load = (options: LoadOptions): Promise<LoadResult> => {
  const latencies: Array<number> = []
  const started = performance.now()
  const until = started + options.seconds * 1000
  const requests = (typeof options.request === "string" ? [options.request] : options.request).map((one) =>
    Buffer.from(one)
  )
  let turn = 0

  const connection = () =>
    new Promise<void>((resolve, reject) => {
      const socket: Socket = connect(options.port, "127.0.0.1")
      socket.setNoDelay(true)
      let buffered: Buffer = Buffer.alloc(0)
      let sent = 0
      const send = () => {
        if (performance.now() >= until) {
          socket.destroy()
          return resolve()
        }
        const bytes = requests[turn++ % requests.length] ?? Buffer.alloc(0)
        sent = performance.now()
        socket.write(bytes)
      }
      socket.on("connect", send)
      socket.on("data", (chunk: Buffer) => {
        buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk])
        const head = buffered.indexOf("\r\n\r\n")
        if (head === -1) return
        const text = buffered.toString("latin1", 0, head)
        const status = Number(text.slice(9, 12))
        if (status !== options.status) {
          socket.destroy()
          return reject(
            new Error(`expected ${options.status}, got ${status}: ${buffered.toString("utf8").slice(0, 400)}`)
          )
        }
        const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0)
        if (buffered.length < head + 4 + length) return
        buffered = buffered.subarray(head + 4 + length)
        latencies.push(performance.now() - sent)
        send()
      })
      socket.on("error", reject)
    })

  return Promise.all(Array.from({ length: options.connections }, connection)).then(() => ({
    requests: latencies.length,
    seconds: (performance.now() - started) / 1000,
    latencies: Float64Array.from(latencies).sort()
  }))
}

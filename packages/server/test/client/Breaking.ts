import { Effect } from "effect"
import { connect, createServer, type Socket } from "node:net"

/** A proxy whose connections break. */
export interface Breaking {
  readonly port: number
  /** Number of opened connections. */
  readonly connections: () => number
  /** Number of broken connections. */
  readonly broken: () => number
}

/**
 * A proxy to `port` whose nth connection, from 0 on, breaks after `after(n)` bytes of answers. Undefined: it does not; 0: it is
 * refused at once.
 */
export const breaking = (port: number, after: (connection: number) => number | undefined) =>
  Effect.acquireRelease(
    Effect.callback<Breaking & { readonly close: () => void }>((resume) => {
      let connections = 0
      let broken = 0
      const sockets = new Set<Socket>()
      const server = createServer((near) => {
        const limit = after(connections++)
        sockets.add(near)
        near.on("error", () => {})
        if (limit === 0) {
          broken++
          near.resetAndDestroy()
          return
        }
        const far = connect(port, "127.0.0.1")
        sockets.add(far)
        far.on("error", () => near.destroy())
        near.on("close", () => far.destroy())
        near.pipe(far)
        let passed = 0
        far.on("data", (chunk: Buffer) => {
          const rest = limit === undefined ? chunk.length : limit - passed
          passed += chunk.length
          near.write(chunk.subarray(0, rest))
          if (chunk.length < rest || limit === undefined) return
          broken++
          // What was written arrives before the end does.
          near.destroySoon()
          far.destroy()
        })
        far.on("close", () => near.destroySoon())
      }).listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(
          Effect.succeed({
            port: typeof address === "object" && address !== null ? address.port : 0,
            connections: () => connections,
            broken: () => broken,
            close: () => {
              for (const socket of sockets) socket.destroy()
              server.close()
            }
          })
        )
      })
    }),
    ({ close }) => Effect.sync(close)
  )

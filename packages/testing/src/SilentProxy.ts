import { Effect, type Scope } from "effect"
import { connect, createServer, type Socket } from "node:net"

/** A proxy to a server that can fall silent, like a lost network or machine: nothing is refused, and nothing is answered. */
export interface SilentProxy {
  readonly port: number
  /** Stops forwarding, on existing and new connections, until {@link thaw}. */
  readonly freeze: () => void
  /** Resumes forwarding where it stopped. */
  readonly thaw: () => void
  /** Drops every existing connection without telling either side. New connections work. */
  readonly forget: () => void
  /** Number of connections that were opened. */
  readonly opened: () => number
}

/** A proxy to `port` on loopback, while the scope is open. */
export const silentProxy = (port: number): Effect.Effect<SilentProxy, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<SilentProxy & { readonly close: () => void }>((resume) => {
      const pairs = new Set<readonly [Socket, Socket]>()
      const sockets = new Set<Socket>()
      let frozen = false
      let opened = 0
      const flow = (pair: readonly [Socket, Socket]) => {
        for (const socket of pair)
          if (frozen) socket.pause()
          else socket.resume()
      }
      const server = createServer({ pauseOnConnect: true }, (near) => {
        opened++
        const far = connect(port, "127.0.0.1")
        const pair = [near, far] as const
        pairs.add(pair)
        for (const [socket, other] of [pair, [far, near] as const]) {
          sockets.add(socket)
          socket.setNoDelay(true)
          socket.on("error", () => {})
          socket.on("data", (chunk) => void (pairs.has(pair) && other.write(chunk)))
          socket.on("close", () => {
            sockets.delete(socket)
            if (pairs.delete(pair)) other.destroy()
          })
        }
        flow(pair)
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(
          Effect.succeed({
            port: typeof address === "object" && address !== null ? address.port : 0,
            freeze: () => {
              frozen = true
              for (const pair of pairs) flow(pair)
            },
            thaw: () => {
              frozen = false
              for (const pair of pairs) flow(pair)
            },
            forget: () => {
              for (const pair of pairs) for (const socket of pair) socket.pause()
              pairs.clear()
            },
            opened: () => opened,
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

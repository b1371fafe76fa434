import { NodeHttpServer } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import type { HttpServerError } from "effect/http"
import { createServer } from "node:http"
import type { Socket } from "node:net"
import { Settings } from "../Settings.ts"
import { StartupFailed } from "../Startup.ts"
import { problemBody } from "./Problems.ts"

/**
 * The listening socket, with the limits that keep a slow or hostile sender from holding it: 10 s for the headers, 30 s for a whole
 * request, 16 KiB of headers, 10,000 connections. On shutdown it stops accepting and lets requests in flight finish.
 */
export const ServerLayer = Layer.unwrap(
  Effect.gen(function* () {
    const { HOST, PORT, SHUTDOWN_SECONDS } = yield* Settings
    return NodeHttpServer.layer(listener, {
      host: HOST,
      port: PORT,
      gracefulShutdownTimeout: `${SHUTDOWN_SECONDS ?? 20} seconds`
    }).pipe(
      Layer.catchTag("ServeError", (error) =>
        Layer.effectContext(Effect.fail(new StartupFailed({ message: explain(error, HOST, PORT) })))
      )
    )
  })
)

const listener = () => {
  const server = createServer({
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    connectionsCheckingInterval: 2000,
    keepAliveTimeout: 65_000,
    maxHeaderSize: 16_384
  })
  server.maxConnections = 10_000
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy()
      return
    }
    const status = error.code === "HPE_HEADER_OVERFLOW" ? 431 : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400
    const body = problemBody(status)
    socket.end(
      `HTTP/1.1 ${status} -\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
    )
  })
  return server
}

const explain = (error: HttpServerError.ServeError, host: string, port: number): string => {
  const code = error.cause instanceof Error && "code" in error.cause ? error.cause.code : undefined
  if (code === "EADDRINUSE") return `port ${port} is in use: stop what uses it, or set PORT to another one`
  if (code === "EACCES") return `port ${port} may not be used by this user: set PORT to one above 1023`
  return `cannot listen on ${host}, port ${port}`
}

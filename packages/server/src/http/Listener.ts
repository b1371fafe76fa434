import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Effect, Layer } from "effect"
import { HttpServer, type HttpServerError } from "effect/http"
import type { IncomingMessage, Server } from "node:http"
import type { Duplex } from "node:stream"
import type { Socket } from "node:net"
import { StartupFailed } from "../process/Startup.ts"
import { NodeServer } from "./Constants.ts"
import { doorOf } from "./Door.ts"
import { Drain } from "./Drain.ts"
import { Exchange, type ExchangePolicy } from "./Exchange.ts"
import { HttpOptions } from "./HttpOptions.ts"
import { LINGER_MS, refuseRaw } from "./RawRefusal.ts"
import { RequestLines } from "../logging/RequestLines.ts"
import type { RouteTable } from "./RouteTable.ts"
import { allowedOrigins } from "./AllowedOrigins.ts"
import { securityHeaders } from "./SecurityHeaders.ts"
import { Upgrades } from "./Upgrades.ts"

const { createServer } = process.getBuiltinModule("node:http")

/**
 * The listening socket, with the limits that keep a slow or hostile sender from holding it. Requests that Node itself refuses get a
 * problem too. On shutdown it stops accepting, lets requests in flight finish until the deadline, and cuts the rest.
 */
export const listenerLayer = (routes: RouteTable) =>
  Layer.merge(
    Layer.effectContext(
      Effect.gen(function* () {
        const options = yield* HttpOptions
        const drain = yield* Drain
        const requests = yield* RequestLines
        const policy: ExchangePolicy = {
          headers: securityHeaders(options.production),
          allowsOrigin: allowedOrigins(options),
          draining: drain.isDraining,
          door: (request) => doorOf(request, routes),
          ended: (exchange) => {
            requests.ended(exchange)
            // An answer that began before the drain could not announce the end of its connection.
            if (drain.isDraining()) endIdle(exchange.req.socket)
          }
        }
        const upgrades = Upgrades.make({
          maxBytes: options.maxBodyBytes,
          draining: drain.isDraining,
          exchangeFor: (request) => new Exchange(request, policy)
        })
        const server = listener(options, policy, upgrades)
        refuseWhatNodeRefuses(server, routes, (refused, socket) =>
          requests.refused({ ...refused, client: addressOf(socket) })
        )
        const sockets = trackSockets(server)
        holdUntilServed(server)
        const http = yield* NodeHttpServer.make(() => server, {
          host: options.host,
          port: options.port,
          gracefulShutdownTimeout: options.drainTimeoutMs
        }).pipe(Effect.mapError((error) => new StartupFailed({ message: explain(error, options) })))
        // Runs before the server is closed for good, which would wait for the connections.
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            for (const socket of sockets) socket.destroy()
          })
        )
        yield* Effect.forkScoped(
          Effect.andThen(
            drain.begun,
            Effect.sync(() => {
              for (const socket of sockets) endIdle(socket)
            })
          )
        )
        return Context.make(HttpServer.HttpServer, http).pipe(
          Context.add(NodeServer, server),
          Context.add(Upgrades, upgrades)
        )
      })
    ),
    NodeHttpServer.layerHttpServices
  )

const listener = (options: HttpOptions["Service"], policy: ExchangePolicy, upgrades: Upgrades["Service"]) => {
  const server = createServer({
    ServerResponse: class<Request extends IncomingMessage> extends Exchange<Request> {
      constructor(request: Request) {
        super(request, policy)
      }
    },
    maxHeaderSize: options.maxHeaderBytes,
    headersTimeout: options.headersTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    keepAliveTimeout: options.keepAliveTimeoutMs,
    connectionsCheckingInterval: options.checkingIntervalMs,
    // Refused by the edge instead, with a problem.
    requireHostHeader: false,
    shouldUpgradeCallback: upgrades.wanted
  })
  server.maxConnections = options.maxConnections
  server.maxHeadersCount = 200
  return server
}

/**
 * The port is open before the routes are built, and Node drops a request without a listener: its sender would wait for ever. So early
 * requests wait for the first listener.
 */
const holdUntilServed = (server: Server) => {
  const early: Array<readonly [IncomingMessage, Exchange]> = []
  const hold = (request: IncomingMessage, exchange: Exchange) => void early.push([request, exchange])
  const serve = (event: string | symbol) => {
    if (event !== "request") return
    server.off("newListener", serve).off("request", hold)
    process.nextTick(() => {
      for (const [request, exchange] of early) if (!exchange.closed) server.emit("request", request, exchange)
    })
  }
  server.on("request", hold).on("newListener", serve)
}

/** Node does not count a connection that has sent nothing as idle, and would wait for it: we close those ourselves. */
const trackSockets = (server: Server): ReadonlySet<Socket> => {
  const sockets = new Set<Socket>()
  server.on("connection", (socket: Socket) => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
  })
  return sockets
}

const endIdle = (socket: Socket) => {
  if (exchangeOf(socket) === undefined) socket.destroySoon()
}

/** The request a socket is working on. Node's own handling of these errors reads the same field. */
const exchangeOf = (socket: Duplex): Exchange | undefined => {
  const exchange: unknown = Reflect.get(socket, "_httpMessage")
  return exchange instanceof Exchange ? exchange : undefined
}

const addressOf = (socket: Duplex): string => {
  const address: unknown = Reflect.get(socket, "remoteAddress")
  return typeof address === "string" ? address : "-"
}

type Refused = (refused: ReturnType<typeof refuseRaw>, socket: Duplex) => void

const refuseWhatNodeRefuses = (server: Server, routes: RouteTable, refused: Refused) => {
  const seen = new WeakSet<Duplex>()
  server.on("clientError", (error: ParserError, socket: Duplex) => {
    // The parser reports the error again for every later packet.
    if (seen.has(socket)) return
    seen.add(socket)
    if (error.code === "ECONNRESET" || !socket.writable || Reflect.get(socket, "bytesRead") === 0) {
      socket.destroy()
      return
    }
    const { code, headers } = reasonOf(error, routes)
    const exchange = exchangeOf(socket)
    if (exchange === undefined)
      refused(refuseRaw(socket, code, doorOf({ url: targetIn(error) }, routes), headers), socket)
    else if (exchange.headersSent) socket.destroy()
    else {
      exchange.refuse(code, headers)
      endAfter(socket, exchange, error)
    }
  })
  server.on("checkExpectation", (_: IncomingMessage, response: unknown) => {
    if (response instanceof Exchange) response.refuse("expectation_failed")
  })
  // CONNECT is for proxies. Its target is an authority, which no route matches.
  server.on("connect", (_: IncomingMessage, socket: Duplex) => {
    refused(refuseRaw(socket, "method_not_allowed", "native", { allow: routes.allow }), socket)
  })
}

/** Work that outlasts its request, such as reading the body, ends with the connection. */
const endAfter = (socket: Duplex, exchange: Exchange, error: Error) => {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  exchange.req.on("error", () => {})
  socket.once("close", () => {
    clearTimeout(timer)
    exchange.req.destroy(error)
  })
}

const FIRST_LINE = /^[!-~]{1,40} (\/[!-~]*) HTTP\//u
const BEGINNING = /^[!-~]{1,40} (\/[!-~]*)/u

interface ParserError extends NodeJS.ErrnoException {
  readonly rawPacket?: Buffer
}

const firstBytes = ({ rawPacket }: ParserError): string => rawPacket?.toString("latin1", 0, 2048) ?? ""

/** The target of a request that the parser gave up on, as far as its bytes say it: a target may be cut. */
const targetIn = (error: ParserError): string => BEGINNING.exec(firstBytes(error))?.[1] ?? ""

const reasonOf = (error: ParserError, routes: RouteTable) => {
  switch (error.code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { code: "request_timeout", headers: {} } as const
    case "HPE_HEADER_OVERFLOW":
      return { code: "headers_too_large", headers: {} } as const
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return { code: "payload_too_large", headers: {} } as const
    case "HPE_INVALID_METHOD": {
      // A method unknown to Node, on an otherwise valid request line.
      const target = FIRST_LINE.exec(firstBytes(error))?.[1]
      if (target === undefined) return { code: "malformed_request", headers: {} } as const
      const route = routes.find(target)
      return route === undefined
        ? ({ code: "not_found", headers: {} } as const)
        : ({ code: "method_not_allowed", headers: { allow: route.allow } } as const)
    }
    default:
      return { code: "malformed_request", headers: {} } as const
  }
}

const explain = (error: HttpServerError.ServeError, { host, port }: HttpOptions["Service"]): string => {
  const code: unknown = error.cause instanceof Error ? Reflect.get(error.cause, "code") : undefined
  if (code === "EADDRINUSE") return `port ${port} is in use: stop what uses it, or set PORT to another one`
  if (code === "EACCES") return `port ${port} may not be used by this user: set PORT to one above 1023`
  return `cannot listen on ${host}, port ${port}`
}

import { type WebSocket, WebSocketServer } from "@effect/platform-node/NodeWS"
import { Context, Effect, Layer, type Scope } from "effect"
import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import { NodeServer } from "./Constants.ts"
import type { Exchange } from "./Exchange.ts"
import type { RefusalCode, RefusalDetails } from "./Refusals.ts"

/** An open WebSocket and the request that asked for it: its log record ends with the connection. */
export interface Upgraded {
  readonly socket: WebSocket
  readonly exchange: Exchange
}

type Accept = (upgraded: Upgraded) => void

/**
 * Requests that become WebSockets (RFC 6455), on paths that accept them. Every other upgrade request is answered as if it had not asked
 * (RFC 9110 §7.8): curl --http2 asks on every plain connection.
 */
export class Upgrades extends Context.Service<
  Upgrades,
  {
    readonly wanted: (request: IncomingMessage) => boolean
    readonly take: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
    /** Accepts the WebSockets of a path until the scope closes. */
    readonly accept: (path: string, accept: Accept) => Effect.Effect<void, never, Scope.Scope>
    /** Accepts WebSockets from now on; before, none. */
    readonly open: Effect.Effect<void>
  }
>()("@llm-saas/server/http/Upgrades") {
  /** `maxBytes`: limit of one message. */
  static readonly make = (options: {
    readonly maxBytes: number
    readonly draining: () => boolean
    readonly exchangeFor: (request: IncomingMessage) => Exchange
  }): Upgrades["Service"] => {
    const accepting = new Map<string, Accept>()
    const sockets = new WebSocketServer({
      noServer: true,
      maxPayload: options.maxBytes,
      clientTracking: false,
      // Our reader answers pings, and fewer of them.
      autoPong: false
    })
    let isOpen = false
    return Upgrades.of({
      wanted: (request) => isOpen && accepting.has(request.url ?? "") && isHandshake(request),
      take: (request, socket, head) => {
        const exchange = options.exchangeFor(request)
        const accept = accepting.get(request.url ?? "")
        exchange.route = request.url ?? "-"
        // A broken socket closes; the other listeners listen for that.
        socket.on("error", () => {})
        if (!isSocket(socket)) return void socket.destroy()
        exchange.assignSocket(socket)
        const refused = options.draining() ? (["unavailable"] as const) : refuse(request, exchange)
        if (refused !== undefined || accept === undefined) {
          exchange.once("finish", () => socket.end())
          return exchange.refuse(refused?.[0] ?? "not_found", {}, refused?.[1])
        }
        sockets.handleUpgrade(request, socket, head, (ws) => {
          exchange.upgraded()
          accept({ socket: ws, exchange })
        })
      },
      accept: (path, accept) =>
        Effect.acquireRelease(
          Effect.sync(() => void accepting.set(path, accept)),
          () => Effect.sync(() => accepting.delete(path))
        ),
      open: Effect.sync(() => {
        isOpen = true
      })
    })
  }

  /** Replaces Effect's own upgrade, which has neither our limits nor our log. Built after the routes are served. */
  static readonly opened = Layer.effectDiscard(
    Effect.gen(function* () {
      const server = yield* NodeServer
      const upgrades = yield* Upgrades
      server.removeAllListeners("upgrade")
      server.on("upgrade", upgrades.take)
      yield* upgrades.open
    })
  )
}

const isSocket = (socket: Duplex): socket is Socket => "remoteAddress" in socket

const isHandshake = ({ headers, method }: IncomingMessage): boolean =>
  method === "GET" && headers.upgrade?.toLowerCase() === "websocket"

const KEY = /^[A-Za-z0-9+/]{22}==$/u

/** A browser lets every page open a WebSocket to any server, which must check the page's origin itself (RFC 6455 §10.2). */
const refuse = (
  request: IncomingMessage,
  exchange: Exchange
): readonly [code: RefusalCode, details?: RefusalDetails] | undefined => {
  if (!exchange.hasOneHost) return invalid("host", "Expected it once")
  if (!KEY.test(request.headers["sec-websocket-key"] ?? "")) return invalid("sec-websocket-key", "Expected 16 bytes")
  if (request.headers["sec-websocket-version"] !== "13") return invalid("sec-websocket-version", "Expected 13")
  const { origin } = exchange
  if (origin === undefined || exchange.allowedOrigin !== undefined) return undefined
  return URL.parse(origin)?.host === request.headers.host ? undefined : invalid("origin", "Expected an allowed origin")
}

const invalid = (header: string, message: string) =>
  ["invalid_request", { errors: [{ path: ["headers", header], message }] }] as const

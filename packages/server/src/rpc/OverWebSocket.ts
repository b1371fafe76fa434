import { RPC_PATH } from "@llm-saas/api/Rpcs"
import { TooManyRequests } from "@llm-saas/domain/Refusal"
import { Cause, Context, Effect, Option, Queue, Schema } from "effect"
import { Headers, HttpServer } from "effect/http"
import { RpcSerialization, RpcServer } from "effect/rpc"
import * as SocketServer from "effect/socket/SocketServer"
import { Drain } from "../http/Drain.ts"
import { RequestLines } from "../logging/RequestLines.ts"
import { type Upgraded, Upgrades } from "../http/Upgrades.ts"
import type { MessagePacing } from "./MessagePacing.ts"
import { CurrentWebSocket, limitedSocket, refuseConnection } from "./Connection.ts"
import { LINES, toRequest } from "./Frames.ts"
import { limited } from "./LimitedProtocol.ts"
import { CurrentOpenCalls, OpenCalls, problem } from "./OpenCalls.ts"

/** Calls of one connection that may be open at once. One more is refused. */
const MAX_CALLS = 64

/**
 * Calls by WebSocket: each frame has messages, one per line, and the answers are sent as they are ready. A stream's next piece is sent
 * when the client has acknowledged the one before: a slow reader costs one piece, and no connection to the database.
 *
 * The protocol is Effect's. What it lacks is around it: the limits of a connection in {@link limitedSocket}, those of messages here.
 */
export const overWebSocket = Effect.fnUntraced(function* (pacing: MessagePacing) {
  const drain = yield* Drain
  const protocol = yield* RpcServer.makeProtocolSocketServer.pipe(
    Effect.provideServiceEffect(SocketServer.SocketServer, upgradedSockets(pacing)),
    Effect.provideService(RpcSerialization.RpcSerialization, LINES)
  )
  const tooMany = yield* Effect.orDie(Schema.encodeEffect(TooManyRequests)(new TooManyRequests({ retry_after: 1 })))

  return limited(protocol, (message, { calls, dispatch, send }) => {
    switch (message._tag) {
      case "Request": {
        if (calls.has(message.id)) return refuseConnection
        calls.begin(message, true)
        if (drain.isDraining()) return calls.refuse(message.id, problem("unavailable"), send)
        if (calls.size > MAX_CALLS) return calls.refuse(message.id, tooMany, send)
        return dispatch(toRequest(message, calls.carrier.headers))
      }
      case "Ack":
      case "Interrupt": {
        const call = calls.get(message.requestId)
        if (call === undefined) return Effect.void
        if (message._tag === "Ack") call.sentAt = undefined
        else call.interrupted = true
        return dispatch(message)
      }
      case "Ping":
        return dispatch(message)
      case "Eof":
        return Effect.void
      default:
        // What is no message: see `LINES`.
        return refuseConnection
    }
  })
})

/** The WebSockets opened at the path of RPC, as a server of sockets with the limits of {@link limitedSocket}. */
const upgradedSockets = Effect.fnUntraced(function* (pacing: MessagePacing) {
  const { address } = yield* HttpServer.HttpServer
  const upgrades = yield* Upgrades
  const drain = yield* Drain
  const lines = yield* RequestLines
  const opened = yield* Queue.unbounded<Upgraded>()
  yield* upgrades.accept(RPC_PATH, (upgraded) => {
    // Nothing is listening yet: `Socket.fromWebSocket` resumes it when it is.
    upgraded.socket.pause()
    Queue.offerUnsafe(opened, upgraded)
  })

  return SocketServer.SocketServer.of({
    address,
    run: (handler) =>
      Effect.forever(
        Effect.flatMap(Queue.take(opened), ({ exchange, socket }) => {
          const carrier = {
            headers: Headers.fromInput(exchange.req.headers),
            remoteAddress: Option.some(exchange.client)
          }
          const calls = new OpenCalls(exchange, carrier, lines)
          return limitedSocket({ calls, exchange, socket }, pacing, drain).pipe(
            Effect.flatMap(handler),
            Effect.catchCauseIf(Cause.hasDies, (cause) =>
              Effect.logError("a connection failed for a reason of ours", cause)
            ),
            Effect.provideContext(Context.make(CurrentOpenCalls, calls).pipe(Context.add(CurrentWebSocket, socket))),
            Effect.forkChild
          )
        })
      )
  })
})

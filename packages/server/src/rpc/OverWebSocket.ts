import type { WebSocket } from "@effect/platform-node/NodeWS"
import { RPC_PATH } from "@llm-saas/api/Rpcs"
import { TooManyRequests } from "@llm-saas/domain/Refusal"
import { Cause, Effect, FiberSet, Option, Queue, Schema } from "effect"
import { Headers } from "effect/http"
import { RpcSerialization, RpcServer } from "effect/rpc"
import type { FromClientEncoded, FromServerEncoded } from "effect/rpc/RpcMessage"
import * as Socket from "effect/socket/Socket"
import { Drain } from "../http/Drain.ts"
import type { Exchange } from "../http/Exchange.ts"
import { RequestLines } from "../logging/RequestLines.ts"
import { type Upgraded, Upgrades } from "../http/Upgrades.ts"
import { OpenCalls, CurrentOpenCalls, problem } from "./OpenCalls.ts"
import { linesOf, type Message, readLine, type Request, toRequest } from "./Frames.ts"
import type { Turns } from "./CallTurns.ts"

/** Calls of one connection that may be open at once. One more is refused. */
const MAX_CALLS = 64
/** Messages of one frame; clients send one. More end the connection. */
const MAX_MESSAGES = 128
/** Calls in a row without a valid token, after which the connection ends: a client that has one does not fail so often. */
const MAX_STRANGERS = 8
/** Bytes of answers a client may be behind before we stop reading from it. */
const BEHIND_BYTES = 262_144
/** Milliseconds between two checks of a connection. */
const LOOK_MS = 15_000
/** Checks (a minute) for which a client may take nothing, or send nothing at all, not even a pong. */
const STUCK_LOOKS = 4
/** Checks (10 minutes) for which a connection without calls is kept. */
const UNUSED_LOOKS = 40

/** Milliseconds a client has to close a connection that we end. */
const GOODBYE_MS = 2000

// https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1
const GOING_AWAY = 1001
const NOT_OURS = 1008

/**
 * Calls by WebSocket: each frame has messages, one per line, and the answers are sent as they are ready. A stream's next piece is sent
 * when the client has acknowledged the one before: a slow reader costs one piece, and no connection to the database.
 */
export const overWebSocket = Effect.fnUntraced(function* (turns: Turns) {
  const upgrades = yield* Upgrades
  const lines = yield* RequestLines
  const drain = yield* Drain
  const disconnects = yield* Queue.unbounded<number>()
  const run = yield* FiberSet.makeRuntime<never>()
  const clients = new Map<number, (response: FromServerEncoded) => void>()
  let next = 0
  let dispatch: (id: number, message: FromClientEncoded) => Effect.Effect<void> = () => Effect.void

  const tooMany = yield* Effect.orDie(Schema.encodeEffect(TooManyRequests)(new TooManyRequests({ retry_after: 1 })))

  const converse = Effect.fnUntraced(function* ({ exchange, socket }: Upgraded, calls: OpenCalls) {
    const { headers } = calls.carrier
    const id = next++
    const write = (line: string) => {
      if (socket.readyState === socket.OPEN) socket.send(line)
    }
    clients.set(id, (response) => calls.leave(response, write))
    yield* Effect.addFinalizer(() => {
      clients.delete(id)
      calls.close()
      return Queue.offer(disconnects, id)
    })

    const begin = (request: Request): Effect.Effect<void> => {
      if (calls.has(request.id)) return Effect.sync(() => socket.close(NOT_OURS))
      calls.begin(request, true)
      if (drain.isDraining()) return Effect.sync(() => calls.refuse(request.id, problem("unavailable"), write))
      if (calls.size > MAX_CALLS) return Effect.sync(() => calls.refuse(request.id, tooMany, write))
      return dispatch(id, toRequest(request, headers))
    }

    const take = (message: Message): Effect.Effect<void> => {
      switch (message._tag) {
        case "Request":
          return begin(message)
        case "Ack":
        case "Interrupt": {
          const call = calls.get(message.requestId)
          if (call === undefined) return Effect.void
          if (message._tag === "Ack") call.sentAt = undefined
          else call.interrupted = true
          return dispatch(id, message)
        }
        case "Ping":
          return dispatch(id, message)
        case "Eof":
          return Effect.void
      }
    }

    const { pull } = yield* Effect.flatMap(
      Socket.fromWebSocket(Effect.acquireRelease(Effect.succeed(socket), () => Effect.sync(() => leave(socket)))),
      ({ reader }) => reader
    )
    answerPings(socket)
    yield* Effect.forkScoped(watching(exchange, socket, calls))
    yield* Effect.forkScoped(
      drain.begun.pipe(
        Effect.andThen(calls.untilIdle),
        Effect.andThen(Effect.sync(() => leave(socket))),
        // A client that does not close the connection must not keep the server running.
        Effect.andThen(
          Effect.delay(
            Effect.sync(() => socket.terminate()),
            GOODBYE_MS
          )
        )
      )
    )
    while (true) {
      for (const frame of yield* pull) {
        const text = typeof frame === "string" ? frame : new TextDecoder().decode(frame)
        const lines = linesOf(text, MAX_MESSAGES)
        if (Option.isNone(lines)) return socket.close(NOT_OURS)
        for (const line of lines.value) {
          yield* turns.next
          if (calls.strangers >= MAX_STRANGERS) return socket.close(NOT_OURS)
          const message = readLine(line)
          if (Option.isNone(message)) return socket.close(NOT_OURS)
          yield* take(message.value)
        }
      }
      yield* caughtUp(exchange)
    }
  }, Effect.scoped)

  yield* upgrades.accept(RPC_PATH, (upgraded) => {
    const { exchange } = upgraded
    const carrier = {
      headers: Headers.fromInput(exchange.req.headers),
      remoteAddress: Option.some(exchange.client)
    }
    const calls = new OpenCalls(exchange, carrier, lines)
    run(
      converse(upgraded, calls).pipe(
        Effect.catchTag("SocketError", () => Effect.void),
        Effect.catchCauseIf(Cause.hasDies, (cause) =>
          Effect.logError("a connection failed for a reason of ours", cause)
        ),
        Effect.provideService(CurrentOpenCalls, calls)
      )
    )
  })
  return yield* RpcServer.Protocol.make((receive) => {
    dispatch = receive
    return Effect.succeed({
      disconnects,
      send: (id, response) => Effect.sync(() => clients.get(id)?.(response)),
      end: () => Effect.void,
      clientIds: Effect.sync(() => new Set(clients.keys())),
      initialMessage: Effect.succeedNone,
      supportsAck: true,
      supportsTransferables: false,
      supportsSpanPropagation: false,
      supportsNotifications: false,
      codecFor: RpcSerialization.ndjson.codecFor
    })
  })
})

const leave = (socket: WebSocket) => socket.close(GOING_AWAY)

/** Answers the latest ping of a turn of the event loop, as RFC 6455 §5.5.3 allows: a packet may hold ten thousand. */
const answerPings = (socket: WebSocket) => {
  let latest: Buffer | undefined = undefined
  socket.on("ping", (data) => {
    if (latest === undefined)
      setImmediate(() => {
        if (socket.readyState === socket.OPEN) socket.pong(latest)
        latest = undefined
      })
    latest = data
  })
}

/** Waits until a client has taken what it was sent; until then its next message is not read. */
const caughtUp = ({ socket }: Exchange): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (socket === null || socket.destroyed || socket.writableLength < BEHIND_BYTES) return resume(Effect.void)
    const done = () => resume(Effect.void)
    socket.once("drain", done).once("close", done)
    return Effect.sync(() => socket.off("drain", done).off("close", done))
  })

/** Ends a connection whose client takes nothing, is gone silently, or has made no call for long. */
const watching = Effect.fnUntraced(function* ({ socket: connection }: Exchange, socket: WebSocket, calls: OpenCalls) {
  let heard = connection?.bytesRead ?? 0
  let silent = 0
  while (true) {
    yield* Effect.sleep(LOOK_MS)
    const { behind, unused } = calls.look()
    silent = connection?.bytesRead === heard ? silent + 1 : 0
    heard = connection?.bytesRead ?? 0
    if (silent >= STUCK_LOOKS || behind >= STUCK_LOOKS) socket.terminate()
    else if (unused >= UNUSED_LOOKS) leave(socket)
    else socket.ping()
  }
})

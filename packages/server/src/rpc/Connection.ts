import type { WebSocket } from "@effect/platform-node/NodeWS"
import { Context, Effect, Option } from "effect"
import * as Socket from "effect/socket/Socket"
import type { Drain } from "../http/Drain.ts"
import type { Exchange } from "../http/Exchange.ts"
import type { Upgraded } from "../http/Upgrades.ts"
import type { MessagePacing } from "./MessagePacing.ts"
import { linesOf } from "./Frames.ts"
import type { OpenCalls } from "./OpenCalls.ts"

/** Messages of one frame; clients send one. More end the connection. */
const MAX_MESSAGES = 128
/** Calls in a row without a valid token, after which the connection ends: a client that has one does not fail so often. */
const MAX_UNAUTHENTICATED = 8
/** Bytes of answers a client may be behind before we stop reading from it. */
const BEHIND_BYTES = 262_144
/** Milliseconds between two ticks, which check a connection. */
const TICK_MS = 15_000
/** Ticks (a minute) for which a client may take nothing, or send nothing at all, not even a pong. */
const STUCK_TICKS = 4
/** Ticks (10 minutes) for which a connection without calls is kept. */
const UNUSED_TICKS = 40

/** Milliseconds a client has to close a connection that we end. */
const GOODBYE_MS = 2000

// https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1
const GOING_AWAY = 1001
const NOT_OURS = 1008

/** An open WebSocket with its calls. */
export interface Connection extends Upgraded {
  readonly calls: OpenCalls
}

/** The WebSocket from which the current fiber reads. */
export const CurrentWebSocket = Context.Reference<WebSocket | undefined>("@llm-saas/server/rpc/CurrentWebSocket", {
  defaultValue: () => undefined
})

/** Ends the current connection, whose client does not keep to the protocol, and the fiber that reads from it. */
export const refuseConnection: Effect.Effect<never> = Effect.withFiber((fiber) => {
  fiber.getRef(CurrentWebSocket)?.close(NOT_OURS)
  return Effect.interrupt
})

/**
 * The socket of a connection for Effect's RPC protocol, which has no limits of its own (`makeSocketProtocol` in effect/rpc/RpcServer.ts).
 * Gives it one message at a time, and the next when its turn has come and the client has taken what it was sent. Its calls end with it.
 */
export const limitedSocket = (connection: Connection, pacing: MessagePacing, drain: Drain["Service"]) =>
  Effect.gen(function* () {
    const { calls, exchange, socket } = connection
    const whole = yield* Socket.fromWebSocket(
      Effect.acquireRelease(Effect.succeed(socket), () => Effect.sync(() => leave(socket)))
    )
    const reader = Effect.gen(function* () {
      const { pull, upgrade } = yield* whole.reader
      // Before the protocol's own finalizer, which ends the calls: they are logged as their client's end, not as ours.
      yield* Effect.addFinalizer(() => Effect.sync(() => calls.close()))
      answerPings(socket)
      yield* Effect.forkScoped(watching(connection))
      yield* Effect.forkScoped(leaving(connection, drain))
      // Effect takes an error of the connection, a frame that is too long for example, for a defect of ours.
      const frames = Effect.catch(pull, () => Effect.interrupt)
      return { pull: paced(Effect.andThen(caughtUp(exchange), frames), calls, pacing), upgrade }
    })
    return Socket.make({ reader, writer: whole.writer })
  })

type Pull = Socket.Reader["pull"]

/** Takes frames apart into messages, at most so many in a turn of the event loop. */
const paced = (frames: Pull, calls: OpenCalls, pacing: MessagePacing): Pull => {
  const waiting: Array<string> = []
  const next: Pull = Effect.suspend(() => {
    const line = waiting.shift()
    if (line === undefined) return Effect.flatMap(frames, fill)
    return Effect.flatMap(pacing.next, () =>
      calls.unauthenticated >= MAX_UNAUTHENTICATED ? refuseConnection : Effect.succeed([line] as const)
    )
  })
  const fill = (frames: ReadonlyArray<string | Uint8Array>) => {
    for (const frame of frames) {
      const lines = linesOf(typeof frame === "string" ? frame : new TextDecoder().decode(frame), MAX_MESSAGES)
      if (Option.isNone(lines)) return refuseConnection
      waiting.push(...lines.value)
    }
    return next
  }
  return next
}

const leave = (socket: WebSocket) => socket.close(GOING_AWAY)

/** Ends a connection when the server stops and its calls are over. */
const leaving = ({ calls, socket }: Connection, drain: Drain["Service"]) =>
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
const watching = Effect.fnUntraced(function* ({ calls, exchange: { socket: connection }, socket }: Connection) {
  let heard = connection?.bytesRead ?? 0
  let silent = 0
  while (true) {
    yield* Effect.sleep(TICK_MS)
    const { behind, unused } = calls.tick()
    silent = connection?.bytesRead === heard ? silent + 1 : 0
    heard = connection?.bytesRead ?? 0
    if (silent >= STUCK_TICKS || behind >= STUCK_TICKS) socket.terminate()
    else if (unused >= UNUSED_TICKS) leave(socket)
    else socket.ping()
  }
})

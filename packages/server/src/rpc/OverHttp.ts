import { RPC_PATH } from "@llm-saas/api/Rpcs"
import { Deferred, Effect, Option, Queue } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { RpcSerialization, RpcServer } from "effect/rpc"
import { constEof, type FromClientEncoded, type FromServerEncoded } from "effect/rpc/RpcMessage"
import { checkBody } from "../http/Body.ts"
import type { Exchange } from "../http/Exchange.ts"
import { exchangeOf } from "../http/HttpEdge.ts"
import { refusal } from "../http/Refusals.ts"
import { jsonLine } from "../logging/JsonLine.ts"
import { RequestLines } from "../logging/RequestLines.ts"
import type { Route } from "../http/RouteTable.ts"
import { OpenCalls, CurrentOpenCalls } from "./OpenCalls.ts"
import { isRequest, type Message, readLines, type Request, toRequest } from "./Frames.ts"
import type { MessagePacing } from "./MessagePacing.ts"

/** Effect's client appends a slash to the address it is given. */
export const RPC_ROUTES: ReadonlyArray<Route> = [
  { path: RPC_PATH, methods: ["POST"] },
  { path: `${RPC_PATH}/`, methods: ["POST"] }
]

/** Calls one POST may carry: they run concurrently. */
const MAX_CALLS = 32
/** Milliseconds of silence after which an empty line is sent as a keep-alive. */
const QUIET_MS = 15_000
/** Milliseconds a reader may take nothing of what was sent. */
const STUCK_MS = 60_000

const HEADERS = {
  "content-type": "application/x-ndjson",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no"
}

interface Client {
  readonly write: (response: FromServerEncoded) => Effect.Effect<void>
  readonly end: Effect.Effect<void>
}

/**
 * Calls by HTTP: a POST carries several, and its answer streams their results, one message per line. The answer's socket is the only
 * buffer: a reader that is behind makes its calls wait.
 *
 * Not `makeProtocolWithHttpEffect` (effect/rpc/RpcServer.ts) with decorated `send` and `run`, as {@link overWebSocket} does it. Tried: its
 * `httpEffect` dispatches all calls before it reads the queue of answers, and a call that is refused at once is answered while it is
 * dispatched. More such calls than the queue holds (`streamBufferSize`, 16 by default) wait for ever: with a queue of one, seven calls of
 * which five do not fit did. A queue that cannot fill holds a piece for each call, 33, of a reader that is behind; here it is the socket.
 * Body, headers, keep-alive and writing would be ours still: it decodes the body itself, puts the request's headers in front of each
 * call's before `run`, begins the answer with its first piece, and what it cannot encode goes past `send`, with the defect's text.
 */
export const overHttp = Effect.fnUntraced(function* (pacing: MessagePacing) {
  const router = yield* HttpRouter.HttpRouter
  const lines = yield* RequestLines
  const disconnects = yield* Queue.unbounded<number>()
  const clients = new Map<number, Client>()
  let next = 0
  let dispatch: (id: number, message: FromClientEncoded) => Effect.Effect<void> = () => Effect.void

  const answer = Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const exchange = exchangeOf(request)
    if (exchange === undefined) return yield* Effect.die(new Error("calls need their own listener"))
    if (!isNdjson(request.headers["content-type"])) return refusal("unsupported_media_type")
    const bad = yield* Effect.orDie(checkBody(request))
    if (bad !== undefined) return refusal(bad.code, bad.details)
    const requests = callsOf(yield* Effect.orDie(request.text))
    if (requests === undefined) return refusal("invalid_request", { errors: [EXPECTED] })

    exchange.route = RPC_PATH
    const calls = new OpenCalls(exchange, request, lines)
    // Each of its calls may wait for the reader.
    exchange.setMaxListeners(MAX_CALLS * 2)
    const over = yield* Deferred.make<void>()
    const id = next++
    const writer = writerOf(exchange)
    clients.set(id, {
      write: (response) => calls.leave(response, (answer) => writer(`${jsonLine(answer)}\n`)),
      end: Effect.asVoid(Deferred.succeed(over, undefined))
    })
    yield* Effect.forkScoped(quietly(exchange, writer))
    yield* Effect.forEach(
      requests,
      (each) => {
        calls.begin(each, requests.length > 1)
        return Effect.andThen(pacing.next, dispatch(id, toRequest(each, request.headers)))
      },
      { discard: true }
    ).pipe(
      Effect.andThen(dispatch(id, constEof)),
      Effect.andThen(Deferred.await(over)),
      Effect.provideService(CurrentOpenCalls, calls),
      Effect.ensuring(
        Effect.suspend(() => {
          clients.delete(id)
          calls.close()
          return Queue.offer(disconnects, id)
        })
      )
    )
    if (!exchange.headersSent) exchange.writeHead(200, HEADERS)
    exchange.end()
    return HttpServerResponse.empty()
  })

  for (const { path } of RPC_ROUTES) yield* router.add("POST", path, answer)
  return yield* RpcServer.Protocol.make((receive) => {
    dispatch = receive
    return Effect.succeed({
      disconnects,
      send: (id, response) => clients.get(id)?.write(response) ?? Effect.void,
      end: (id) => clients.get(id)?.end ?? Effect.void,
      clientIds: Effect.sync(() => new Set(clients.keys())),
      ...FEATURES
    })
  })
})

/** What the protocol offers: answers as lines of JSON, and no messages beside them. */
const FEATURES = {
  initialMessage: Effect.succeedNone,
  supportsAck: false,
  supportsTransferables: false,
  supportsSpanPropagation: false,
  supportsNotifications: false,
  codecFor: RpcSerialization.ndjson.codecFor
}

const EXPECTED = {
  path: ["payload"],
  message: `Expected 1 to ${MAX_CALLS} calls, each with an id of its own, as lines of JSON`
}

const isNdjson = (type: string | undefined) => /^application\/(?:x-)?(?:nd)?json\s*(?:;|$)/iu.test(type ?? "")

const callsOf = (text: string): ReadonlyArray<Request> | undefined => {
  const messages: ReadonlyArray<Message> = Option.getOrElse(readLines(text, MAX_CALLS), () => [])
  const requests = messages.filter(isRequest)
  const ids = new Set(requests.map(({ id }) => id))
  return messages.length > 0 && ids.size === messages.length ? requests : undefined
}

const writerOf =
  (exchange: Exchange) =>
  (text: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (exchange.destroyed || exchange.writableEnded) return Effect.void
      if (!exchange.headersSent) exchange.writeHead(200, HEADERS)
      return exchange.chunk(text) ? Effect.void : drained(exchange)
    })

const drained = (exchange: Exchange): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const done = () => resume(Effect.void)
    exchange.once("drain", done).once("close", done)
    return Effect.sync(() => exchange.off("drain", done).off("close", done))
  }).pipe(Effect.timeoutOrElse({ duration: STUCK_MS, orElse: () => Effect.sync(() => void exchange.destroy()) }))

/** Sends keep-alives: a call may wait long for a model, and proxies cut silent connections. An empty line means nothing. */
const quietly = Effect.fnUntraced(function* (exchange: Exchange, write: (text: string) => Effect.Effect<void>) {
  const written = () => exchange.socket?.bytesWritten ?? 0
  while (true) {
    const before = written()
    yield* Effect.sleep(QUIET_MS)
    if (written() === before) yield* write("\n")
  }
})

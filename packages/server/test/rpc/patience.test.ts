import { NodeWS } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Access } from "@llm-saas/api/Access"
import { CallAuthorization, CallBoundary } from "@llm-saas/api/Call"
import { GenerationsRpc } from "@llm-saas/api/GenerationsRpc"
import { MessagesRpc } from "@llm-saas/api/MessagesRpc"
import { Actor } from "@llm-saas/domain/Actor"
import { TenantId } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"
import { Script } from "@llm-saas/testing/ScriptedLlm"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { engine, newUser } from "@llm-saas/testing/EngineFixture"
import { Context, Effect, Fiber, Layer } from "effect"
import { HttpServer } from "effect/http"
import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { TestClock } from "effect/testing"
import { connect } from "node:net"
import { GenerationsCalls } from "../../src/rpc/handlers/generations.ts"
import { MessagesCalls } from "../../src/rpc/handlers/messages.ts"
import { Drain } from "../../src/http/Drain.ts"
import { HttpOptions } from "../../src/http/HttpOptions.ts"
import { httpServerLayer } from "../../src/http/HttpServe.ts"
import { LogLines } from "../../src/logging/LogLines.ts"
import { LogOptions } from "../../src/logging/LogOptions.ts"
import { LogsLayer } from "../../src/logging/Logs.ts"
import { rpcServerLayer } from "../../src/rpc/RpcServerLayer.ts"
import { RPC_ROUTES } from "../../src/rpc/OverHttp.ts"
import { attempts } from "../Attempts.ts"

class NoApi extends HttpApi.make("none").add(
  HttpApiGroup.make("none").add(HttpApiEndpoint.get("none", "/none").annotate(Access, "public"))
) {}
class Asking extends MessagesRpc.merge(GenerationsRpc).middleware(CallBoundary) {}

/** Accepts `<tenant>.<user>` as a token: real tokens have times, and here the clock is the test's. */
const authorization = Layer.succeed(CallAuthorization, (handler, { headers }) => {
  const [tenant = "", user = ""] = headers["authorization"]?.split(".") ?? []
  return Effect.provideService(handler, Actor, {
    tenantId: TenantId.make(tenant),
    userId: UserId.make(user),
    tokenEpoch: 0,
    needs: "user"
  })
})

/** The server's log, and the waiters for more of it. */
class Log extends Context.Service<Log, { text: string; readonly watchers: Set<() => void> }>()("test/Log") {}

const logged = (pattern: RegExp) =>
  Effect.flatMap(Log, (log) =>
    Effect.callback<string>((resume) => {
      const look = () => {
        const found = pattern.exec(log.text)
        if (found !== null) resume(Effect.succeed(found[0]))
      }
      log.watchers.add(look)
      look()
      return Effect.sync(() => log.watchers.delete(look))
    })
  )

/** RPC on a port of its own: real sockets and a real database, with the model and the clock controlled by the test. */
const rpcServer = httpServerLayer(
  NoApi,
  Layer.merge(
    Layer.provide(
      HttpApiBuilder.layer(NoApi),
      HttpApiBuilder.group(NoApi, "none", (group) => Effect.succeed(group.handle("none", () => Effect.void)))
    ),
    Layer.provide(Layer.provide(rpcServerLayer(Asking), [MessagesCalls, GenerationsCalls, authorization]), attempts)
  ),
  RPC_ROUTES
).pipe(
  Layer.provideMerge(engine({ answerCharacters: 100_000_000 })),
  Layer.provide(LogsLayer),
  Layer.provide(Layer.succeed(HttpOptions, { ...HttpOptions.defaults, port: 0 })),
  Layer.provide(
    Layer.effect(
      LogLines,
      Effect.map(Log, (log) => ({
        write: (line: string) => {
          log.text += line
          for (const watcher of log.watchers) watcher()
        }
      }))
    )
  ),
  Layer.provide(Layer.succeed(LogOptions, { format: "json", colour: false, level: "Info" })),
  Layer.provideMerge(Layer.sync(Log, () => ({ text: "", watchers: new Set<() => void>() })))
)

const portOf = Effect.map(HttpServer.HttpServer, ({ address }) => ("port" in address ? address.port : 0))
const tokenOf = ({ tenantId, userId }: Actor["Service"]) => `${tenantId}.${userId}`
const stream = (authorization: string, id: string) =>
  `${JSON.stringify({
    _tag: "Request",
    id: 1,
    tag: "messages.stream",
    payload: { content: "What is a room?" },
    headers: [
      ["authorization", authorization],
      ["x-request-id", id]
    ]
  })}\n`

/** A connection that has sent a call by hand, and reads when it is told to. */
const posted = Effect.fnUntraced(function* (body: string) {
  const port = yield* portOf
  return yield* Effect.acquireRelease(
    Effect.sync(() => {
      const socket = connect(port, "127.0.0.1").setEncoding("utf8").pause()
      socket.on("error", () => {})
      socket.write(
        `POST /rpc HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\ncontent-length: ${body.length}\r\n\r\n${body}`
      )
      return socket
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )
})

const opened = Effect.fnUntraced(function* (options: NodeWS.ClientOptions & { readonly autoPong?: boolean } = {}) {
  const port = yield* portOf
  return yield* Effect.acquireRelease(
    Effect.callback<NodeWS.WebSocket>((resume) => {
      const socket = new NodeWS.WebSocket(`ws://127.0.0.1:${port}/rpc`, options)
      socket.on("error", () => {})
      socket.once("open", () => resume(Effect.succeed(socket)))
    }),
    (socket) => Effect.sync(() => socket.terminate())
  )
})

/** Looks at a connection as often as the server does, until it is closed; how often that was, and how it was closed. */
const watch = Effect.fnUntraced(function* (socket: NodeWS.WebSocket) {
  const closed = yield* Effect.forkScoped(event(socket, "close"))
  let looks = 0
  while (closed.pollUnsafe() === undefined && looks++ < 60) {
    const next = Effect.raceFirst(event(socket, "ping"), Fiber.await(closed))
    yield* Effect.all([next, TestClock.adjust("15 seconds")], { concurrency: 2 })
  }
  return { looks, code: yield* Fiber.join(closed) }
})

const event = (socket: NodeWS.WebSocket, name: string) =>
  Effect.callback<unknown>((resume) => {
    const heard = (value: unknown) => resume(Effect.succeed(value))
    socket.once(name, heard)
    return Effect.sync(() => socket.off(name, heard))
  })

layer(Layer.provideMerge(rpcServer, TestDatabase.layer), { timeout: "60 seconds" })("a client by RPC", (it) => {
  it.effect("that reads nothing is sent no more than the buffers hold, and cut after a minute", () =>
    Effect.gen(function* () {
      const script = yield* Script
      const socket = yield* posted(stream(tokenOf(yield* newUser()), "reads-nothing"))
      const call = yield* script.next
      const token = "x".repeat(10_000)
      for (let n = 0; n < 3000; n++) call.emit(token)
      // Thirty million characters, of which the buffers take some.
      let round = 0
      const cut = yield* Effect.forkScoped(logged(/"request_id":"reads-nothing".*?"status":499/u))
      while (cut.pollUnsafe() === undefined && round++ < 1000) {
        yield* TestClock.adjust("1 second")
        // What the socket takes from us it takes outside of the clock.
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)))
      }
      assert.isAtLeast(round, 55)
      assert.isDefined(cut.pollUnsafe())
      const read = yield* Effect.callback<number>((resume) => {
        let length = 0
        socket.on("data", (text) => (length += text.length))
        socket.once("close", () => resume(Effect.succeed(length)))
        socket.resume()
      })
      assert.isBelow(read, 15_000_000)
    }).pipe(Effect.scoped)
  )

  it.effect("gets an empty line as a keep-alive", () =>
    Effect.gen(function* () {
      const script = yield* Script
      const socket = yield* posted(stream(tokenOf(yield* newUser()), "waits"))
      yield* script.next
      let text = ""
      const grown = (enough: (text: string) => boolean) =>
        Effect.callback<void>((resume) => {
          const look = () => {
            if (!enough(text)) return
            socket.off("data", look)
            resume(Effect.void)
          }
          socket.on("data", look)
          look()
        })
      socket.on("data", (part) => (text += part))
      socket.resume()
      yield* grown((all) => all.includes(`"type":"start"`))
      const before = text.length
      yield* TestClock.adjust("30 seconds")
      yield* grown((all) => all.length > before)
      assert.strictEqual(text.slice(before), "1\r\n\n\r\n")
    }).pipe(Effect.scoped)
  )

  it.effect("is closed when it is silent for a minute and answers no ping", () =>
    Effect.gen(function* () {
      const socket = yield* opened({ autoPong: false })
      assert.deepStrictEqual(yield* watch(socket), { looks: 4, code: 1006 })
    }).pipe(Effect.scoped)
  )

  it.effect("is closed when it takes nothing of a stream for a minute, though it answers pings", () =>
    Effect.gen(function* () {
      const script = yield* Script
      const socket = yield* opened()
      const first = yield* Effect.forkScoped(event(socket, "message"))
      socket.send(stream(tokenOf(yield* newUser()), "takes-nothing"))
      yield* script.next
      yield* Fiber.join(first)
      assert.deepStrictEqual(yield* watch(socket), { looks: 4, code: 1006 })
      yield* logged(/"request_id":"takes-nothing".*?"status":499/u)
    }).pipe(Effect.scoped)
  )

  it.effect("is closed when it has made no call for ten minutes", () =>
    Effect.gen(function* () {
      const socket = yield* opened()
      assert.deepStrictEqual(yield* watch(socket), { looks: 40, code: 1001 })
    }).pipe(Effect.scoped)
  )
})

layer(Layer.provideMerge(Layer.fresh(rpcServer), TestDatabase.layer), { timeout: "60 seconds" })(
  "a client that does not say goodbye",
  (it) => {
    it.effect("keeps a server that stops for two seconds, and not longer", () =>
      Effect.gen(function* () {
        const drain = yield* Drain
        const port = yield* portOf
        const socket = connect(port, "127.0.0.1")
        const bytes: Array<Buffer> = []
        const came = () =>
          Effect.callback<void>((resume) => {
            socket.once("data", (data: Buffer) => {
              bytes.push(data)
              resume(Effect.void)
            })
          })
        const opened = yield* Effect.forkScoped(came())
        const closed = yield* Effect.forkScoped(
          Effect.callback<void>((resume) => void socket.once("close", () => resume(Effect.void)))
        )
        socket.write(
          "GET /rpc HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
            + "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        yield* Fiber.join(opened)
        assert.match(String(bytes[0]), /^HTTP\/1\.1 101 /u)
        const goodbye = yield* Effect.forkScoped(came())
        yield* drain.begin
        yield* Fiber.join(goodbye)
        // A close frame with the code 1001.
        assert.deepStrictEqual([...(bytes[1] ?? [])], [0x88, 2, 0x03, 0xe9])
        assert.isUndefined(closed.pollUnsafe())
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(closed)
      }).pipe(Effect.scoped)
    )
  }
)

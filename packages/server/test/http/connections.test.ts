import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import type { HttpOptions } from "../../src/http/HttpOptions.ts"
import { freePort } from "../Process.ts"
import { exchange, open, parse, portOf, problemOf, read, send, serving, stage } from "./Serving.ts"

/** The server in a scope of its own, which the test closes when it likes. */
const started = Effect.fnUntraced(function* (options: Partial<HttpOptions["Service"]> = {}) {
  const on = yield* stage
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
  const context = yield* Layer.buildWithScope(serving(on, options), scope)
  const port = yield* Effect.provideContext(portOf, context)
  return { on, port, stop: Scope.close(scope, Exit.void) }
})

const SLOW = { headersTimeoutMs: 60, requestTimeoutMs: 120, checkingIntervalMs: 20 }

it.live("a sender that never ends its headers is told and cut", () =>
  Effect.gen(function* () {
    const { port } = yield* started(SLOW)
    const socket = yield* open(port)
    socket.write("GET /open HTTP/1.1\r\nhost: a\r\n")
    const answer = parse(yield* read(socket))
    assert.deepStrictEqual([answer.status, (yield* problemOf(answer)).code], [408, "request_timeout"])
  })
)

it.live("a sender that never ends its body is told and cut, and the log says so once", () =>
  Effect.gen(function* () {
    const { on, port } = yield* started(SLOW)
    const socket = yield* open(port)
    socket.write("POST /name HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{")
    const answer = parse(yield* read(socket))
    assert.deepStrictEqual([answer.status, (yield* problemOf(answer)).code], [408, "request_timeout"])
    yield* Deferred.await(on.written)
    assert.deepStrictEqual(
      on.lines.map((line) => JSON.parse(line).status),
      [408]
    )
  })
)

it.live("a connection that says nothing is closed", () =>
  Effect.gen(function* () {
    const { port } = yield* started(SLOW)
    assert.strictEqual(yield* read(yield* open(port)), "")
  })
)

it.live("an idle connection is closed after its time", () =>
  Effect.gen(function* () {
    const { port } = yield* started({ keepAliveTimeoutMs: 1 })
    const socket = yield* open(port)
    socket.write("GET /health HTTP/1.1\r\nhost: a\r\n\r\n")
    assert.strictEqual(parse(yield* read(socket)).status, 200)
  })
)

it.live("400 idle connections delay no other client", () =>
  Effect.gen(function* () {
    const { port } = yield* started()
    yield* Effect.forEach(Array.from({ length: 400 }), () => open(port), { concurrency: 50 })
    const answer = yield* Effect.timeout(send(port, "GET", "/open"), "30 seconds")
    assert.strictEqual(answer.status, 200)
  })
)

it.live("connections beyond the bound are closed, those within are served", () =>
  Effect.gen(function* () {
    const { port } = yield* started({ maxConnections: 2 })
    const first = yield* open(port)
    yield* open(port)
    assert.strictEqual(yield* read(yield* open(port)), "")
    first.write("GET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    assert.strictEqual(parse(yield* read(first)).status, 200)
  })
)

it.live("told to stop, it finishes what is in flight, ends every connection and takes no more", () =>
  Effect.gen(function* () {
    const { on, port, stop } = yield* started()
    const silent = yield* open(port)
    const idle = yield* open(port)
    const used = read(idle, (text) => text.includes("ok"))
    idle.write("GET /health HTTP/1.1\r\nhost: a\r\n\r\n")
    yield* used
    const busy = yield* open(port)
    busy.write("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
    yield* Deferred.await(on.entered)
    const [silentEnd, idleEnd, answer] = yield* Effect.all(
      [read(silent), read(idle), read(busy)].map((each) => Effect.forkChild(each))
    )
    const stopping = yield* Effect.forkChild(stop)
    // The connections with nothing in flight go at once, while the busy one is still waited for.
    if (silentEnd !== undefined) yield* Fiber.join(silentEnd)
    if (idleEnd !== undefined) yield* Fiber.join(idleEnd)
    assert.isUndefined(stopping.pollUnsafe())
    yield* Deferred.succeed(on.release, undefined)
    const { body, headers, status } = parse(answer === undefined ? "" : yield* Fiber.join(answer))
    assert.deepStrictEqual([status, headers["connection"], body], [200, "close", '{"status":"ok"}'])
    yield* Fiber.join(stopping)
    yield* Effect.timeout(refused(port), "30 seconds")
  })
)

it.live("what is not done at the deadline is told to come back, and the server ends", () =>
  Effect.gen(function* () {
    const { on, port, stop } = yield* started({ drainTimeoutMs: 50 })
    const busy = yield* open(port)
    busy.write("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
    yield* Deferred.await(on.entered)
    const answer = yield* Effect.forkChild(read(busy))
    yield* stop
    const parsed = parse(yield* Fiber.join(answer))
    assert.deepStrictEqual([parsed.status, parsed.headers["retry-after"]], [503, "1"])
    assert.strictEqual((yield* problemOf(parsed)).code, "unavailable")
  })
)

it.live("a request that comes before the routes are there waits for them", () =>
  Effect.gen(function* () {
    const ready = yield* Deferred.make<void>()
    const on = { ...(yield* stage), ready: Deferred.await(ready) }
    const port = yield* freePort
    const starting = yield* Effect.forkChild(Layer.build(serving(on, { port })))
    yield* Deferred.await(on.making)
    const [health, opened] = [yield* open(port), yield* open(port)]
    health.write("GET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    opened.write("GET /open HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    // The server has read both when it answers a third connection, which it refuses by itself.
    assert.strictEqual((yield* exchange(port, "nonsense\r\n\r\n")).status, 400)
    yield* Deferred.succeed(ready, undefined)
    yield* Fiber.join(starting)
    assert.strictEqual(parse(yield* read(health)).status, 200)
    assert.strictEqual(parse(yield* read(opened)).status, 200)
  }).pipe(Effect.scoped)
)

it.live("a port in use is one clear line", () =>
  Effect.gen(function* () {
    const { port } = yield* started()
    const failure = yield* Effect.flip(started({ port }))
    assert.match(failure.message, new RegExp(`^port ${port} is in use`))
  })
)

/** Completes when a connection is not taken. */
const refused = (port: number) =>
  Effect.scoped(
    Effect.callback<void>((resume) => {
      const socket = process.getBuiltinModule("node:net").connect(port, "127.0.0.1")
      socket.once("error", () => resume(Effect.void))
    })
  )

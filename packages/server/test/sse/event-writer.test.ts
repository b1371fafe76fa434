import { ReaderScheduler } from "@llm-saas/engine/generations/ReaderScheduler"
import { assert, it } from "@effect/vitest"
import { GenerationId } from "@llm-saas/domain/Generation"
import { Message, MessageId } from "@llm-saas/domain/Message"
import { message as example } from "@llm-saas/api/Examples"
import { TokenLog } from "@llm-saas/engine/generations/TokenLog"
import { Effect, Schema } from "effect"
import { createServer, type IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import { Exchange } from "../../src/http/Exchange.ts"
import { EventWriter, type Sent } from "../../src/sse/EventWriter.ts"
import { nativeForm } from "../../src/sse/Wire.ts"
import { open, read } from "../http/Serving.ts"
import { EventSource } from "./EventSource.ts"

const ID = GenerationId.make("01975a6f-2b41-7a08-bf3e-1c2d3e4f5a6b")
const MESSAGE = Schema.decodeSync(Message)(example)
const COMPLETED = {
  ending: { status: "completed", finishReason: "stop" },
  usage: undefined,
  model: undefined,
  message: MESSAGE
} as const

const asked = (tokenLog: TokenLog) => ({
  messageId: MessageId.make(example.id),
  generationId: ID,
  conversationId: null,
  model: "m",
  tokenLog,
  replayed: false
})

/** A server whose every answer is this token log from its beginning, and the first answer that was asked of it. */
const serving = Effect.fnUntraced(function* (
  tokenLog: TokenLog,
  now: () => number = () => 0,
  sent: Sent = () => {},
  request = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
  wrote: (text: string) => void = () => {}
) {
  const exchanges: Array<readonly [Exchange, EventWriter]> = []
  const policy = {
    headers: [],
    allowsOrigin: undefined,
    door: () => "native" as const,
    draining: () => false,
    ended: () => {}
  }
  const server = createServer({
    ServerResponse: class<Request extends IncomingMessage> extends Exchange<Request> {
      constructor(request: Request) {
        super(request, policy)
      }

      override chunk(text: string): boolean {
        wrote(text)
        return super.chunk(text)
      }
    }
  })
  server.on("request", (_, response) => {
    if (!(response instanceof Exchange)) return
    const writer = new EventWriter(response, nativeForm("text"), now)
    exchanges.push([response, writer])
    writer.follow(asked(tokenLog), 0, sent)
  })
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  const socket = yield* open(port)
  socket.pause()
  socket.write(request)
  yield* Effect.callback<void>((resume) => {
    server.once("request", () => resume(Effect.void))
  })
  const [exchange, writer] = exchanges[0] ?? assert.fail("no request")
  return { exchange, writer, socket }
})

/** The chunks of a chunked body (RFC 9112 §7.1): as many as there were writes. */
const chunks = (answer: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  let at = answer.indexOf("\r\n\r\n") + 4
  for (;;) {
    const end = answer.indexOf("\r\n", at)
    const size = Number.parseInt(answer.slice(at, end), 16)
    if (!(size > 0)) return found
    found.push(answer.slice(end + 2, end + 2 + size))
    at = end + 2 + size + 2
  }
}

const tokensIn = (answer: string) =>
  new EventSource().feed(Buffer.from(chunks(answer).join(""), "latin1")).events.map(({ data }) => data)

const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

/** Lets the server write until it cannot, or has nothing more. */
const settled = Effect.fnUntraced(function* (exchange: Exchange) {
  for (let before = -1; before !== exchange.socket?.bytesWritten;) {
    before = exchange.socket?.bytesWritten ?? 0
    for (let n = 0; n < 20; n++) yield* turn
  }
})

const readAll = (socket: Socket) => {
  const reading = read(socket)
  socket.resume()
  return reading
}

it.live("a reader that is behind gets many events with one write, each of them all the same", () =>
  Effect.gen(function* () {
    const tokenLog = new TokenLog(ID, new ReaderScheduler())
    const tokens = Array.from({ length: 5000 }, (_, n) => `token ${n}`)
    tokenLog.append(tokens)
    tokenLog.end(COMPLETED)
    const { socket } = yield* serving(tokenLog)
    const answer = yield* readAll(socket)
    assert.deepStrictEqual(tokensIn(answer), [...tokens, "[DONE]"])
    const sizes = chunks(answer).map((chunk) => chunk.length)
    assert.isBelow(sizes.length, 25)
    assert.isBelow(Math.max(...sizes), 65_536)
  }).pipe(Effect.scoped)
)

it.live("a reader that is far behind is written to once per turn of the event loop, and misses nothing", () =>
  Effect.gen(function* () {
    const tokenLog = new TokenLog(ID, new ReaderScheduler())
    const tokens = ["[DONE", ...Array.from({ length: 20_000 }, () => "]\n[DONE"), "]"]
    tokenLog.append(tokens)
    tokenLog.end(COMPLETED)
    let turns = 0
    let written = 0
    let most = 0
    const count = () => {
      turns++
      most = Math.max(most, written)
      written = 0
      counting = setImmediate(count)
    }
    let counting = setImmediate(count)
    yield* Effect.addFinalizer(() => Effect.sync(() => clearImmediate(counting)))
    const { socket } = yield* serving(
      tokenLog,
      undefined,
      undefined,
      undefined,
      (text) => void (written += text.length)
    )
    const answer = yield* readAll(socket)
    assert.deepStrictEqual(tokensIn(answer), [...tokens, "[DONE]"])
    assert.isAtLeast(turns, 20)
    // A full write, and the event that fills it.
    assert.isBelow(most, 22_000)
    assert.isAbove(most, 21_000)
  }).pipe(Effect.scoped)
)

it.live("a reader that stops reading is sent what its buffers hold, and goes on where it was when it reads again", () =>
  Effect.gen(function* () {
    const tokenLog = new TokenLog(ID, new ReaderScheduler())
    const { exchange, socket } = yield* serving(tokenLog)
    const token = "x".repeat(20_000)
    for (let n = 0; n < 2000; n++) {
      tokenLog.append([token])
      tokenLog.wake()
    }
    yield* settled(exchange)
    assert.isTrue(exchange.writableNeedDrain || exchange.socket?.writableNeedDrain === true)
    assert.isBelow(exchange.writableLength + (exchange.socket?.writableLength ?? 0), 200_000)
    tokenLog.end(COMPLETED)
    const body = chunks(yield* readAll(socket)).join("")
    const events = Array.from({ length: 2000 }, (_, n) => `id: ${ID}:${n + 1}\ndata: ${token}\n\n`)
    assert.isTrue(body === `${events.join("")}id: ${ID}:2001\ndata: [DONE]\n\n`)
  }).pipe(Effect.scoped)
)

it.live("a reader that takes nothing for a minute is cut, before the end or after it", () =>
  Effect.gen(function* () {
    for (const ended of [false, true]) {
      let now = 0
      const tokenLog = new TokenLog(ID, new ReaderScheduler())
      const { exchange, socket, writer } = yield* serving(tokenLog, () => now)
      const token = "x".repeat(20_000)
      for (let n = 0; n < 2000; n++) {
        tokenLog.append([token])
        tokenLog.wake()
        if (n === 200 && ended) {
          tokenLog.end(COMPLETED)
          break
        }
      }
      yield* settled(exchange)
      now += 30_000
      assert.strictEqual(writer.tick(), 30_000)
      now += 29_999
      assert.strictEqual(writer.tick(), 1)
      assert.isFalse(exchange.destroyed)
      now += 1
      writer.tick()
      assert.isTrue(exchange.destroyed)
      // A later token causes no error.
      tokenLog.append(["late"])
      tokenLog.wake()
      writer.tick()
      writer.fail({ problem: "{}", status: 500, requestId: "r" })
      yield* readAll(socket)
    }
  }).pipe(Effect.scoped)
)

it.live("a reader that has left is written to no more", () =>
  Effect.gen(function* () {
    const tokenLog = new TokenLog(ID, new ReaderScheduler())
    const { exchange, socket, writer } = yield* serving(tokenLog)
    tokenLog.append(["one"])
    socket.destroy()
    yield* Effect.callback<void>((resume) => {
      if (exchange.closed) return resume(Effect.void)
      exchange.once("close", () => resume(Effect.void))
    })
    tokenLog.append(["two"])
    tokenLog.wake()
    writer.open()
    writer.tick()
    tokenLog.end(COMPLETED)
    yield* turn
    assert.isTrue(exchange.destroyed)
  }).pipe(Effect.scoped)
)

it.live("a failure comes behind the last token, and where there was none it is left to the caller", () =>
  Effect.gen(function* () {
    for (const tokens of [[], ["one"]]) {
      const tokenLog = new TokenLog(ID, new ReaderScheduler())
      const said: Array<string | undefined> = []
      const { exchange, socket, writer } = yield* serving(
        tokenLog,
        () => 0,
        (unsent) => said.push(typeof unsent === "object" ? unsent.code : unsent)
      )
      tokenLog.append(tokens)
      tokenLog.end({ ...COMPLETED, ending: { status: "cancelled" } })
      assert.deepStrictEqual(said, ["generation_cancelled"])
      assert.strictEqual(writer.started, tokens.length > 0)
      assert.isFalse(exchange.writableEnded)
      writer.fail({ problem: '{"code":"generation_cancelled"}', status: 409, requestId: "r" })
      const answer = yield* readAll(socket)
      assert.deepStrictEqual(tokensIn(answer), [...tokens, '{"code":"generation_cancelled","request_id":"r"}'])
    }
  }).pipe(Effect.scoped)
)

it.live("an answer that the listener ended, such as for garbage behind the request, is written to no more", () =>
  Effect.gen(function* () {
    const tokenLog = new TokenLog(ID, new ReaderScheduler())
    const { exchange, socket, writer } = yield* serving(tokenLog)
    exchange.refuse("malformed_request")
    tokenLog.append(["late"])
    tokenLog.wake()
    writer.open()
    writer.tick()
    writer.fail({ problem: "{}", status: 500, requestId: "r" })
    tokenLog.end(COMPLETED)
    const answer = yield* readAll(socket)
    assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*"code":"malformed_request"[^}]*\}$/u)
    yield* turn
  }).pipe(Effect.scoped)
)

it.live(
  "a client of HTTP/1.0 gets the events without chunks, and requests behind each other get their answers in order",
  () =>
    Effect.gen(function* () {
      const tokenLog = new TokenLog(ID, new ReaderScheduler())
      const old = yield* serving(tokenLog, undefined, undefined, "GET / HTTP/1.0\r\n\r\n")
      const piped = yield* serving(
        tokenLog,
        undefined,
        undefined,
        "GET /1 HTTP/1.1\r\nhost: a\r\n\r\nGET /2 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
      )
      for (const token of ["one", "two", "🏠"]) {
        tokenLog.append([token])
        tokenLog.wake()
        yield* turn
      }
      tokenLog.end(COMPLETED)
      const events = ["one", "two", "🏠"].map((token, index) => `id: ${ID}:${index + 1}\ndata: ${token}\n\n`)
      const body = Buffer.from(`${events.join("")}id: ${ID}:4\ndata: [DONE]\n\n`).toString("latin1")
      const plain = yield* readAll(old.socket)
      assert.isTrue(plain.endsWith(`\r\n\r\n${body}`), plain)
      const [, first = "", second = ""] = (yield* readAll(piped.socket)).split("HTTP/1.1 200 OK")
      for (const answer of [first, second]) assert.strictEqual(chunks(answer).join(""), body)
    }).pipe(Effect.scoped)
)

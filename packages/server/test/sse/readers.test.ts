import { ReaderScheduler } from "@llm-saas/engine/generations/ReaderScheduler"
import { assert, describe, it, layer } from "@effect/vitest"
import { message as example } from "@llm-saas/api/Examples"
import { GenerationId } from "@llm-saas/domain/Generation"
import { Message, MessageId } from "@llm-saas/domain/Message"
import { TokenLog } from "@llm-saas/engine/generations/TokenLog"
import { Tokens } from "@llm-saas/engine/generations/Tokens"
import { type Call, Script } from "@llm-saas/testing/ScriptedLlm"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { newUser, until } from "@llm-saas/testing/EngineFixture"
import type { Actor } from "@llm-saas/domain/Actor"
import { EventSource } from "eventsource"
import { createParser } from "eventsource-parser"
import { Effect, Fiber, Layer, Schema } from "effect"
import { HttpServer } from "effect/http"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { KEEP_ALIVE, wireOf } from "../../src/sse/Wire.ts"
import { askingServer, send } from "./AskingServer.ts"
import { readAsPython } from "./Python.ts"
import { json, type Reading } from "./Reading.ts"

const ID = GenerationId.make("01975a6f-2b41-7a08-bf3e-1c2d3e4f5a6b")
const MESSAGE = Schema.decodeSync(Message)(example)
const END = {
  ending: { status: "completed", finishReason: "stop" },
  usage: undefined,
  model: undefined,
  message: MESSAGE
} as const
const ASKED = {
  messageId: MessageId.make("01975a6f-2b40-7e55-8c1d-9d3e6f7a8b2c"),
  generationId: ID,
  conversationId: null,
  model: "gpt-4o-mini",
  tokenLog: new TokenLog(ID, new ReaderScheduler()),
  replayed: false
}

/** Line ends of some readers, and what a model could forge with them. */
const PIECE = fc.oneof(
  fc.constantFrom("\u2028", "\u2029", "\u0085", "\v", "\f", "\x1c", "\x1d", "\x1e", "\n", "\r\n"),
  fc.constantFrom(
    "data: [DONE]",
    "\u2028\u2028data: [DONE]\u2028\u2028",
    "\u0085event: error\u0085data: x\u0085\u0085",
    "[DONE]"
  ),
  fc.string({ unit: "grapheme", maxLength: 6 })
)

describe("a reader whose lines end where Python's do", () => {
  const sent = (format: "text" | "json", tokens: ReadonlyArray<string>) => {
    const wire = wireOf(format, ID)
    const events = tokens.map((token, index) => wire.token(index + 1, token))
    return [wire.begin(ASKED, 0, true, false), ...events, wire.end(END, tokens.length)].join(KEEP_ALIVE)
  }
  const tokensOf = (pieces: ReadonlyArray<string>) => {
    const tokens = new Tokens()
    return [...pieces.flatMap((piece) => tokens.push(piece)), ...tokens.end()]
  }

  it("reads JSON events as they are, and none that is empty", () => {
    fc.assert(
      fc.property(fc.array(PIECE), (pieces) => {
        const tokens = tokensOf(pieces)
        const events = [...readAsPython(sent("json", tokens))]
        assert.strictEqual(events.pop()?.data, "[DONE]")
        const read = events.map(({ data }): Record<string, unknown> => JSON.parse(data))
        assert.deepStrictEqual(
          read.filter(({ type }) => type === "delta").map(({ text }) => text),
          tokens
        )
      }),
      { numRuns: 300 }
    )
  })

  it("reads text without the line ends that only it knows, and nothing that was forged", () => {
    fc.assert(
      fc.property(fc.array(PIECE), (pieces) => {
        // Also tokens that the engine would cut.
        for (const tokens of [
          tokensOf(pieces),
          pieces.map((piece) => piece.replaceAll("\r\n", "\n")).filter((piece) => piece !== "")
        ]) {
          const events = readAsPython(sent("text", tokens))
          assert.strictEqual(events.filter(({ data }) => data.trim() === "[DONE]").length, 1)
          assert.strictEqual(events.at(-1)?.data === "[DONE]", true)
          assert.deepStrictEqual(
            events.filter(({ event }) => event !== ""),
            []
          )
          // oxlint-disable-next-line no-control-regex
          const bare = (text: string) => text.replaceAll(/[\v\f\x1c-\x1e\x85\u2028\u2029]/gu, "")
          assert.strictEqual(
            events
              .slice(0, -1)
              .map(({ data }) => data)
              .join(""),
            bare(tokens.join(""))
          )
        }
      }),
      { numRuns: 300 }
    )
  })

  it("makes no event of a comment", () => {
    assert.deepStrictEqual(readAsPython(`id: a:1\ndata: x\n\n${KEEP_ALIVE}${KEEP_ALIVE}id: a:2\ndata: y\n\n`), [
      { event: "", data: "x", id: "a:1" },
      { event: "", data: "y", id: "a:2" }
    ])
  })
})

type Sending = Parameters<typeof send>[2]

const ask = Effect.fnUntraced(function* (sending: Sending, path = "/messages/stream") {
  const script = yield* Script
  const fiber = yield* Effect.forkScoped(send("POST", path, { json: { content: "What is a room?" }, ...sending }))
  const call = yield* script.next
  return { call, answer: Fiber.join(fiber) }
})

/** An answer of two tokens that ended, and its id. */
const answered = Effect.fnUntraced(function* (actor: Actor["Service"], end: (call: Call) => void) {
  const { answer, call } = yield* ask({ actor })
  call.emit("one")
  call.emit("two")
  const reading: Reading = yield* answer
  end(call)
  const { text } = yield* reading.end
  return { id: String(reading.headers["x-generation-id"]), text }
})

layer(Layer.provideMerge(askingServer(), TestDatabase.layer))("a reader that comes back", (it) => {
  it.effect("may say where it was in the query, as polyfills do, and nothing is asked", () =>
    Effect.gen(function* () {
      const script = yield* Script
      const actor = yield* newUser()
      const { id } = yield* answered(actor, (call) => call.complete())
      const asked = script.asked()
      const rest = `id: ${id}:2\ndata: two\n\nid: ${id}:3\ndata: [DONE]\n\n`
      const read = (method: string, path: string, headers: Record<string, string> = {}) =>
        Effect.flatMap(
          send(method, path, { actor, headers, ...(method === "POST" ? { json: { content: "x" } } : {}) }),
          (reading) => Effect.map(reading.end, ({ text }) => ({ status: reading.status, text }))
        )
      for (const name of ["lastEventId", "last_event_id"])
        for (const [method, path] of [
          ["GET", "/messages/stream?content=x&"],
          ["POST", "/messages/stream?"],
          ["GET", `/generations/${id}/stream?`]
        ] as const) {
          const place = `${name}=${encodeURIComponent(`${id}:1`)}`
          assert.deepStrictEqual(yield* read(method, path + place), { status: 200, text: rest })
          // The header is the later of the two.
          const both = yield* read(method, `${path}${name}=${id}:0`, { "last-event-id": `${id}:1` })
          assert.deepStrictEqual(both, { status: 200, text: rest })
          // An empty header counts as absent.
          assert.strictEqual((yield* read(method, path + place, { "last-event-id": "" })).text, rest)
          const wrong = yield* read(method, `${path}${name}=nonsense`)
          assert.strictEqual(wrong.status, 400)
          assert.deepInclude(JSON.parse(wrong.text), { code: "invalid_request" })
          assert.include(wrong.text, `["query","${name}"]`)
        }
      assert.strictEqual(script.asked(), asked)
      const elsewhere = yield* read("GET", `/generations/${id}/stream?lastEventId=${ID}:1`)
      assert.strictEqual(elsewhere.status, 404)
      for (const empty of [{ headers: { "last-event-id": "" } }, {}]) {
        const fresh = yield* ask({ actor, ...empty }, "/messages/stream?lastEventId=")
        fresh.call.emit("new")
        fresh.call.complete()
        assert.include((yield* (yield* fresh.answer).end).text, "data: new")
      }
    })
  )

  it.effect("behind the last event of all is told by 204 that there is nothing more, however the answer ended", () =>
    Effect.gen(function* () {
      const script = yield* Script
      const actor = yield* newUser()
      const stranger = yield* newUser()
      const ends = [(call: Call) => call.complete(), (call: Call) => call.fail("model_cut")] as const
      for (const end of ends) {
        const { id, text } = yield* answered(actor, end)
        assert.include(text, `id: ${id}:3\n`)
        const asked = script.asked()
        for (const [method, path] of [
          ["POST", "/messages/stream"],
          ["GET", "/messages/stream?content=x"],
          ["GET", `/generations/${id}/stream`],
          ["GET", `/generations/${id}/stream?format=json`]
        ] as const) {
          const sending = {
            headers: { "last-event-id": `${id}:3` },
            ...(method === "POST" ? { json: { content: "x" } } : {})
          }
          const nothing = yield* send(method, path, { actor, ...sending })
          assert.deepStrictEqual([nothing.status, (yield* nothing.end).text], [204, ""])
          assert.strictEqual((yield* send(method, path, { actor: stranger, ...sending })).status, 404)
        }
        // A reader that has only the tokens has not seen the end.
        const last = yield* send("GET", `/generations/${id}/stream`, { actor, headers: { "last-event-id": `${id}:2` } })
        assert.include((yield* last.end).text, end === ends[0] ? "data: [DONE]" : '"code":"model_failed"')
        assert.strictEqual(script.asked(), asked)
      }
    })
  )

  it.effect("with a place that an ended answer does not have is a 400 that names the parameter", () =>
    Effect.gen(function* () {
      const actor = yield* newUser()
      for (const end of [(call: Call) => call.complete(), (call: Call) => call.fail("model_cut")]) {
        const { id } = yield* answered(actor, end)
        const stream = `/generations/${id}/stream`
        for (const [path, headers, parameter] of [
          [`${stream}?after=4`, {}, ["query", "after"]],
          [`${stream}?after=9999&format=json`, {}, ["query", "after"]],
          [stream, { "last-event-id": `${id}:999999` }, ["headers", "last-event-id"]],
          [`${stream}?last_event_id=${id}:4`, {}, ["query", "last_event_id"]],
          [`/messages/stream?content=x&lastEventId=${id}:4`, {}, ["query", "lastEventId"]],
          ["/messages/stream?content=x", { "last-event-id": `${id}:4` }, ["headers", "last-event-id"]]
        ] as const) {
          const refused = yield* send("GET", path, { actor, headers })
          assert.strictEqual(refused.status, 400, path)
          assert.deepInclude(yield* json(refused), {
            code: "invalid_request",
            errors: [{ path: parameter, message: "Expected a position in the answer, which ended at 2" }]
          })
        }
        // The last event's own position, by whichever name.
        assert.strictEqual((yield* send("GET", `${stream}?after=3`, { actor })).status, 204)
      }
    })
  )

  it.effect("ahead of a running answer waits, and invents no event where the answer ends before", () =>
    Effect.gen(function* () {
      const actor = yield* newUser()
      const { answer, call } = yield* ask({ actor })
      call.emit("one")
      const id = String((yield* answer).headers["x-generation-id"])
      const ahead = yield* Effect.forkScoped(send("GET", `/generations/${id}/stream?after=9`, { actor }))
      yield* until(Effect.sync(() => ahead.pollUnsafe() !== undefined))
      const reading = yield* Fiber.join(ahead)
      yield* reading.until((text) => text.includes(`id: ${id}:9\n`))
      call.complete()
      const { text, whole } = yield* reading.end
      assert.isTrue(whole)
      assert.notInclude(text, "[DONE]")
      assert.include(text, `id: ${id}:2\nevent: error\ndata: `)
      assert.include(text, '"code":"invalid_request"')
      assert.include(text, '["query","after"]')
    })
  )

  it.effect("with a valid header may have anything in the query", () =>
    Effect.gen(function* () {
      const actor = yield* newUser()
      const { id } = yield* answered(actor, (call) => call.complete())
      for (const path of [`/messages/stream?content=x&`, `/generations/${id}/stream?`])
        for (const wrong of ["lastEventId=abc", "last_event_id=", "lastEventId=abc&last_event_id=x"]) {
          const headers = { "last-event-id": `${id}:2` }
          const reading = yield* send("GET", path + wrong, { actor, headers })
          assert.strictEqual((yield* reading.end).text, `id: ${id}:3\ndata: [DONE]\n\n`)
          const bad = yield* send("GET", path + wrong, { actor, headers: { "last-event-id": "abc" } })
          assert.deepInclude((yield* json(bad))["errors"], {
            path: ["headers", "last-event-id"],
            message: "Expected the id of an event of a stream, <generation>:<seq>"
          })
        }
    })
  )

  it.effect("of a running answer waits, whatever place it names", () =>
    Effect.gen(function* () {
      const actor = yield* newUser()
      const { answer, call } = yield* ask({ actor })
      call.emit("one")
      const reading = yield* answer
      const id = String(reading.headers["x-generation-id"])
      const beyond = () => send("GET", `/generations/${id}/stream`, { actor, headers: { "last-event-id": `${id}:2` } })
      const early = yield* Effect.forkScoped(beyond())
      // Its headers come half a second after it has, whether it has found the answer by then or not.
      yield* until(Effect.sync(() => early.pollUnsafe() !== undefined))
      call.complete()
      const { text, whole } = yield* (yield* Fiber.join(early)).end
      assert.isTrue(whole)
      // It ended at the position before that, so this reader gets nothing more, and is told so when it asks again.
      assert.match(text, new RegExp(`^: keep-alive\n(?:id: ${id}:2\n)?$`, "u"))
      assert.strictEqual((yield* beyond()).status, 204)
    })
  )

  it.effect("before its first token has the answer's id where it would ask again, and no empty event elsewhere", () =>
    Effect.gen(function* () {
      const script = yield* Script
      const actor = yield* newUser()
      const waiting = Effect.fnUntraced(function* (method: string, path: string, headers: Record<string, string> = {}) {
        const fiber = yield* Effect.forkScoped(
          send(method, path, { actor, headers, ...(method === "POST" ? { json: { content: "x" } } : {}) })
        )
        const call = yield* script.next
        yield* TestClock.adjust("500 millis")
        const reading = yield* Fiber.join(fiber)
        const text = yield* reading.until((text) => /id: [^\n]*\n/u.test(text))
        call.emit("x")
        call.complete()
        const all = (yield* reading.end).text
        return { text, empty: readAsPython(all).filter(({ data }) => data === "").length }
      })
      const browser = yield* waiting("GET", "/messages/stream?content=x")
      assert.match(browser.text, /^: keep-alive\nid: [0-9a-f-]{36}:0\n\n$/u)
      for (const other of [
        yield* waiting("POST", "/messages/stream"),
        yield* waiting("POST", "/messages/stream?format=json"),
        yield* waiting("GET", "/messages/stream?content=x", { "idempotency-key": "key" })
      ])
        assert.strictEqual(other.empty, 0)
    })
  )
})

layer(Layer.provideMerge(askingServer(), TestDatabase.layer))("clients that others wrote", (it) => {
  it.effect("eventsource reads an answer and stays away when it is over, done or failed", () =>
    Effect.gen(function* () {
      const actor = yield* newUser()
      const { address } = yield* HttpServer.HttpServer
      const port = "port" in address ? address.port : 0
      const script = yield* Script
      const asked = script.asked()
      for (const failing of [false, true]) {
        const statuses: Array<number> = []
        const data: Array<string> = []
        const source = yield* Effect.acquireRelease(
          Effect.sync(
            () =>
              new EventSource(`http://127.0.0.1:${port}/messages/stream?content=x`, {
                fetch: async (url, init) => {
                  const response = await fetch(url, {
                    ...init,
                    headers: { ...init.headers, authorization: `Bearer ${actor.tenantId}.${actor.userId}` }
                  })
                  statuses.push(response.status)
                  return response
                }
              })
          ),
          (source) => Effect.sync(() => source.close())
        )
        source.addEventListener("message", (event) => data.push(String(event.data)))
        const call = yield* script.next
        call.emit("one\n")
        call.emit(" two")
        if (failing) call.fail("model_cut")
        else call.complete()
        yield* Effect.callback<void>((resume) => {
          source.addEventListener("error", () => {
            if (source.readyState === source.CLOSED) resume(Effect.void)
          })
        })
        assert.deepStrictEqual(data, ["one\n", " two", ...(failing ? [] : ["[DONE]"])])
        assert.deepStrictEqual(statuses, [200, 204])
      }
      assert.strictEqual(script.asked(), asked + 2)
    })
  )

  it.effect("eventsource-parser finds every token, its id, and the end", () =>
    Effect.gen(function* () {
      const actor = yield* newUser()
      const { id, text } = yield* answered(actor, (call) => {
        for (const piece of ["\u2028", "a\u0085b", "\n\n"]) call.emit(piece)
        call.complete()
      })
      const events: Array<readonly [string | undefined, string]> = []
      const comments: Array<string> = []
      const parser = createParser({
        onEvent: (event) => events.push([event.id, event.data]),
        onComment: (comment) => comments.push(comment),
        onError: (error) => assert.fail(error.message)
      })
      for (let at = 0; at < text.length; at += 3) parser.feed(text.slice(at, at + 3))
      const tokens = ["one", "two", "\u2028", "a\u0085", "b", "\n\n", "[DONE]"]
      assert.deepStrictEqual(
        events,
        tokens.map((token, index) => [`${id}:${index + 1}`, token])
      )
      const kept = yield* json(yield* send("GET", `/generations/${id}`, { actor }))
      assert.strictEqual(kept["text"], tokens.slice(0, -1).join(""))
    })
  )
})

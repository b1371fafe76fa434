import { ReaderScheduler } from "@llm-saas/engine/generations/ReaderScheduler"
import { StreamEvent } from "@llm-saas/api/StreamEvent"
import { EventId } from "@llm-saas/api/EventId"
import { GenerationId } from "@llm-saas/domain/Generation"
import { Message, MessageId } from "@llm-saas/domain/Message"
import { message as example } from "@llm-saas/api/Examples"
import { TokenLog } from "@llm-saas/engine/generations/TokenLog"
import { Tokens } from "@llm-saas/engine/generations/Tokens"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as fc from "fast-check"
import { KEEP_ALIVE, nativeForm, wireOf } from "../../src/sse/Wire.ts"
import { EventSource } from "./EventSource.ts"

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

/** Texts with which a model could forge an event, and ordinary ones. */
const PIECE = fc.oneof(
  fc.constantFrom(
    "\r",
    "\n",
    "\r\n",
    "\n\n",
    "[DONE]",
    "\n[DONE]",
    "[DONE]\n",
    " [DONE] ",
    "[DO",
    "NE]",
    "[DONE] x",
    "]"
  ),
  fc.constantFrom(
    "data: [DONE]",
    "\n\ndata: [DONE]\n\n",
    "id: 1\n",
    "event: error\n",
    ": x\n",
    ":",
    " ",
    "\u2028",
    "\u2029x",
    "a\u0085b",
    "\fdata: [DONE]\v\x1c\x1d\x1e\u2028",
    "\ufeff"
  ),
  fc.constantFrom("😀", "é", "\0", "\ud83d", "\ude00", "retry: 1\n"),
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.string({ unit: "binary", maxLength: 4 })
)

const tokensOf = (pieces: ReadonlyArray<string>) => {
  const tokens = new Tokens()
  return [...pieces.flatMap((piece) => [...tokens.push(piece)]), ...tokens.end()]
}

const bytes = (text: string) => new TextEncoder().encode(text)

/** The text of one connection that resumes after `seq`. */
const connection = (format: "text" | "json", tokens: ReadonlyArray<string>, seq: number) => {
  const wire = wireOf(format, ID)
  const rest = tokens.slice(seq).map((token, index) => wire.token(seq + index + 1, token))
  return bytes(
    `${KEEP_ALIVE}${wire.begin(ASKED, seq, true)}${rest.join(KEEP_ALIVE)}${wire.end(END, Math.max(seq, tokens.length))}`
  )
}

const seqOf = (id: string) => (id === "" ? 0 : Schema.decodeSync(EventId)(id).seq)

/** Reads an answer over connections that are cut after so many bytes each, and resumes each time. */
const readOverCuts = (format: "text" | "json", tokens: ReadonlyArray<string>, cuts: ReadonlyArray<number>) => {
  const received: Array<string> = []
  let lastEventId = ""
  for (const cut of [...cuts, Number.POSITIVE_INFINITY]) {
    const source = new EventSource(lastEventId)
    const all = connection(format, tokens, seqOf(lastEventId))
    const end = Math.min(all.length, cut)
    // Packets of odd sizes: characters and line ends are torn apart.
    for (let at = 0; at < end; at += 7) source.feed(all.subarray(at, Math.min(at + 7, end)))
    for (const { data, event } of source.events) {
      assert.strictEqual(event, "message")
      if (data === "[DONE]") return received
      if (format === "text") received.push(data)
      else {
        const read = Schema.decodeSync(Schema.fromJsonString(StreamEvent))(data)
        if (read.type === "delta") {
          assert.strictEqual(read.seq, received.length + 1)
          received.push(read.text)
        }
      }
    }
    lastEventId = source.lastEventId
  }
  return assert.fail("no [DONE]")
}

describe("the wire", () => {
  for (const format of ["text", "json"] as const) {
    it(`brings every token exactly once as ${format}, wherever connections are cut and resumed`, () => {
      fc.assert(
        fc.property(fc.array(PIECE), fc.array(fc.nat(400), { maxLength: 6 }), (pieces, cuts) => {
          const tokens = tokensOf(pieces)
          assert.deepStrictEqual(readOverCuts(format, tokens, cuts), tokens)
        }),
        { numRuns: 500 }
      )
    })
  }

  it("cannot be forged, not even by tokens that the engine would never let through", () => {
    fc.assert(
      fc.property(fc.array(PIECE), (tokens) => {
        const wire = wireOf("text", ID)
        const { comments, events } = new EventSource().feed(
          bytes(tokens.map((token, index) => wire.token(index + 1, token)).join(""))
        )
        assert.deepStrictEqual(comments, [])
        const said = tokens.map((token) => token.replaceAll(/\r\n?/gu, "\n").toWellFormed())
        for (const [index, token] of said.entries()) {
          const parts = events.filter(({ lastEventId }) => lastEventId === `${ID}:${index + 1}`)
          assert.isAtLeast(parts.length, 1, token)
        }
        assert.strictEqual(events.map(({ data }) => data).join(""), said.join(""))
        for (const { data, event } of events) {
          assert.strictEqual(event, "message")
          assert.isFalse(data.split("\n").some((line) => line.trim() === "[DONE]"))
        }
      }),
      { numRuns: 500 }
    )
  })

  it("is this, byte for byte", () => {
    const wire = wireOf("text", ID)
    assert.strictEqual(wire.begin(ASKED, 3, false), "")
    assert.strictEqual(wire.begin(ASKED, 0, true, true), `id: ${ID}:0\n\n`)
    assert.strictEqual(wire.begin(ASKED, 0, true, false), `id: ${ID}:0\n`)
    assert.strictEqual(wire.token(1, "Hello"), `id: ${ID}:1\ndata: Hello\n\n`)
    assert.strictEqual(wire.token(2, " world"), `id: ${ID}:2\ndata:  world\n\n`)
    assert.strictEqual(wire.token(3, "a\n\nb\n"), `id: ${ID}:3\ndata: a\ndata: \ndata: b\ndata: \n\n`)
    assert.strictEqual(wire.token(4, "[DONE]"), `id: ${ID}:3\ndata: [DONE\n\nid: ${ID}:4\ndata: ]\n\n`)
    assert.strictEqual(wire.end(END, 3), `id: ${ID}:4\ndata: [DONE]\n\n`)
    const failure = { problem: '{"code":"x"}', status: 500, requestId: "r" }
    const failed = 'event: error\ndata: {"code":"x","request_id":"r"}\n\n'
    assert.strictEqual(nativeForm("text").failure(failure), failed)
    assert.strictEqual(wire.failure(failure), failed)
    assert.strictEqual(wire.failure(failure, wire.last(3)), `id: ${ID}:4\n${failed}`)
    assert.strictEqual(KEEP_ALIVE, ": keep-alive\n")

    const json = wireOf("json", ID)
    const start = `id: ${ID}:3\ndata: {"type":"start","generation_id":"${ID}","message_id":"${ASKED.messageId}","conversation_id":null,"model":"gpt-4o-mini"}\n\n`
    assert.strictEqual(json.begin(ASKED, 3, false), start)
    assert.strictEqual(json.begin(ASKED, 3, true), start)
    assert.strictEqual(json.token(4, 'a\n"b"'), `id: ${ID}:4\ndata: {"type":"delta","seq":4,"text":"a\\n\\"b\\""}\n\n`)
    assert.strictEqual(
      json.end(END, 4),
      `data: {"type":"usage","tokens_in":12,"tokens_out":11,"approx_tokens_in":5,"approx_tokens_out":16,"latency_ms":812.4}\n\n`
        + `data: {"type":"end","status":"completed","finish_reason":"stop","message_id":"${MESSAGE.id}","seq":4}\n\nid: ${ID}:5\ndata: [DONE]\n\n`
    )
  })

  it("gives a reader that is cut before the first token a place to come back to, without an event", () => {
    const source = new EventSource().feed(bytes(`${KEEP_ALIVE}${wireOf("text", ID).begin(ASKED, 0, true)}`))
    assert.deepStrictEqual(source.events, [])
    assert.strictEqual(source.lastEventId, `${ID}:0`)
  })
})

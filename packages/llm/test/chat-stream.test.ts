import { assert, describe, it } from "@effect/vitest"
import { chunk, DONE, event } from "@llm-saas/testing/FakeUpstream"
import { visibleText } from "@llm-saas/domain/ModelEvent"
import * as fc from "fast-check"
import { ChatStream } from "../src/ChatStream.ts"
import { ProviderFailure } from "../src/ProviderFailure.ts"
import { SseReader } from "../src/SseReader.ts"

/** Cuts bytes at each of these places, given as parts of a thousand. */
const cutAt = (bytes: Uint8Array, places: ReadonlyArray<number>): Array<Uint8Array> => {
  const ends = [...places.map((place) => Math.floor((bytes.length * place) / 1000)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

const places = fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 40 })
const everywhere = (bytes: Uint8Array) => Array.from(bytes, (byte) => Uint8Array.of(byte))

const pieces = fc.array(
  fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme" }),
    fc.constantFrom(
      "\n",
      "\r",
      "\r\n",
      "\n\n",
      "data: ",
      "[DONE]",
      "data: [DONE]\n\n",
      "\ufeff",
      "\u2028",
      "\ud83c\udfe0"
    )
  ),
  { maxLength: 20 }
)

const eventsOf = (parts: ReadonlyArray<Uint8Array>) => {
  const reader = new SseReader()
  const found: Array<string> = []
  for (const part of parts) assert.isTrue(reader.push(part, (data) => found.push(data)))
  return found
}

describe("a stream of events", () => {
  it("is the same wherever its bytes are cut, and whichever line ends it uses", () => {
    fc.assert(
      fc.property(pieces, places, fc.constantFrom("\n", "\r\n", "\r"), (tokens, cuts, end) => {
        const wire = tokens
          .map((token) => `: comment${end}id: 1${end}data: ${JSON.stringify(token)}${end}${end}`)
          .join("")
        for (const parts of [cutAt(Buffer.from(wire), cuts), everywhere(Buffer.from(wire))])
          assert.deepStrictEqual(
            eventsOf(parts),
            tokens.map((token) => JSON.stringify(token))
          )
      })
    )
  })

  it("joins the lines of an event, removes one space, and drops an incomplete event", () => {
    const wire = "\ufeffdata:a\ndata:  b\ndata\nevent: x\n\nevent: empty\n\n:data: c\n\ndata: d"
    for (const parts of [[Buffer.from(wire)], everywhere(Buffer.from(wire))])
      assert.deepStrictEqual(eventsOf(parts), ["a\n b"])
  })

  it("may have one long event, and fails at one that is too long, at once or bit by bit", () => {
    const long = "x".repeat(1_000_000)
    assert.deepStrictEqual(eventsOf(cutAt(Buffer.from(`data: ${long}\n\n`), [1, 10, 500])), [long])
    const lines = new SseReader()
    const endless = new SseReader()
    const part = Buffer.from(`data: ${long}\n`)
    let [line, more] = [0, 0]
    while (lines.push(part, () => assert.fail("an event"))) assert.isBelow(line++, 10)
    while (endless.push(Buffer.from(long), () => assert.fail("an event"))) assert.isBelow(more++, 10)
  })

  it("reads a long line bit by bit without searching it again each time", () => {
    const reader = new SseReader()
    const from = performance.now()
    // If each part were searched from the line's beginning, 5·10¹⁰ characters would be read.
    for (let n = 0; n < 300_000; n++) reader.push(Buffer.from("0123456789"), () => assert.fail("an event"))
    assert.isBelow(performance.now() - from, 5000)
  })
})

describe("an answer", () => {
  const read = (parts: ReadonlyArray<Uint8Array>) => {
    const said: Array<string> = []
    const stream = new ChatStream((piece) => said.push(visibleText(piece)))
    for (const part of parts) if (stream.push(part) !== undefined) break
    return { said, end: stream.end() }
  }

  it("of any tokens arrives whole wherever its bytes are cut", () => {
    fc.assert(
      fc.property(pieces, places, (tokens, cuts) => {
        // An answer of tokens that are all empty is malformed, if its usage says that there were some.
        const said = tokens.filter((token) => token !== "")
        const wire = [
          ...tokens.map((content) => chunk({ delta: { content }, finish_reason: null })),
          chunk({ delta: {}, finish_reason: "length" }),
          event({ choices: [], usage: { prompt_tokens: 1, completion_tokens: said.length } }),
          DONE
        ].join("")
        for (const parts of [cutAt(Buffer.from(wire), cuts), everywhere(Buffer.from(wire))]) {
          assert.deepStrictEqual(read(parts), {
            said,
            end: {
              finishReason: "length",
              usage: { input: 1, output: said.length },
              model: "fake-1-2026-01-01"
            }
          })
        }
      })
    )
  })

  it("that is cut off is never completed", () => {
    const wire = Buffer.from(
      chunk({ delta: { content: "one" } }) + chunk({ delta: { content: "two" }, finish_reason: "stop" }) + DONE
    )
    const said = wire.indexOf('"finish_reason":"stop"')
    // With the last byte of its JSON: the line end may be missing.
    const whole = wire.indexOf("\n\n", said)
    for (let end = 0; end <= wire.length; end++) {
      const { end: outcome } = read([wire.subarray(0, end)])
      assert.strictEqual(outcome instanceof ProviderFailure, end < whole, `${end} of ${wire.length} bytes`)
    }
  })

  it("of any bytes is an answer or a failure, and never an exception", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.json(), places, (bytes, json, cuts) => {
        for (const wire of [bytes, Buffer.from(`data: ${json}\n\n`), Buffer.from(`data: {"choices":[${json}]}\n\n`)])
          assert.isDefined(read(cutAt(wire, cuts)).end)
      })
    )
  })
})

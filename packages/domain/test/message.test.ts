import { assert, describe, it } from "@effect/vitest"
import { DateTime, Schema } from "effect"
import * as fc from "fast-check"
import { Message, messageJson, utf8Bytes } from "../src/Message.ts"

describe("the bytes of a text in UTF-8", () => {
  it("are as many as the platform's encoder makes, whatever the text", () => {
    const units = fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes))
    const surrogates = fc.array(fc.integer({ min: 0xd7fe, max: 0xe001 })).map((codes) => String.fromCharCode(...codes))
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), units, surrogates), (text) => {
        assert.strictEqual(utf8Bytes(text), new TextEncoder().encode(text).length)
      }),
      { numRuns: 2000 }
    )
  })
})

describe("a message as JSON", () => {
  const text = fc.string({ unit: "binary" })
  const maybe = <A>(of: fc.Arbitrary<A>) => fc.option(of, { nil: null })
  const count = maybe(fc.nat())
  const time = maybe(fc.double({ noNaN: true, noDefaultInfinity: true }).filter((ms) => !Object.is(ms, -0)))
  const messages = fc.record({
    id: fc.uuid(),
    conversation_id: maybe(fc.uuid()),
    generation_id: maybe(fc.uuid()),
    user_id: fc.uuid(),
    content: text,
    response: maybe(text),
    tool_calls: maybe(fc.array(fc.record({ id: text, name: text, arguments: text }))),
    model: maybe(text),
    status: fc.constantFrom("streaming", "completed", "failed", "cancelled", "interrupted"),
    finish_reason: maybe(fc.constantFrom("stop", "length", "other")),
    failure: maybe(fc.constantFrom("model_cut", "process_lost")),
    tokens_in: count,
    tokens_out: count,
    approx_tokens_in: count,
    approx_tokens_out: count,
    latency_ms: time,
    ttft_ms: time,
    created_at: fc.integer({ min: 0, max: 4e12 }).map((ms) => DateTime.formatIso(DateTime.makeUnsafe(ms)))
  })
  const encode = Schema.encodeSync(Message)

  it("is what its schema encodes, whatever is in it", () => {
    fc.assert(
      fc.property(messages, (fields) => {
        const message = Schema.decodeUnknownSync(Message)(fields)
        assert.strictEqual(messageJson(message), JSON.stringify(encode(message)))
        assert.deepStrictEqual(Schema.decodeUnknownSync(Message)(JSON.parse(messageJson(message))), message)
      }),
      { numRuns: 1000 }
    )
  })
})

import { assert, describe, it } from "@effect/vitest"
import { shapedText, shapeOf } from "@llm-saas/dialects/Shape"
import { isJsonObject } from "@llm-saas/domain/Json"
import fc from "fast-check"

const read = (event: unknown): string | undefined =>
  isJsonObject(event) && typeof event["text"] === "string" ? event["text"] : undefined

// Texts that a log changes, and texts that JSON escapes.
const units = fc.constantFrom(
  "a",
  " ",
  "\n",
  '"',
  "\\",
  "\r",
  "\0",
  "\u2028",
  "\ud800",
  "😀",
  "[DONE]",
  "é",
  "\u0085",
  "\t"
)
const texts = fc.oneof(fc.string({ unit: units, minLength: 1 }), fc.string({ unit: "binary", minLength: 1 }))

describe("the shape of events that add only text", () => {
  it("gives an event's data back exactly, or says that it cannot", () => {
    fc.assert(
      fc.property(texts, fc.jsonValue(), fc.boolean(), (text, other, spaced) => {
        const data = JSON.stringify({ other, text, more: "x" }, undefined, spaced ? 1 : 0)
        const shape = shapeOf(data, text, read)
        if (shape === undefined) return
        const found = shapedText(data, shape)
        if (found === undefined) return
        assert.strictEqual(found, text)
        assert.strictEqual(`${shape.before}${JSON.stringify(found)}${shape.after}`, data)
        assert.notMatch(found, /[\r\0\u2028\u2029\u0085]/u)
        assert.isTrue(found.isWellFormed())
      })
    )
  })

  it("finds a text that is another member's value too", () => {
    const data = '{"type":"text","text":"text","id":"text"}'
    assert.isUndefined(shapeOf(data, "text", read))
    const shape = shapeOf('{"type":"text","text":"hello","id":"text"}', "hello", read)
    assert.deepStrictEqual(shape, { before: '{"type":"text","text":', after: ',"id":"text"}' })
  })

  it("takes no text that is written in another way, nor an empty one", () => {
    const shape = { before: '{"text":', after: "}" }
    assert.strictEqual(shapedText('{"text":"a\\n\\"b"}', shape), 'a\n"b')
    for (const data of [
      '{"text":""}',
      '{"text":"\\u0061"}',
      '{"text":"a\\/b"}',
      '{"text":"a","x":"b"}',
      '{"text":"[DONE]"}',
      '{"text":"a\\r"}',
      '{"text":"\\ud800"}',
      '{"text":1}',
      '{"text":"',
      '{"text":"}'
    ])
      assert.isUndefined(shapedText(data, shape), data)
  })
})

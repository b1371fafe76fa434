import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { utf8Bytes } from "../src/Message.ts"

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

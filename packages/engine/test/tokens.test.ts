import { assert, describe, it } from "@effect/vitest"
import { codePoints, lengthsOf, Tokens, tokensOf } from "@llm-saas/engine/generations/Tokens"
import * as fc from "fast-check"

/** Harmful and usual output of a model. */
const PIECE = fc.oneof(
  fc.constantFrom(
    "\r",
    "\n",
    "\r\n",
    "[DONE]",
    "[DO",
    "NE]",
    " [DONE] ",
    "\n[DONE]\n",
    "data: x",
    "\n\n",
    "😀",
    "\0",
    ": ping",
    ""
  ),
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.string({ unit: "binary", maxLength: 4 })
)

const run = (pieces: ReadonlyArray<string>) => {
  const tokens = new Tokens()
  return [...pieces.flatMap((piece) => [...tokens.push(piece)]), ...tokens.end()]
}

/** Cut anywhere, also through a surrogate pair or a CRLF. */
const recut = (text: string, cuts: ReadonlyArray<number>) => {
  const at = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].toSorted((a, b) => a - b)
  return [...at, text.length].map((end, index) => text.slice(at[index - 1] ?? 0, end))
}

describe("tokens", () => {
  it("are the model's text, line ends and broken characters repaired, wherever its pieces were cut", () => {
    fc.assert(
      fc.property(fc.array(PIECE), fc.array(fc.nat()), (pieces, cuts) => {
        const said = pieces.join("")
        const expected = said.replaceAll(/\r\n?/gu, "\n").replaceAll("\0", "\ufffd").toWellFormed()
        assert.strictEqual(run(pieces).join(""), expected)
        assert.strictEqual(run(recut(said, cuts)).join(""), expected)
      })
    )
  })

  it("are never empty, and none has a line that says [DONE], a CR, a NUL or half a character", () => {
    fc.assert(
      fc.property(fc.array(PIECE), (pieces) => {
        for (const token of run(pieces)) {
          assert.notStrictEqual(token, "")
          assert.isTrue(token.isWellFormed())
          assert.notMatch(token, /[\r\0]/u)
          assert.isFalse(token.split("\n").some((line) => line.trim() === "[DONE]"))
        }
      })
    )
  })

  it("come back from the text and their lengths as they were", () => {
    fc.assert(
      fc.property(fc.array(PIECE), (pieces) => {
        const tokens = run(pieces)
        assert.deepStrictEqual(tokensOf(tokens.join(""), lengthsOf(tokens)), tokens)
      })
    )
  })

  it("are passed on unchanged where they need no repair", () => {
    assert.deepStrictEqual(run(["What", " is", " 🏠", "\n\n", "x"]), ["What", " is", " 🏠", "\n\n", "x"])
    assert.deepStrictEqual(run(["[DONE]"]), ["[DONE", "]"])
    assert.strictEqual(codePoints("a🏠é"), 3)
  })
})

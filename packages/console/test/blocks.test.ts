import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import { BlockReader, blocksOf } from "../src/chat/blocks.ts"

const line = fc.constantFrom(
  "",
  "",
  " ",
  "text",
  "more text",
  "- item",
  "  - inner",
  "1. one",
  "2. two",
  "  continued",
  "    code",
  "```",
  "```ts",
  "~~~",
  "   ```",
  "````",
  "> quote",
  "# Title",
  "| a |",
  "|---|",
  "---"
)
const markdown = fc.array(line, { maxLength: 40 }).map((lines) => lines.join("\n"))

it("an answer has the same blocks however it comes, and closed ones never change", () => {
  fc.assert(
    fc.property(markdown, fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1 }), (text, sizes) => {
      const reader = new BlockReader()
      let seen: ReadonlyArray<unknown> = []
      for (let at = 0, n = 0; at < text.length; n++) {
        const size = sizes[n % sizes.length] ?? 1
        reader.push(text.slice(at, at + size))
        at += size
        const closed = reader.groups.flat()
        assert.deepStrictEqual(closed.slice(0, seen.length), seen)
        seen = closed
      }
      reader.end()
      assert.deepStrictEqual(reader.groups.flat(), blocksOf(text).flat())
    }),
    { numRuns: 1000 }
  )
})

it("no text is lost between blocks", () => {
  fc.assert(
    fc.property(markdown, (text) => {
      const words = (all: string) => all.match(/text|item|inner|one|two|continued|code|quote|Title/gu) ?? []
      assert.deepStrictEqual(
        words(
          blocksOf(text)
            .flat()
            .map(({ text }) => text)
            .join("\n")
        ),
        words(text)
      )
    })
  )
})

it("divides at blank lines and around code, and keeps a list and an unfinished fence together", () => {
  const kinds = (text: string) =>
    blocksOf(text)
      .flat()
      .map(({ kind, language, text }) => [kind, language, text.trim()])
  assert.deepStrictEqual(kinds("one\ntwo\n\nthree"), [
    ["text", "", "one\ntwo"],
    ["text", "", "three"]
  ])
  assert.deepStrictEqual(kinds("a\n```ts\nx\n\ny\n```\nb"), [
    ["text", "", "a"],
    ["code", "ts", "x\n\ny"],
    ["text", "", "b"]
  ])
  assert.deepStrictEqual(kinds("1. a\n\n   more\n\n2. b\n\nend"), [
    ["text", "", "1. a\n\n   more\n\n2. b"],
    ["text", "", "end"]
  ])
  assert.deepStrictEqual(kinds("- a\n  ```\n  x\n\n  y\n  ```\n- b"), [
    ["text", "", "- a\n  ```\n  x\n\n  y\n  ```\n- b"]
  ])
  assert.deepStrictEqual(kinds("````\n```\nx\n````"), [["code", "", "```\nx"]])
  assert.deepStrictEqual(kinds("```py\nx = 1"), [["code", "py", "x = 1"]])
})

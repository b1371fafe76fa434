import { assert, it } from "@effect/vitest"
import { isHeavy } from "../src/chat/heavy.ts"

it("what would keep the renderer busy is not rendered, and ordinary text is", () => {
  for (const text of [
    "*_[~".repeat(1000),
    ">".repeat(100),
    "- ".repeat(100),
    `${"1. ".repeat(100)}x`,
    "a".repeat(20_001)
  ])
    assert.isTrue(isHeavy(text, 20_000), text.slice(0, 20))
  const row = "| **bold** | `code` | [link](https://x.example) |\n"
  for (const text of ["", "A *word* and a [link](https://x.example).", row.repeat(100), "> a quote\n".repeat(100)])
    assert.isFalse(isHeavy(text, 20_000), text.slice(0, 20))
})

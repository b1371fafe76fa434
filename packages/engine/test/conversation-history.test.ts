import { assert, describe, it } from "@effect/vitest"
import { promptOf } from "@llm-saas/engine/generations/ConversationHistory"
import * as fc from "fast-check"

const visible = fc.constantFrom("a", "é", "🏠", "房", ".", "a b", "\n x \t")
const blank = fc.constantFrom(
  "",
  " ",
  "\n",
  "\t \r\n",
  "\u00a0",
  "\u200b",
  "\ufeff",
  "\u2028",
  "\u0085",
  "\u001f",
  "\u3000"
)
const text = fc.oneof(visible, blank)

describe("the prompt", () => {
  it("has no blank turn but the question, begins and ends with a question, and never two turns of one side in a row", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ content: text, response: text })), visible, (history, question) => {
        const prompt = promptOf(history, question, 1_000_000)
        for (const [index, { content, role }] of prompt.entries()) {
          assert.strictEqual(role, index % 2 === 0 ? "user" : "assistant")
          assert.match(content, /[a-zé🏠房.]/u)
        }
        assert.deepStrictEqual(prompt.at(-1), { role: "user", content: question })
        const whole = history.filter(({ content, response }) =>
          [content, response].every((each) => /[a-zé🏠房.]/u.test(each))
        )
        assert.strictEqual(prompt.length, 2 * whole.length + 1)
      })
    )
  })

  it("leaves out a blank answer, and keeps the turns before it", () => {
    const history = [
      { content: "one?", response: "one." },
      { content: "two?", response: " \n" },
      { content: "three?", response: "three." }
    ]
    assert.deepStrictEqual(
      promptOf(history, "four?", 1000).map(({ content }) => content),
      ["one?", "one.", "three?", "three.", "four?"]
    )
  })
})

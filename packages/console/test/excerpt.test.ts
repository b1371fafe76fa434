import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import { excerptOf } from "../src/chat/excerpt.ts"

it("an excerpt has what was looked for, in any letters, and nothing that the message has not", () => {
  fc.assert(
    fc.property(fc.string(), fc.stringMatching(/^[a-z]{2,8}$/u), fc.string(), fc.boolean(), (a, text, b, isUpper) => {
      const whole = `${a}${isUpper ? text.toUpperCase() : text}${b}`
      if (whole.toLowerCase().length !== whole.length) return
      const { after, before, hit } = excerptOf({ content: "", response: whole }, text)
      assert.strictEqual(hit.toLowerCase(), text)
      assert.include(whole, before.replace(/^…/u, "") + hit + after.replace(/…$/u, ""))
    })
  )
})

it("an excerpt is of the question where both have the text", () => {
  assert.deepStrictEqual(excerptOf({ content: "What is RLS?", response: "RLS is" }, "rls"), {
    before: "What is ",
    hit: "RLS",
    after: "?"
  })
})

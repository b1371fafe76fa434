import { assert, describe, it } from "@effect/vitest"
import { problem, type ProblemCode, PROBLEMS } from "../src/Problem.ts"

describe("the catalogue of problems", () => {
  const codes = Object.keys(PROBLEMS).filter((code): code is ProblemCode => code in PROBLEMS)

  it("says for each what happened and what to do, in whole sentences, with the address of its page", () => {
    for (const code of codes) {
      const { detail, help, status, title } = PROBLEMS[code]
      assert.match(code, /^[a-z0-9_]+$/)
      assert.isTrue(status >= 400 && status < 600, code)
      assert.notMatch(title, /\.$/, code)
      for (const sentence of [detail, help]) assert.match(sentence, /^[A-Z`].{10,}\.$/, code)
      assert.strictEqual(problem(code).type, `/problems/${code}`)
    }
  })
})

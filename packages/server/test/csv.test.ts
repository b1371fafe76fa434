import { assert, describe, it } from "@effect/vitest"
import { csvLine } from "../src/http/Csv.ts"

describe("a line of a table", () => {
  it("has no cell that a spreadsheet takes for a formula", () => {
    for (const text of ["=1+1", "+1+1", "-1+1", "@SUM(1)", " =1+1", "\t=1+1", "\uff1d1+1", "\uff20SUM(1)"])
      assert.strictEqual(csvLine([text]), `'${text}\r\n`)
    assert.strictEqual(csvLine(["\n=1"]), `"'\n=1"\r\n`)
    assert.strictEqual(csvLine(["a", -1, "-0.5", null, "a-b"]), "a,-1,-0.5,,a-b\r\n")
  })

  it("has none where semicolons separate cells", () => {
    const texts = ["x;=1+1", "x; =1+1", 'x;"=1+1"', "x;;@SUM(1)", '{"name":"x;=1+1"}', "x;\uff1d1+1"]
    for (const cell of csvLine(texts).split(";").slice(1)) assert.notMatch(cell, /^["\s]*[=+\-@\uff1d]/u)
    assert.strictEqual(csvLine(["a;b", "c"]), '"a;b",c\r\n')
  })
})

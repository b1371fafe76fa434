import fc from "fast-check"
import { assert, describe, it } from "vitest"
import { sumOf } from "../src/pages/operator/decimal.ts"

const PLACES = 12
const text = (value: bigint) => {
  const digits = String(value < 0n ? -value : value).padStart(PLACES + 1, "0")
  return `${value < 0n ? "-" : ""}${digits.slice(0, -PLACES)}.${digits.slice(-PLACES)}`
}
/** Without zeros at the end. */
const short = (value: bigint) =>
  text(value)
    .replace(/\.?0+$/u, "")
    .replace(/^-0$/u, "0")

describe("a sum of amounts", () => {
  it("is exact to the last digit", () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n })), (values) => {
        const sum = values.reduce((total, each) => total + each, 0n)
        assert.strictEqual(sumOf(values.map(text)), short(sum))
        assert.strictEqual(sumOf(values.map(short)), short(sum))
      })
    )
  })

  it("is not that of floating-point numbers", () => {
    assert.strictEqual(sumOf(["0.1", "0.2"]), "0.3")
    assert.strictEqual(sumOf(["9007199254740993", "-0.000000000000000001"]), "9007199254740992.999999999999999999")
    assert.strictEqual(sumOf([]), "0")
  })
})

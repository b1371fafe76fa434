import { assert, it } from "@effect/vitest"
import { isOneTimeToken, makeOneTimeToken } from "@llm-saas/domain/OneTimeTokenText"
import { randomBytes } from "node:crypto"

it("a one-time token has all 256 bits of its secret", () => {
  const secret = new Uint8Array(randomBytes(32))
  const others = Array.from({ length: 256 }, (_, bit) => {
    const other = secret.slice()
    other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    return other
  })
  const texts = [secret, ...others].map(makeOneTimeToken)
  assert.strictEqual(new Set(texts).size, 257)
  for (const text of texts) assert.isTrue(isOneTimeToken(text), text)
})

it("a one-time token that is cut, mistyped or anything else is none", () => {
  const text = makeOneTimeToken(new Uint8Array(randomBytes(32)))
  const mistyped = text.slice(0, 10) + (text[10] === "a" ? "b" : "a") + text.slice(11)
  for (const wrong of ["", "ot_", text.slice(0, -1), `${text}0`, ` ${text}`, `rt_${text.slice(3)}`, mistyped])
    assert.isFalse(isOneTimeToken(wrong), wrong)
})

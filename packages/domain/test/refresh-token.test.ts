import { assert, it } from "@effect/vitest"
import { makeRefreshToken, parseRefreshToken } from "@llm-saas/domain/RefreshTokenText"
import { Result } from "effect"
import { randomBytes } from "node:crypto"

it("a refresh token has all bits of its secret, and says which kind of secret it is", () => {
  const [one, other] = [new Uint8Array(32).fill(255), new Uint8Array(32).fill(255)]
  other[31] = 254
  const texts = [new Uint8Array(32), one, other, new Uint8Array(randomBytes(32))].map(makeRefreshToken)
  for (const text of texts) {
    assert.match(text, /^rt_[0-9A-Za-z]{49}$/u)
    assert.isTrue(Result.isSuccess(parseRefreshToken(text)))
  }
  assert.strictEqual(new Set(texts).size, texts.length)
})

it("a refresh token that is cut, mistyped or anything else is none", () => {
  const text = makeRefreshToken(new Uint8Array(randomBytes(32)))
  const swapped = text.slice(0, 10) + (text[10] === "a" ? "b" : "a") + text.slice(11)
  for (const wrong of [
    "",
    "rt_",
    text.slice(0, -1),
    `${text}0`,
    ` ${text}`,
    text.toUpperCase(),
    `sk-${text.slice(3)}`,
    swapped
  ])
    assert.isTrue(Result.isFailure(parseRefreshToken(wrong)), wrong)
})

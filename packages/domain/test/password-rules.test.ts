import { assert, describe, it } from "@effect/vitest"
import { flawDetail, flawOf, PasswordFlaw } from "../src/PasswordRules.ts"

const OWNER = { email: "alice@acme.test", names: ["llm-saas", "Acme Corp"] }
const COMMON = new Set(["letmein123", "trustno1"])
const flaw = (password: string, minCharacters = 8) =>
  flawOf(password, OWNER, { minCharacters, isCommon: (text) => COMMON.has(text) })

describe("a password may be chosen", () => {
  it("of any characters, if it is long enough and not easy to guess", () => {
    for (const good of [
      "correct horse battery staple",
      "jjkwmqzz",
      "84736251",
      "пароль на ключ",
      "🙂🙃🙂🙂🙃🙃🙂🙃",
      // A part of it may be a word or a name: the whole is compared.
      "letmein123 please",
      "alice in wonderland",
      "acme corp is my shepherd",
      "alice84736251"
    ])
      assert.isUndefined(flaw(good), good)
  })

  it("not if many people have it, in any spelling of its letters", () => {
    for (const bad of ["letmein123", "LetMeIn123", " letmein123 ", "ｌｅｔｍｅｉｎ123"])
      assert.strictEqual(flaw(bad), "common", bad)
  })

  it("not if it is one piece over and over, or characters in their order", () => {
    for (const bad of [
      "aaaaaaaa",
      "abababab",
      "abc1abc1abc1",
      "12345678",
      "90123456",
      "87654321",
      "abcdefgh",
      "HGFEDCBA"
    ])
      assert.strictEqual(flaw(bad), "simple", bad)
    assert.strictEqual(flaw("        x"), "simple")
  })

  it("not if it is the address or a name, with a number behind it or without", () => {
    for (const bad of [
      "alice@acme.test",
      "ALICE@ACME.TEST",
      "alice2026",
      "Alice-2026",
      "acmecorp",
      "Acme Corp.",
      "acme_corp1",
      "LLM-SaaS!"
    ])
      assert.strictEqual(flaw(bad), "personal", bad)
  })

  it("not below the length that is asked for, counted in code points", () => {
    assert.strictEqual(flaw("jjkwmqzz", 9), "short")
    assert.strictEqual(flaw("🙂🙃🙂🙂🙃🙃🙂🙃", 15), "short")
    assert.isUndefined(flaw("🙂🙃🙂🙂🙃🙃🙂🙃", 8))
  })

  it("and a name without letters is like nothing", () => {
    const owner = { email: "a@b.test", names: ["—", "…"] }
    assert.isUndefined(flawOf("?!?.,;::", owner, { minCharacters: 8, isCommon: () => false }))
  })
})

it("each flaw is said in a sentence that does not repeat the password", () => {
  for (const each of PasswordFlaw.literals) assert.match(flawDetail(each, 12), /^The password .{20,}\.$/u)
  assert.include(flawDetail("short", 12), "12 characters")
})

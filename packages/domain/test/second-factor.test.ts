import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { demandOf, isRequired } from "../src/LoginPolicy.ts"
import { makeRecoveryCode, readRecoveryCode, RECOVERY_BYTES } from "../src/RecoveryCode.ts"
import { filledBy, keyUri, stepAt, stepsAt, TRIES, waitSeconds, WINDOW_SECONDS } from "../src/Totp.ts"

describe("one-time codes", () => {
  it("are taken of the current step and of one to each side", () => {
    assert.strictEqual(stepAt(59), 1)
    assert.strictEqual(stepAt(60), 2)
    assert.deepStrictEqual(stepsAt(1_000_000, 0), [33_333, 33_332, 33_334])
  })

  it("are taken once, and none of an earlier step afterwards", () => {
    assert.deepStrictEqual(stepsAt(1_000_000, 33_332), [33_333, 33_334])
    assert.deepStrictEqual(stepsAt(1_000_000, 33_333), [33_334])
    assert.deepStrictEqual(stepsAt(1_000_000, 33_334), [])
  })

  it("may be guessed ten times at once, then one each 90 seconds", () => {
    let filled = 0
    for (let tried = 0; tried < TRIES; tried++) {
      assert.strictEqual(waitSeconds(filled), 0)
      filled = filledBy(filled)
    }
    assert.strictEqual(filled, WINDOW_SECONDS)
    assert.strictEqual(waitSeconds(filled), 90)
    assert.strictEqual(waitSeconds(filled - 90), 0)
  })

  it("make nobody wait for longer than one try, however far the clock steps", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (filled) => {
        assert.isTrue(waitSeconds(filled) >= 0 && waitSeconds(filled) <= 90)
        assert.isTrue(filledBy(filled) >= 90 && filledBy(filled) <= WINDOW_SECONDS + 90)
      })
    )
  })

  it("have an address that says whose they are, whatever is in the names", () => {
    const uri = new URL(keyUri({ secret: "JBSWY3DPEHPK3PXP", issuer: "A & B: Söhne?", account: "a+b@example.com" }))
    assert.strictEqual(uri.searchParams.get("secret"), "JBSWY3DPEHPK3PXP")
    assert.strictEqual(uri.searchParams.get("issuer"), "A & B: Söhne?")
    assert.match(uri.href, /^otpauth:\/\/totp\/A%20%26%20B%3A%20S%C3%B6hne%3F:a%2Bb%40example\.com\?/u)
  })
})

describe("a recovery code", () => {
  const bytes = fc.uint8Array({ minLength: RECOVERY_BYTES, maxLength: RECOVERY_BYTES })

  it("is five groups of five characters, and is read back as it was made", () => {
    fc.assert(
      fc.property(bytes, (random) => {
        const code = makeRecoveryCode(random)
        assert.match(code, /^[0-9a-hjkmnp-tv-z]{5}(-[0-9a-hjkmnp-tv-z]{5}){4}$/u)
        assert.strictEqual(readRecoveryCode(code), code.replaceAll("-", ""))
      })
    )
  })

  it("is read however it was typed", () => {
    const code = makeRecoveryCode(new Uint8Array(RECOVERY_BYTES).fill(0x42))
    const typed = ` ${code.toUpperCase().replaceAll("-", " ").replaceAll("1", "l").replaceAll("0", "O")} `
    assert.strictEqual(readRecoveryCode(typed), code.replaceAll("-", ""))
  })

  it("differs where one of 125 bits does", () => {
    fc.assert(
      fc.property(bytes, fc.integer({ min: 3, max: RECOVERY_BYTES * 8 - 1 }), (random, bit) => {
        const other = random.slice()
        other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7))
        assert.notStrictEqual(makeRecoveryCode(other), makeRecoveryCode(random))
      })
    )
  })

  it("is nothing else", () => {
    for (const text of ["", "123456", "u".repeat(25), "0".repeat(24), "0".repeat(26), "é".repeat(25)])
      assert.isUndefined(readRecoveryCode(text))
  })
})

describe("what a login is still asked for", () => {
  const optional = { second_factor: "optional", second_factor_after_sso: false } as const
  const admins = { second_factor: "admins", second_factor_after_sso: false } as const
  const all = { second_factor: "everybody", second_factor_after_sso: true } as const

  it("is a factor that the account has, whatever its tenant requires", () => {
    assert.strictEqual(demandOf(optional, { role: "user", by: "password", hasFactor: true }), "factor")
    assert.strictEqual(demandOf(optional, { role: "user", by: "password", hasFactor: false }), "nothing")
  })

  it("is to set one up, where the account must have one", () => {
    assert.strictEqual(demandOf(admins, { role: "admin", by: "password", hasFactor: false }), "enrolment")
    assert.strictEqual(demandOf(admins, { role: "user", by: "password", hasFactor: false }), "nothing")
    assert.strictEqual(demandOf(all, { role: "user", by: "password", hasFactor: false }), "enrolment")
    assert.isFalse(isRequired(admins, "user"))
  })

  it("is nothing after single sign-on, unless the tenant wants it, and nothing after a passkey", () => {
    assert.strictEqual(demandOf(admins, { role: "admin", by: "sso", hasFactor: true }), "nothing")
    assert.strictEqual(demandOf(all, { role: "user", by: "sso", hasFactor: true }), "factor")
    assert.strictEqual(demandOf(all, { role: "user", by: "passkey", hasFactor: true }), "nothing")
  })
})

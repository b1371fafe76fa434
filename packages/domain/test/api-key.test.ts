import { assert, describe, it } from "@effect/vitest"
import { DateTime, Result } from "effect"
import * as fc from "fast-check"
import { crc32 as zlibCrc32 } from "node:zlib"
import type { KeyOfActor } from "../src/Actor.ts"
import { KeyId } from "../src/ApiKey.ts"
import { crc32, isMeantAsKey, makeKey, makePublicId, parseKey, PUBLIC_BYTES, SECRET_BYTES } from "../src/ApiKeyText.ts"
import { lacking } from "../src/KeyPower.ts"
import { redact } from "../src/Redaction.ts"
import { type Scope, SCOPES } from "../src/Scope.ts"

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const keys = fc.tuple(bytes(PUBLIC_BYTES), bytes(SECRET_BYTES)).map(([id, secret]) => makeKey(makePublicId(id), secret))

/** What a scanner of sources and logs looks for. */
const SCANNER = /^sk-[0-9A-Za-z]{16}-[0-9A-Za-z]{49}$/u

describe("the text of an API key", () => {
  it("has one shape, whatever its bytes are, and is read back", () => {
    fc.assert(
      fc.property(keys, ({ publicId, text }) => {
        assert.match(text, SCANNER)
        assert.isTrue(isMeantAsKey(text))
        assert.deepStrictEqual(parseKey(text), Result.succeed({ publicId, text }))
      })
    )
  })

  it("differs where its secret differs: all 256 bits are in it", () => {
    fc.assert(
      fc.property(bytes(SECRET_BYTES), fc.nat(SECRET_BYTES * 8 - 1), (secret, bit) => {
        const other = secret.map((byte, place) => (place === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
        const id = makePublicId(new Uint8Array(PUBLIC_BYTES))
        assert.notStrictEqual(makeKey(id, secret).text, makeKey(id, other).text)
      })
    )
  })

  it("is refused with one character changed, two exchanged, or a part left out, by its checksum", () => {
    fc.assert(
      fc.property(keys, fc.nat(68), fc.constantFrom(..."0Az9Zb"), ({ text }, place, character) => {
        const changed = text.slice(0, place) + character + text.slice(place + 1)
        if (changed !== text) assert.isTrue(Result.isFailure(parseKey(changed)), changed)
        const exchanged =
          text.slice(0, place) + text.slice(place + 1, place + 2) + text.charAt(place) + text.slice(place + 2)
        if (exchanged !== text) assert.isTrue(Result.isFailure(parseKey(exchanged)), exchanged)
        assert.isTrue(Result.isFailure(parseKey(text.slice(0, place))))
        assert.isTrue(Result.isFailure(parseKey(text + character)))
      })
    )
  })

  it("is nothing else: no text but a key is read as one", () => {
    fc.assert(fc.property(fc.string({ maxLength: 80 }), (text) => Result.isFailure(parseKey(text))))
    for (const text of [
      "",
      "sk-",
      "sk--",
      "sk-proj-abcdefghijklmnopqrstuvwxyz",
      ` ${makeKey("0".repeat(16), new Uint8Array(32)).text}`
    ])
      assert.isTrue(Result.isFailure(parseKey(text)), text)
  })

  it("has the checksum that zlib makes", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme-ascii" }), (text) => crc32(text) === zlibCrc32(text)))
    assert.strictEqual(crc32("123456789"), 0xcb_f4_39_26)
  })

  it("is in no text that is logged or sent to MLflow, wherever it stands", () => {
    fc.assert(
      fc.property(keys, fc.constantFrom("", "Bearer ", "x-api-key: ", "key=", '{"key":"', "/"), ({ text }, before) => {
        for (const purpose of ["log", "content"] as const) {
          const redacted = redact(purpose, `It says ${before}${text}" here.`)
          assert.notInclude(redacted, text.slice(20))
          assert.notInclude(redacted, text.slice(-20))
        }
      })
    )
  })
})

const at = (year: number) => DateTime.makeUnsafe({ year, month: 1, day: 1 })
const powers = fc.record({
  scopes: fc.subarray([...SCOPES], { minLength: 1 }) as fc.Arbitrary<ReadonlyArray<Scope>>,
  models: fc.option(fc.subarray(["a", "b", "c"])),
  expiresAt: fc.option(fc.integer({ min: 2000, max: 2010 }).map(at))
})
const ofKey = (power: Omit<KeyOfActor, "id">): KeyOfActor => ({
  ...power,
  id: KeyId.make("01975a72-0d1e-7f20-9c31-5d6e7f8091a2")
})

describe("what a key may give on", () => {
  it("is what it has, and a login may give everything", () => {
    fc.assert(
      fc.property(powers, (power) => {
        assert.isUndefined(lacking(undefined, power))
        assert.isUndefined(lacking(ofKey(power), power))
      })
    )
  })

  it("is never more: no scope, no model and no day beyond its own", () => {
    fc.assert(
      fc.property(powers, powers, (mine, power) => {
        const scopes = power.scopes.every((scope) => mine.scopes.includes(scope))
        const models =
          mine.models === null || (power.models?.every((model) => mine.models?.includes(model) === true) ?? false)
        const days =
          mine.expiresAt === null
          || (power.expiresAt !== null && power.expiresAt.epochMilliseconds <= mine.expiresAt.epochMilliseconds)
        assert.strictEqual(lacking(ofKey(mine), power) === undefined, scopes && models && days)
      })
    )
  })
})

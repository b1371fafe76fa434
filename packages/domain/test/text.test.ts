import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Redacted, Schema } from "effect"
import { Cursor, page, PageLimit } from "../src/Page.ts"
import { Password } from "../src/Password.ts"
import { TenantName } from "../src/Tenant.ts"
import { Text } from "../src/Text.ts"
import { EmailInput } from "../src/User.ts"

const decode =
  <S extends Schema.ConstraintDecoder<unknown>>(schema: S) =>
  (input: unknown) =>
    Schema.decodeUnknownExit(schema)(input)
const accepts = (schema: Schema.ConstraintDecoder<unknown>, input: unknown) => Exit.isSuccess(decode(schema)(input))

describe("text", () => {
  it("that PostgreSQL or JSON would change is refused", () => {
    for (const bad of ["a\0b", "\ud800", "x\udfffy"]) assert.isFalse(accepts(Text, bad), JSON.stringify(bad))
    for (const good of ["", "a\nb", "🙂", "é"]) assert.isTrue(accepts(Text, good), JSON.stringify(good))
  })

  it("names one line people can see, of 200 characters at most", () => {
    for (const bad of ["", "   ", "a\nb", "a\u0007", "a".repeat(201), "🙂".repeat(201)])
      assert.isFalse(accepts(TenantName, bad), bad)
    for (const good of ["Acme Corp", "a", "🙂".repeat(200)]) assert.isTrue(accepts(TenantName, good), good)
  })
})

describe("an email", () => {
  it("is trimmed, NFC-normalised and lower-cased", () => {
    const decoded = Schema.decodeUnknownSync(EmailInput)("  Ame\u0301lie@ACME.com ")
    assert.strictEqual(decoded, "am\u00e9lie@acme.com")
  })

  it("has a local part, one @ and a domain", () => {
    for (const bad of [
      "",
      "a",
      "a@",
      "@b",
      "a b@c",
      "a\u0001@b.c",
      "a@b\u007f.c",
      "a\n@b.c",
      "a@b@c",
      `${"a".repeat(65)}@b.c`,
      `a@${"b".repeat(260)}`,
      "a\0@b.c"
    ]) {
      assert.isFalse(accepts(EmailInput, bad), bad)
    }
  })
})

describe("a password", () => {
  it("has 8 to 256 characters, counted as code points", () => {
    for (const bad of ["", "1234567", "🙂".repeat(7), "a".repeat(257), "🙂".repeat(257), "\ud800aaaaaaaa"]) {
      assert.isFalse(accepts(Password, bad), String(bad.length))
    }
    for (const good of ["12345678", "🙂".repeat(8), "a".repeat(256), "🙂".repeat(256)])
      assert.isTrue(accepts(Password, good), String(good.length))
  })

  it("is the same however its accents were typed", () => {
    const typed = Schema.decodeUnknownSync(Password)("passwo\u0301rd")
    assert.strictEqual(Redacted.value(typed), "passw\u00f3rd")
  })

  it("does not show in a failure's text", () => {
    const exit = decode(Password)("secret!")
    assert.isTrue(Exit.isFailure(exit))
    assert.notInclude(JSON.stringify(exit) + String(exit), "secret!")
  })

  it("of a megabyte is refused before it is normalised", () => {
    assert.isFalse(accepts(Password, "\u0344".repeat(1_000_000)))
  })
})

describe("a page", () => {
  it("is limited by a plain decimal number from 1 to 100", () => {
    for (const bad of ["0", "101", "0x10", "1e1", "+5", " 5", "-1", "5.0", "", "١"])
      assert.isFalse(accepts(PageLimit, bad), bad)
    for (const good of ["1", "50", "100"]) assert.isTrue(accepts(PageLimit, good), good)
  })

  it.effect.prop(
    "has a cursor exactly when rows remain, and the cursor reads back",
    [Schema.Array(Schema.Literal(0))],
    ([zeros]) =>
      Effect.sync(() => {
        const rows = zeros.map((_, index) => ({ id: `00000000-0000-7000-8000-${String(index).padStart(12, "0")}` }))
        const { data, next_cursor } = page(rows, 3)
        assert.strictEqual(data.length, Math.min(3, rows.length))
        assert.strictEqual(next_cursor !== null, rows.length > 3)
        if (next_cursor !== null) {
          const wire = Schema.encodeSync(Cursor)(next_cursor)
          assert.match(wire, /^[0-9a-f]{32}$/)
          assert.strictEqual(Schema.decodeSync(Cursor)(wire), data.at(-1)?.id)
        }
      })
  )
})

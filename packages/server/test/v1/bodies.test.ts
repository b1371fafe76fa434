import { assert, describe, it } from "@effect/vitest"
import { TenantId } from "@llm-saas/domain/Tenant"
import * as fc from "fast-check"
import { randomUUID } from "node:crypto"
import { checkJson, MAX_DEPTH } from "../../src/http/Body.ts"
import { HeldBytes } from "../../src/v1/RequestBodies.ts"

describe("a body's depth", () => {
  /** Byte by byte. */
  const isTooDeep = (text: string): boolean => {
    let depth = 0
    let inString = false
    const bytes = Buffer.from(text)
    for (let index = 0; index < bytes.length; index++) {
      const character = String.fromCharCode(bytes[index] ?? 0)
      if (inString) {
        if (character === "\\") index++
        else if (character === '"') inString = false
      } else if (character === '"') inString = true
      else if ("[{".includes(character)) {
        if (++depth > MAX_DEPTH) return true
      } else if ("]}".includes(character)) depth--
    }
    return false
  }
  const piece = fc.constantFrom('"', "\\", "[", "]", "{", "}", "a", "é", '\\"', "\\\\", "x".repeat(300), "[".repeat(60))

  it("is the same however its texts are passed over", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 200 }), (pieces) => {
        const text = pieces.join("")
        assert.strictEqual(checkJson(Buffer.from(text)) !== undefined, isTooDeep(text))
      }),
      { numRuns: 2000 }
    )
  })

  it("takes linear time, whatever is in its texts", () => {
    const texts = [
      "x".repeat(10_000_000),
      "\\".repeat(10_000_000),
      '\\"'.repeat(5_000_000),
      `${"x".repeat(257)}\\n`.repeat(40_000)
    ]
    for (const text of texts) {
      const bytes = Buffer.from(`{"a":"${text}"}`)
      const begun = performance.now()
      assert.isUndefined(checkJson(bytes))
      assert.isBelow(performance.now() - begun, 3000)
    }
  })
})

describe("large bodies", () => {
  it("are bounded for each tenant and for all, and forgotten when they are answered", () => {
    const held = new HeldBytes(100, 250)
    const [one, other, third] = [TenantId.make(randomUUID()), TenantId.make(randomUUID()), TenantId.make(randomUUID())]
    assert.isTrue(held.take(one, 60))
    assert.isFalse(held.take(one, 41))
    assert.isTrue(held.take(one, 40))
    // Another tenant has its own room, up to what all may have.
    assert.isTrue(held.take(other, 100))
    assert.isFalse(held.take(third, 51))
    held.release(one, 60)
    assert.isTrue(held.take(third, 100))
    for (const [tenant, bytes] of [
      [one, 40],
      [other, 100],
      [third, 100]
    ] as const)
      held.release(tenant, bytes)
    assert.strictEqual(held.size, 0)
    assert.isTrue(held.take(third, 100))
  })
})

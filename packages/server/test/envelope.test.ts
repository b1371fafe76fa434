import { assert, describe, it } from "@effect/vitest"
import { TenantId } from "@llm-saas/domain/Tenant"
import { Encryption, type WrappedKey } from "@llm-saas/engine/providerKeys/Encryption"
import { Effect, Layer, Redacted } from "effect"
import * as fc from "fast-check"
import { randomBytes, randomUUID } from "node:crypto"
import { EncryptionKeys, of } from "../src/auth/EncryptionKeys.ts"
import { EncryptionLayer, rewrap } from "../src/auth/Envelope.ts"

const key = () => Redacted.make(randomBytes(32).toString("base64"))
const [FIRST, SECOND] = [key(), key()]

/** The encryption of an installation with these keys, the current one first. */
const withKeys =
  (...[current = FIRST, ...earlier]: ReadonlyArray<Redacted.Redacted>) =>
  <A, E>(work: Effect.Effect<A, E, Encryption>) =>
    Effect.provide(
      work,
      EncryptionLayer.pipe(Layer.provide(Layer.succeed(EncryptionKeys, { all: Effect.succeed(of(current, earlier)) })))
    )

const place = () => ({ tenant: TenantId.make(randomUUID()), kind: "provider key" as const, id: randomUUID() })

const sealed = Effect.fnUntraced(function* (text: string, at = place()) {
  const { makeKey, seal } = yield* Encryption
  const dataKey = yield* makeKey(at.tenant, 1)
  const secret = yield* seal(Redacted.make(text), dataKey, at)
  return { at, dataKey, secret: secret ?? assert.fail("not sealed") }
})

const opened = ({ at, dataKey, secret }: Effect.Success<ReturnType<typeof sealed>>) =>
  Effect.flatMap(Encryption, ({ open }) =>
    Effect.map(open(secret, dataKey, at), (found) => (found === undefined ? undefined : Redacted.value(found)))
  )

/** With one bit of some hex changed. */
const flipped = (hex: string, bit: number) => {
  const bytes = Buffer.from(hex, "hex")
  const place = bit % (bytes.length * 8)
  bytes[place >> 3] = (bytes[place >> 3] ?? 0) ^ (1 << (place & 7))
  return bytes.toString("hex")
}

describe("a secret of a tenant", () => {
  it.effect("is read where it was written, is never written twice alike, and is in nothing that is stored", () =>
    Effect.forEach(
      fc.sample(fc.string({ minLength: 8, maxLength: 1000, unit: "binary" }), { numRuns: 100, seed: 1 }),
      Effect.fnUntraced(function* (text) {
        const one = yield* sealed(text)
        const well = Buffer.from(text).toString()
        assert.strictEqual(yield* opened(one), well)
        const again = yield* sealed(text, one.at)
        assert.notStrictEqual(again.secret, one.secret)
        assert.notStrictEqual(again.dataKey.wrapped, one.dataKey.wrapped)
        assert.notInclude(JSON.stringify(one), text)
        assert.notInclude(one.secret, Buffer.from(text).toString("hex"))
      }),
      { discard: true }
    ).pipe(withKeys(FIRST))
  )

  it.effect("is not read with one bit changed, of itself or of its data key", () =>
    Effect.gen(function* () {
      const one = yield* sealed("sk-secret")
      for (let bit = 0; bit < 60 * 8; bit += 7) {
        assert.isUndefined(yield* opened({ ...one, secret: flipped(one.secret, bit) }))
        const dataKey = { ...one.dataKey, wrapped: flipped(one.dataKey.wrapped, bit) }
        assert.isUndefined(yield* opened({ ...one, dataKey }))
      }
      for (const secret of ["", "00", one.secret.slice(0, 54), one.secret.slice(2), `${one.secret}00`])
        assert.isUndefined(yield* opened({ ...one, secret }))
    }).pipe(withKeys(FIRST))
  )

  it.effect("is not read in another tenant, another row, with another version, or with another's data key", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* sealed("sk-one"), yield* sealed("sk-other")]
      const elsewhere: ReadonlyArray<typeof one> = [
        { ...one, at: { ...one.at, tenant: other.at.tenant } },
        { ...one, at: { ...one.at, id: other.at.id } },
        { ...one, dataKey: { ...one.dataKey, version: 2 } },
        { ...one, dataKey: other.dataKey },
        // A row and its data key, both copied into another tenant.
        { ...one, at: other.at },
        { ...one, at: { ...other.at, id: one.at.id } },
        { ...one, at: { ...one.at, kind: "second factor" as const } }
      ]
      for (const moved of elsewhere) assert.isUndefined(yield* opened(moved))
      // Ids are compared as PostgreSQL writes them.
      const upper = {
        tenant: TenantId.make(one.at.tenant.toUpperCase()),
        kind: one.at.kind,
        id: one.at.id.toUpperCase()
      }
      assert.strictEqual(yield* opened({ ...one, at: upper }), "sk-one")
    }).pipe(withKeys(FIRST))
  )
})

describe("a new key of the installation", () => {
  const move = (
    dataKey: WrappedKey,
    tenant: TenantId,
    ...[current = FIRST, ...earlier]: ReadonlyArray<Redacted.Redacted>
  ) => rewrap(of(current, earlier), tenant, dataKey)

  it.effect("reads everything beside the old one, and without it what was encrypted anew", () =>
    Effect.gen(function* () {
      const one = yield* withKeys(FIRST)(sealed("sk-secret"))
      assert.isUndefined(yield* withKeys(SECOND)(opened(one)))
      assert.strictEqual(yield* withKeys(SECOND, FIRST)(opened(one)), "sk-secret")
      assert.isUndefined(move(one.dataKey, one.at.tenant, SECOND))
      const moved = move(one.dataKey, one.at.tenant, SECOND, FIRST) ?? assert.fail("not moved")
      assert.deepStrictEqual([moved.version, moved.wrapped_by === one.dataKey.wrapped_by], [1, false])
      assert.strictEqual(yield* withKeys(SECOND)(opened({ ...one, dataKey: moved })), "sk-secret")
      assert.isUndefined(yield* withKeys(FIRST)(opened({ ...one, dataKey: moved })))
      // It may be moved back, and as often as one likes.
      const back = move(moved, one.at.tenant, FIRST, SECOND) ?? assert.fail("not moved")
      assert.strictEqual(yield* withKeys(FIRST)(opened({ ...one, dataKey: back })), "sk-secret")
    })
  )

  it("is known by an id that tells nothing of it, in whatever form it is written", () => {
    const bytes = randomBytes(32)
    const ids = [
      bytes.toString("hex"),
      bytes.toString("hex").toUpperCase(),
      bytes.toString("base64"),
      bytes.toString("base64url")
    ].map((text) => of(Redacted.make(text), []).current.id)
    assert.lengthOf(new Set(ids), 1)
    assert.match(ids[0] ?? "", /^[0-9a-f]{16}$/u)
    assert.notInclude(bytes.toString("hex"), ids[0] ?? "")
  })
})

import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { TenantId } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, FileSystem, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { calculateJwkThumbprint, createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose"
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto"
import { join } from "node:path"
import { AccessTokens } from "../src/auth/AccessTokens.ts"
import { pair, shared, SigningKeys } from "../src/auth/SigningKeys.ts"
import { configured } from "./Configured.ts"

const SECRET = "q8Zr1T5wXn4Lb7Vd0Ks3Mj6Hf9Gc2Ya8Pe5Ru"
const NOW = 1_800_000_000
const alice = {
  tenantId: TenantId.make("0192f0c1-2345-7abc-8def-0123456789ab"),
  userId: UserId.make("0192f0c1-2345-7abc-8def-0123456789ac"),
  role: "user",
  tokenEpoch: 3
} as const
const claims = {
  sub: alice.userId,
  user_id: alice.userId,
  tenant_id: alice.tenantId,
  role: "user",
  iss: "llm-saas",
  aud: "llm-saas-api",
  iat: NOW,
  exp: NOW + 3600,
  jti: "0192f0c1-2345-4abc-8def-0123456789ad"
}

const part = (json: unknown) =>
  Buffer.from(typeof json === "string" ? json : JSON.stringify(json)).toString("base64url")
/** A token made by hand, with any header, any claims and any key. */
const forge = (header: unknown, payload: unknown, key: string | Buffer = SECRET, hash = "sha256") => {
  const input = `${part(header)}.${part(payload)}`
  return `${input}.${createHmac(hash, key).update(input).digest("base64url")}`
}
const HEADER = { alg: "HS256", typ: "at+jwt" }

const tokens = (keys: SigningKeys["Service"] = shared(Redacted.make(SECRET)), variables = {}) =>
  Layer.fresh(AccessTokens.layerNoDeps).pipe(Layer.provide([Layer.succeed(SigningKeys, keys), configured(variables)]))
const at = (seconds: number) => TestClock.setTime(seconds * 1000)
const accepted = (token: string) =>
  Effect.map(Effect.exit(AccessTokens.use((each) => each.verify(token))), Exit.isSuccess)
const refused = Effect.fnUntraced(function* (what: string, token: string) {
  const error = yield* Effect.flip(AccessTokens.use((each) => each.verify(token)))
  assert.strictEqual(error._tag, "Unauthenticated", what)
})

describe("an access token", () => {
  it.effect("says who, where and until when, and that it is one", () =>
    Effect.gen(function* () {
      yield* at(NOW)
      const { access_token, expires_in } = yield* AccessTokens.use((each) => each.issue(alice))
      assert.strictEqual(expires_in, 15 * 60)
      assert.deepStrictEqual(decodeProtectedHeader(access_token), HEADER)
      const issued = decodeJwt(access_token)
      assert.deepStrictEqual({ ...issued, jti: "" }, { ...claims, epoch: 3, exp: NOW + 15 * 60, jti: "" })
      assert.match(issued.jti ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      const { tokenEpoch, tenantId, userId } = yield* AccessTokens.use((each) => each.verify(access_token))
      assert.deepStrictEqual(
        { tokenEpoch, tenantId, userId },
        { tokenEpoch: 3, tenantId: alice.tenantId, userId: alice.userId }
      )
      const again = yield* AccessTokens.use((each) => each.issue(alice))
      assert.notStrictEqual(again.access_token, access_token)
    }).pipe(Effect.provide(tokens(undefined, { ACCESS_TOKEN_EXPIRE_MINUTES: "15" })))
  )

  it.effect(
    "made by hand with the right key and claims is one of ours: what follows is refused for its one difference",
    () =>
      Effect.gen(function* () {
        yield* at(NOW)
        assert.isTrue(yield* accepted(forge(HEADER, claims)))
        assert.isTrue(yield* accepted(forge({ ...HEADER, typ: "application/at+jwt" }, claims)))
      }).pipe(Effect.provide(tokens()))
  )

  it.effect("with a wrong or missing claim is refused", () =>
    Effect.gen(function* () {
      yield* at(NOW)
      for (const name of Object.keys(claims))
        yield* refused(`without ${name}`, forge(HEADER, { ...claims, [name]: undefined }))
      const wrong = {
        iss: ["other", "LLM-SAAS", ["llm-saas", "other"], null],
        aud: ["other", ["other"], "", null],
        sub: ["0192f0c1-2345-7abc-8def-0123456789ff", 1],
        user_id: ["0192f0c1-2345-7abc-8def-0123456789ff", "alice", null],
        tenant_id: ["", "x' or 1=1", 7],
        role: ["root", "", null],
        iat: ["now", null, -1.5, 1e300],
        exp: ["never", null],
        jti: ["", 7],
        epoch: [-1, 1.5, "0", null, 2 ** 31]
      }
      for (const [name, values] of Object.entries(wrong)) {
        for (const value of values)
          yield* refused(`${name}: ${JSON.stringify(value)}`, forge(HEADER, { ...claims, [name]: value }))
      }
    }).pipe(Effect.provide(tokens()))
  )

  it.effect("ends when it says, five seconds of another clock aside, remembered or not", () =>
    Effect.gen(function* () {
      const fresh = (n: number) => forge(HEADER, { ...claims, jti: String(n) })
      const old = fresh(0)
      yield* at(NOW + 3590)
      assert.isTrue(yield* accepted(old))
      yield* at(NOW + 3604)
      assert.isTrue(yield* accepted(old))
      assert.isTrue(yield* accepted(fresh(1)))
      yield* at(NOW + 3606)
      yield* refused("expired, and remembered", old)
      yield* refused("expired", fresh(2))
    }).pipe(Effect.provide(tokens()))
  )

  it.effect("names no epoch where it is older than epochs: that is the first one", () =>
    Effect.gen(function* () {
      yield* at(NOW)
      const old = yield* AccessTokens.use((each) => each.verify(forge(HEADER, claims)))
      assert.strictEqual(old.tokenEpoch, 0)
      const next = yield* AccessTokens.use((each) => each.verify(forge(HEADER, { ...claims, epoch: 7 })))
      assert.strictEqual(next.tokenEpoch, 7)
    }).pipe(Effect.provide(tokens()))
  )

  it.effect("is good also where the clock that issued it was ahead, or is put back", () =>
    Effect.gen(function* () {
      yield* at(NOW)
      const { access_token } = yield* AccessTokens.use((each) => each.issue(alice))
      for (const behind of [2, 10, 3600]) {
        yield* at(NOW - behind)
        assert.isTrue(yield* accepted(access_token), `${behind} s behind, remembered`)
        yield* Effect.provide(
          Effect.gen(function* () {
            yield* at(NOW - behind)
            assert.isTrue(yield* accepted(access_token), `${behind} s behind, at another process`)
          }),
          tokens()
        )
      }
    }).pipe(Effect.provide(tokens()))
  )

  it.effect("is not valid before its time", () =>
    Effect.gen(function* () {
      yield* at(NOW)
      yield* refused("from too far ahead", forge(HEADER, { ...claims, iat: NOW + 3610 }))
      yield* refused("not before", forge(HEADER, { ...claims, nbf: NOW + 10 }))
      assert.isTrue(yield* accepted(forge(HEADER, { ...claims, iat: NOW + 4, nbf: NOW + 4 })))
    }).pipe(Effect.provide(tokens()))
  )

  it.effect("with another header is refused", () =>
    Effect.gen(function* () {
      yield* at(NOW)
      yield* refused("no algorithm", `${part({ alg: "none", typ: "at+jwt" })}.${part(claims)}.`)
      yield* refused("no algorithm, signed", forge({ alg: "none", typ: "at+jwt" }, claims))
      yield* refused("None", forge({ alg: "None", typ: "at+jwt" }, claims))
      yield* refused("a stronger one we do not use", forge({ alg: "HS512", typ: "at+jwt" }, claims, SECRET, "sha512"))
      yield* refused("no type", forge({ alg: "HS256" }, claims))
      yield* refused("an ID token", forge({ alg: "HS256", typ: "JWT" }, claims))
      yield* refused("critical and unknown", forge({ ...HEADER, crit: ["x"], x: 1 }, claims))
      yield* refused("critical and detached", forge({ ...HEADER, crit: ["b64"], b64: false }, claims))
      yield* refused("empty crit", forge({ ...HEADER, crit: [] }, claims))
      yield* refused("alg twice", forge('{"alg":"HS256","typ":"at+jwt","alg":"none"}', claims))
    }).pipe(Effect.provide(tokens()))
  )

  it.effect("cannot bring its own key", () =>
    Effect.gen(function* () {
      yield* at(NOW)
      const own = "the attacker's own key, long enough for HS256"
      const jwk = { kty: "oct", k: Buffer.from(own).toString("base64url"), alg: "HS256" }
      yield* refused("jwk", forge({ ...HEADER, jwk }, claims, own))
      yield* refused("jku", forge({ ...HEADER, jku: "http://127.0.0.1:1/jwks.json" }, claims, own))
      yield* refused("x5u", forge({ ...HEADER, x5u: "http://127.0.0.1:1/cert.pem" }, claims, own))
      yield* refused("kid", forge({ ...HEADER, kid: "../../../../dev/null" }, claims, ""))
      yield* refused("an empty key", forge(HEADER, claims, ""))
    }).pipe(Effect.provide(tokens()))
  )

  it.effect("that was changed, cut, or never was one is refused", () =>
    Effect.gen(function* () {
      yield* at(NOW)
      const token = forge(HEADER, claims)
      const [header = "", payload = "", signature = ""] = token.split(".")
      assert.isTrue(yield* accepted(token))
      yield* refused(
        "another signature",
        `${header}.${payload}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`
      )
      yield* refused("no signature", `${header}.${payload}.`)
      yield* refused("half a signature", `${header}.${payload}.${signature.slice(0, 20)}`)
      yield* refused("another payload", `${header}.${part({ ...claims, role: "admin" })}.${signature}`)
      yield* refused("two parts", `${header}.${payload}`)
      yield* refused("four parts", `${token}.${signature}`)
      for (const junk of ["", ".", "..", "a.b.c", "\0", "é.é.é", "{}", "Bearer x", `${part("null")}.${part("null")}.x`])
        yield* refused(junk, junk)
      yield* refused("claims that are no object", forge(HEADER, "[]"))
      yield* refused("claims that are no JSON", forge(HEADER, "{"))
    }).pipe(Effect.provide(tokens()))
  )

  it.effect("of a megabyte is refused, and so is a longer one than ours ever are", () =>
    Effect.gen(function* () {
      yield* at(NOW)
      yield* refused("4097 characters", forge(HEADER, { ...claims, pad: "x".repeat(3000) }).padEnd(4097, "A"))
      yield* refused("valid, but too long", forge(HEADER, { ...claims, pad: "x".repeat(3500) }))
      yield* refused("a megabyte", "A".repeat(1_000_000))
    }).pipe(Effect.provide(tokens()))
  )

  it.effect("with a claim twice means the last, each time it is shown", () =>
    Effect.gen(function* () {
      yield* at(NOW)
      const other = "0192f0c1-2345-7abc-8def-0123456789ff"
      const token = forge(HEADER, JSON.stringify(claims).replace("{", `{"tenant_id":"${other}",`))
      for (const how of ["verified", "remembered"]) {
        assert.strictEqual((yield* AccessTokens.use((each) => each.verify(token))).tenantId, alice.tenantId, how)
      }
    }).pipe(Effect.provide(tokens()))
  )

  it.effect("that is remembered is the same as one that was verified, and is not remembered for good", () =>
    Effect.gen(function* () {
      yield* at(NOW)
      const secret = new TextEncoder().encode(SECRET)
      const keys = { ...shared(Redacted.make(SECRET)), verifying: secret }
      yield* Effect.gen(function* () {
        const token = forge(HEADER, claims)
        const first = yield* AccessTokens.use((each) => each.verify(token))
        // From here on nothing verifies any more: only what is remembered is accepted.
        secret.fill(0)
        yield* at(NOW + 59)
        assert.deepStrictEqual(yield* AccessTokens.use((each) => each.verify(token)), first)
        yield* at(NOW + 60)
        yield* refused("forgotten after a minute", token)
      }).pipe(Effect.provide(tokens(keys)))
    })
  )
})

const files = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  let count = 0
  return (key: KeyObject | string, type: "pkcs8" | "sec1" | "pkcs1" = "pkcs8") => {
    const path = join(directory, `${count++}.pem`)
    const pem = typeof key === "string" ? key : key.export({ type, format: "pem" }).toString()
    return Effect.as(fs.writeFileString(path, pem), path)
  }
})

const PAIRS = [
  ["RS256", generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey],
  ["ES256", generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey],
  ["EdDSA", generateKeyPairSync("ed25519").privateKey]
] as const

describe("a key pair", () => {
  it.layer(NodeFileSystem.layer)((it) => {
    for (const [algorithm, key] of PAIRS) {
      it.effect(
        `${algorithm} signs tokens that any client can verify with the published key, which is named by its thumbprint`,
        () =>
          Effect.gen(function* () {
            yield* at(NOW)
            const keys = yield* pair(algorithm, yield* (yield* files)(key))
            yield* Effect.gen(function* () {
              const { issue, jwks } = yield* AccessTokens
              const { access_token } = yield* issue(alice)
              assert.isTrue(yield* accepted(access_token))
              const [published] = jwks.keys
              assert.strictEqual(
                published?.["kid"],
                yield* Effect.promise(() => calculateJwkThumbprint({ ...published }))
              )
              assert.strictEqual(decodeProtectedHeader(access_token).kid, published?.["kid"])
              for (const secret of ["d", "p", "q", "dp", "dq", "qi", "k"]) assert.notProperty(published, secret)
              const set = createLocalJWKSet({ keys: jwks.keys.map((each) => ({ ...each, kty: each["kty"] ?? "" })) })
              const { payload } = yield* Effect.promise(() =>
                jwtVerify(access_token, set, { currentDate: new Date(NOW * 1000) })
              )
              assert.strictEqual(payload.sub, alice.userId)

              // The public key is no secret to sign with.
              const spki = createPublicKey(key)
              for (const known of [
                spki.export({ type: "spki", format: "pem" }),
                spki.export({ type: "spki", format: "der" }),
                JSON.stringify(published)
              ]) {
                yield* refused("HS256 with the public key", forge(HEADER, claims, known))
                yield* refused(
                  "its name on an HMAC",
                  forge({ alg: algorithm, typ: "at+jwt", kid: published?.["kid"] }, claims, known)
                )
              }
            }).pipe(Effect.provide(tokens(keys)))
            yield* Effect.gen(function* () {
              const { access_token } = yield* Effect.provide(
                AccessTokens.use((each) => each.issue(alice)),
                tokens(keys)
              )
              yield* refused("a token of a key pair where a shared secret is expected", access_token)
            }).pipe(Effect.provide(tokens()))
          })
      )
    }

    it.effect("must fit its algorithm, and is never shown", () =>
      Effect.gen(function* () {
        const write = yield* files
        const small = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey
        const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey
        const publicPem = createPublicKey(PAIRS[0][1]).export({ type: "spki", format: "pem" }).toString()
        const [rsa, ec, ed] = [yield* write(PAIRS[0][1]), yield* write(PAIRS[1][1]), yield* write(PAIRS[2][1])]
        const unfit = [
          ["RS256", ec],
          ["RS256", ed],
          ["RS256", yield* write(small)],
          ["RS256", yield* write(publicPem)],
          ["ES256", rsa],
          ["ES256", yield* write(p384)],
          ["EdDSA", ec],
          ["EdDSA", yield* write("nonsense")],
          ["EdDSA", "/nowhere/key.pem"]
        ] as const
        for (const [algorithm, path] of unfit) {
          const { message } = yield* Effect.flip(pair(algorithm, path))
          assert.match(
            message,
            /^JWT_PRIVATE_KEY_FILE is not usable: expected the path of a readable PEM file with an? (RSA|EC|Ed25519)/
          )
          assert.notInclude(message, "BEGIN")
        }
        // What `openssl ecparam -genkey` and `openssl genrsa -traditional` write is taken too.
        yield* pair("ES256", yield* write(PAIRS[1][1], "sec1"))
        yield* pair("RS256", yield* write(PAIRS[0][1], "pkcs1"))
      })
    )
  })

  it("of a shared secret publishes nothing", () => {
    assert.deepStrictEqual(shared(Redacted.make(SECRET)).jwks, { keys: [] })
  })
})

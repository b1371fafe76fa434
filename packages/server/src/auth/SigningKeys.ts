import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Context, Effect, FileSystem, Layer, Redacted, Result } from "effect"
import { calculateJwkThumbprint, type CryptoKey, importJWK, importPKCS8, type JWK } from "jose"
import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from "node:crypto"
import { SecretKey } from "./SecretKey.ts"
import { Settings } from "../config/Settings.ts"
import { StartupFailed } from "../process/Startup.ts"

/** Algorithms a token may be signed with; an installation allows exactly one. */
export type Algorithm = "HS256" | "RS256" | "ES256" | "EdDSA"

/** A public key as it is published (RFC 7517). */
export type PublicKey = Readonly<Record<string, string>>

/** The keys that tokens are signed and verified with. */
export class SigningKeys extends Context.Service<
  SigningKeys,
  {
    readonly algorithm: Algorithm
    readonly signing: CryptoKey | KeyObject | Uint8Array
    readonly verifying: CryptoKey | KeyObject | Uint8Array
    /** The key id in a token's header: its RFC 7638 thumbprint. Absent for a shared secret: its hash must not be published. */
    readonly kid: string | undefined
    /** The public keys that verify our tokens; empty for a shared secret. */
    readonly jwks: { readonly keys: ReadonlyArray<PublicKey> }
  }
>()("@llm-saas/server/auth/SigningKeys") {
  static readonly layer = Layer.effect(
    SigningKeys,
    Effect.gen(function* () {
      const { ALGORITHM, JWT_PRIVATE_KEY_FILE } = yield* Settings
      if (ALGORITHM === "HS256") return shared((yield* SecretKey).value)
      return yield* pair(ALGORITHM, JWT_PRIVATE_KEY_FILE ?? "")
    })
  ).pipe(Layer.provide(NodeFileSystem.layer))
}

/** HS256 with the key's characters, so that another program with the SECRET_KEY can verify our tokens. */
export const shared = (secret: Redacted.Redacted): SigningKeys["Service"] => {
  // A KeyObject, unlike bytes, is imported once and not for every token.
  const key = createSecretKey(Redacted.value(secret), "utf8")
  return SigningKeys.of({ algorithm: "HS256", signing: key, verifying: key, kid: undefined, jwks: { keys: [] } })
}

/** RS256, ES256 or EdDSA with the private key of a PEM file. */
export const pair = Effect.fn("SigningKeys.pair")(function* (algorithm: Exclude<Algorithm, "HS256">, file: string) {
  const unusable = new StartupFailed({
    message: `JWT_PRIVATE_KEY_FILE is not usable: expected the path of a readable PEM file with ${KIND[algorithm]}, not encrypted`
  })
  const fs = yield* FileSystem.FileSystem
  const pem = yield* Effect.mapError(fs.readFileString(file), () => unusable)
  const parsed = yield* Effect.mapError(Effect.fromResult(Result.try(() => createPrivateKey(pem))), () => unusable)
  if (!fits(algorithm, parsed)) return yield* unusable

  return yield* Effect.tryPromise({
    try: () => load(algorithm, parsed),
    catch: () => unusable
  })
})

const KIND = {
  RS256: "an RSA private key of at least 2048 bits",
  ES256: "an EC private key on P-256",
  EdDSA: "an Ed25519 private key"
}

const fits = (algorithm: Exclude<Algorithm, "HS256">, key: KeyObject): boolean => {
  switch (algorithm) {
    case "RS256":
      return key.asymmetricKeyType === "rsa" && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048
    case "ES256":
      return key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1"
    case "EdDSA":
      return key.asymmetricKeyType === "ed25519"
  }
}

const load = (algorithm: Algorithm, key: KeyObject) => {
  const jwk: JWK = createPublicKey(key).export({ format: "jwk" })
  const pem = key.export({ type: "pkcs8", format: "pem" }).toString()
  return Promise.all([importPKCS8(pem, algorithm), importJWK(jwk, algorithm), calculateJwkThumbprint(jwk)]).then(
    ([signing, verifying, kid]) =>
      SigningKeys.of({
        algorithm,
        signing,
        verifying,
        kid,
        jwks: { keys: [published(jwk, { alg: algorithm, use: "sig", kid })] }
      })
  )
}

/** Named members, so that a private one cannot be published by mistake. */
const published = (jwk: JWK, about: PublicKey): PublicKey => {
  const members: Record<string, string> = { ...about }
  for (const name of ["kty", "crv", "x", "y", "n", "e"] as const) {
    const member = jwk[name]
    if (typeof member === "string") members[name] = member
  }
  return members
}

import { OpenIdProviders, type ProviderClient } from "@llm-saas/engine/sso/OpenIdProviders"
import { REDIRECT_URI } from "@llm-saas/testing/OidcServer"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto"
import { createServer, type Server } from "node:http"
import { OpenIdProvidersLayer } from "../src/OpenIdProvidersLayer.ts"

// ID tokens that are not what they seem, of a provider whose tokens the test writes.

const SECRETS = { state: "s".repeat(43), nonce: "n".repeat(43), verifier: "v".repeat(43) }
const CLIENT_ID = "llm-saas"

const keys = generateKeyPairSync("rsa", { modulusLength: 2048 })
const others = generateKeyPairSync("rsa", { modulusLength: 2048 })

type Claims = Readonly<Record<string, unknown>>

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")

const signed = (key: KeyObject, claims: Claims, header: Claims = { alg: "RS256", kid: "one" }) => {
  const input = `${part(header)}.${part(claims)}`
  return `${input}.${sign("sha256", Buffer.from(input), key).toString("base64url")}`
}

const portOf = (server: Server) => {
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : 0
}

/** A provider that gives the ID token that `token` makes of its issuer. */
const provider = Effect.fnUntraced(function* (token: (issuer: string) => string) {
  const server = yield* Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      const made = createServer((request, response) => {
        const issuer = `http://127.0.0.1:${portOf(made)}`
        const answers: Readonly<Record<string, () => object>> = {
          "/.well-known/openid-configuration": () => ({
            issuer,
            authorization_endpoint: `${issuer}/auth`,
            token_endpoint: `${issuer}/token`,
            jwks_uri: `${issuer}/keys`,
            response_types_supported: ["code"],
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: ["RS256"]
          }),
          "/keys": () => ({
            keys: [{ ...keys.publicKey.export({ format: "jwk" }), kid: "one", alg: "RS256", use: "sig" }]
          }),
          "/token": () => ({ access_token: "a", token_type: "Bearer", id_token: token(issuer) })
        }
        response.setHeader("content-type", "application/json").end(JSON.stringify(answers[request.url ?? ""]?.() ?? {}))
      })
      made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
    }),
    (made) =>
      Effect.sync(() => {
        made.close()
        made.closeAllConnections()
      })
  )
  const client: ProviderClient = {
    owner: "installation",
    issuer: `http://127.0.0.1:${portOf(server)}`,
    clientId: CLIENT_ID,
    secret: undefined,
    redirectUri: REDIRECT_URI
  }
  return client
})

/** Whose login the token is taken for. */
const loginBy = Effect.fnUntraced(function* (token: (issuer: string) => string) {
  const client = yield* provider(token)
  const { claims } = yield* OpenIdProviders
  return yield* Effect.match(claims(client, SECRETS, `code=c&state=${SECRETS.state}`), {
    onFailure: ({ reason }) => reason,
    onSuccess: ({ sub }) => sub
  })
})

layer(OpenIdProvidersLayer({ allowPrivate: true }))("an ID token", (it) => {
  const claimsOf = (issuer: string, more: Claims = {}): Claims => {
    const now = Math.floor(Date.now() / 1000)
    return { iss: issuer, aud: CLIENT_ID, sub: "alice", nonce: SECRETS.nonce, iat: now, exp: now + 60, ...more }
  }

  it.effect("is taken with a good signature of its issuer alone", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* loginBy((issuer) => signed(keys.privateKey, claimsOf(issuer))), "alice")
      const secret = keys.publicKey.export({ format: "pem", type: "spki" })
      const wrong: Readonly<Record<string, (issuer: string) => string>> = {
        "another key": (issuer) => signed(others.privateKey, claimsOf(issuer)),
        "a key of its own": (issuer) =>
          signed(others.privateKey, claimsOf(issuer), {
            alg: "RS256",
            kid: "one",
            jwk: others.publicKey.export({ format: "jwk" })
          }),
        "an unknown key": (issuer) => signed(keys.privateKey, claimsOf(issuer), { alg: "RS256", kid: "two" }),
        "other claims than were signed": (issuer) => {
          const [header = "", , signature = ""] = signed(keys.privateKey, claimsOf(issuer)).split(".")
          return `${header}.${part(claimsOf(issuer, { sub: "bob" }))}.${signature}`
        },
        "no algorithm": (issuer) => `${part({ alg: "none" })}.${part(claimsOf(issuer))}.`,
        "the public key as a shared secret": (issuer) => {
          const input = `${part({ alg: "HS256", kid: "one" })}.${part(claimsOf(issuer))}`
          return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`
        }
      }
      for (const [what, token] of Object.entries(wrong))
        assert.strictEqual(yield* loginBy(token), "invalid_answer", what)
    }).pipe(Effect.scoped)
  )

  it.effect("is for this client, of this issuer, of this login, and not over", () =>
    Effect.gen(function* () {
      for (const more of [
        { aud: "another client" },
        { aud: [CLIENT_ID, "another client"] },
        { aud: undefined },
        { iss: "https://another.example.com" },
        { nonce: "x".repeat(43) },
        { nonce: undefined },
        { exp: 1000 },
        { exp: undefined },
        { sub: undefined }
      ])
        assert.strictEqual(
          yield* loginBy((issuer) => signed(keys.privateKey, claimsOf(issuer, more))),
          "invalid_answer",
          JSON.stringify(more)
        )
    }).pipe(Effect.scoped)
  )
})

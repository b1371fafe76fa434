import { TenantId } from "@llm-saas/domain/Tenant"
import { OpenIdProviders, type ProviderClient } from "@llm-saas/engine/sso/OpenIdProviders"
import { CLIENT, OidcServer, PUBLIC_CLIENT, REDIRECT_URI } from "@llm-saas/testing/OidcServer"
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Layer, Redacted } from "effect"
import { createServer, type RequestListener } from "node:http"
import { OpenIdProvidersLayer } from "../src/OpenIdProvidersLayer.ts"

// Against a real provider, and against servers that misbehave.

const tenant = TenantId.make("01975a6a-7c1e-7b90-8d2f-0a1b2c3d4e5f")

const SECRETS = { state: "s".repeat(43), nonce: "n".repeat(43), verifier: "v".repeat(43) }

const clientOf = (issuer: string, more: Partial<ProviderClient> = {}): ProviderClient => ({
  owner: tenant,
  issuer,
  clientId: CLIENT.id,
  secret: Redacted.make(CLIENT.secret),
  redirectUri: REDIRECT_URI,
  ...more
})

/** A server of the test on loopback. */
const server = (listener: RequestListener) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly close: () => void }>((resume) => {
      const made = createServer(listener).listen(0, "127.0.0.1", () => {
        const address = made.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        const close = () => {
          made.close()
          made.closeAllConnections()
        }
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

const reason = <A, R>(work: Effect.Effect<A, { readonly reason: string }, R>) =>
  Effect.match(work, { onFailure: (failed) => failed.reason, onSuccess: () => "none" })

layer(Layer.mergeAll(OidcServer.layer, OpenIdProvidersLayer({ allowPrivate: true })))(
  "an OpenID Connect provider",
  (it) => {
    /** Whole logins: a browser goes there and comes back. */
    const back = Effect.fnUntraced(function* (client: ProviderClient, subject = "sub-1") {
      const { logIn, people } = yield* OidcServer
      people.set("sub-1", { email: "alice@acme.com", email_verified: true, groups: ["staff", "admins"] })
      people.set("sub-2", { email: "bob@acme.com", email_verified: false })
      const { authorizationUrl } = yield* OpenIdProviders
      return yield* logIn(yield* authorizationUrl(client, SECRETS), subject)
    })
    const claimsOf = (client: ProviderClient, url: URL, secrets = SECRETS) =>
      Effect.flatMap(OpenIdProviders, ({ claims }) => claims(client, secrets, url.search.slice(1)))

    it.effect("says who logged in, with the claims of the userinfo endpoint too", () =>
      Effect.gen(function* () {
        const client = clientOf((yield* OidcServer).issuer)
        const claims = yield* claimsOf(client, yield* back(client))
        assert.deepInclude(claims, {
          sub: "sub-1",
          email: "alice@acme.com",
          email_verified: true,
          groups: ["staff", "admins"]
        })
      })
    )

    it.effect("takes a client without a secret, which PKCE protects", () =>
      Effect.gen(function* () {
        const client = clientOf((yield* OidcServer).issuer, { clientId: PUBLIC_CLIENT, secret: undefined })
        assert.strictEqual((yield* claimsOf(client, yield* back(client, "sub-2"))).sub, "sub-2")
      })
    )

    it.effect("proves nothing with another state, nonce, verifier, issuer or code, or a second time", () =>
      Effect.gen(function* () {
        const client = clientOf((yield* OidcServer).issuer)
        const changed = (name: string, value: string | undefined) => (url: URL) => {
          if (value === undefined) url.searchParams.delete(name)
          else url.searchParams.set(name, value)
          return url
        }
        const wrong = [
          { secrets: { ...SECRETS, state: "x".repeat(43) } },
          { secrets: { ...SECRETS, nonce: "x".repeat(43) } },
          { secrets: { ...SECRETS, verifier: "x".repeat(43) } },
          { change: changed("iss", "https://another.example.com") },
          { change: changed("iss", undefined) },
          { change: changed("state", undefined) },
          { change: changed("code", "forged") },
          { change: changed("code", undefined) }
        ]
        for (const { change = (url: URL) => url, secrets } of wrong) {
          const failed = yield* reason(claimsOf(client, change(yield* back(client)), secrets))
          assert.include(["invalid_answer", "refused"], failed)
        }
        const url = yield* back(client)
        yield* claimsOf(client, url)
        assert.strictEqual(yield* reason(claimsOf(client, url)), "refused")
      })
    )

    it.effect("that does not accept the client's secret refuses", () =>
      Effect.gen(function* () {
        const client = clientOf((yield* OidcServer).issuer)
        const url = yield* back(client)
        assert.strictEqual(yield* reason(claimsOf({ ...client, secret: Redacted.make("wrong") }, url)), "refused")
      })
    )

    it.effect("is checked for the admin: what is none is told", () =>
      Effect.gen(function* () {
        const { check } = yield* OpenIdProviders
        yield* check(clientOf((yield* OidcServer).issuer))
        const web = yield* server((_, response) => response.end("<html>"))
        assert.strictEqual(yield* reason(check(clientOf(web.url))), "no_discovery")
        const another = yield* server((_, response) =>
          response
            .setHeader("content-type", "application/json")
            .end(JSON.stringify({ issuer: "https://another.example.com" }))
        )
        assert.strictEqual(yield* reason(check(clientOf(another.url))), "no_discovery")
        another.close()
        assert.strictEqual(yield* reason(check(clientOf(another.url))), "unreachable")
      })
    )

    it.effect("that redirects is not followed", () =>
      Effect.gen(function* () {
        const { check } = yield* OpenIdProviders
        const { issuer } = yield* OidcServer
        const seen: Array<string> = []
        const elsewhere = yield* server((request, response) => {
          seen.push(request.url ?? "")
          response.end()
        })
        const here = yield* server((_, response) => response.writeHead(302, { location: elsewhere.url }).end())
        assert.notStrictEqual(here.url, issuer)
        assert.strictEqual(yield* reason(check(clientOf(here.url))), "no_discovery")
        assert.deepStrictEqual(seen, [])
      })
    )

    it.effect("that sends without end is cut off", () =>
      Effect.gen(function* () {
        const { check } = yield* OpenIdProviders
        const endless = yield* server((_, response) => {
          response.setHeader("content-type", "application/json")
          const more = () => {
            while (response.write(" ".repeat(65_536)));
            response.once("drain", more)
          }
          more()
        })
        assert.strictEqual(yield* reason(check(clientOf(endless.url))), "unreachable")
      })
    )

    it.effect("of one tenant that says nothing holds up no other tenant's, and is asked by a few at once", () =>
      Effect.gen(function* () {
        const { authorizationUrl } = yield* OpenIdProviders
        let asked = 0
        const silent = yield* server(() => void asked++)
        const slow = clientOf(silent.url, { clientId: "slow" })
        const waiting = yield* Effect.forkChild(
          Effect.all(
            Array.from({ length: 50 }, () => reason(authorizationUrl(slow, SECRETS))),
            { concurrency: "unbounded" }
          )
        )
        const other = clientOf((yield* OidcServer).issuer, { owner: "installation" })
        assert.include(yield* authorizationUrl(other, SECRETS), "code_challenge_method=S256")
        silent.close()
        assert.deepStrictEqual([...new Set(yield* Fiber.join(waiting))], ["unreachable"])
        // They wait for one reading of the configuration.
        assert.isAtMost(asked, 1)
      })
    )
  }
)

layer(OpenIdProvidersLayer({ allowPrivate: false }))("in a network that is not public", (it) => {
  it.effect("nothing is asked, whatever its name or spelling", () =>
    Effect.gen(function* () {
      const { check } = yield* OpenIdProviders
      let asked = 0
      const inside = yield* server((_, response) => {
        asked++
        response.end()
      })
      const { port } = new URL(inside.url)
      const issuers = [
        inside.url,
        `https://127.0.0.1:${port}`,
        `https://2130706433:${port}`,
        `https://0x7f.1:${port}`,
        `https://localhost:${port}`,
        `https://[::1]:${port}`,
        `https://[::ffff:127.0.0.1]:${port}`,
        `https://[::ffff:7f00:1]:${port}`,
        `https://[64:ff9b::7f00:1]:${port}`,
        `https://0.0.0.0:${port}`,
        "https://169.254.169.254",
        "https://10.0.0.1",
        "https://[fd00::1]",
        "https://[fe80::1]"
      ]
      for (const issuer of issuers) assert.strictEqual(yield* reason(check(clientOf(issuer))), "not_allowed", issuer)
      assert.strictEqual(asked, 0)
    })
  )

  it.effect("the installation's own is asked, which the operator chose, by TLS alone", () =>
    Effect.gen(function* () {
      const { check } = yield* OpenIdProviders
      let asked = 0
      const inside = yield* server((_, response) => {
        asked++
        response.end()
      })
      const own = { owner: "installation" } as const
      assert.strictEqual(yield* reason(check(clientOf(inside.url, own))), "not_allowed")
      assert.strictEqual(asked, 0)
      const secure = inside.url.replace("http:", "https:")
      // No TLS answers there.
      assert.strictEqual(yield* reason(check(clientOf(secure, own))), "unreachable")
    })
  )
})

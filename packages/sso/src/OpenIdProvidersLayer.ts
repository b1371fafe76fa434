import { isJsonObject } from "@llm-saas/domain/Json"
import { SsoUnavailable } from "@llm-saas/domain/SingleSignOn"
import type { SsoClaims } from "@llm-saas/domain/SsoClaims"
import { monotonicMillis } from "@llm-saas/domain/Time"
import { type LoginSecrets, OpenIdProviders, type ProviderClient } from "@llm-saas/engine/sso/OpenIdProviders"
import { Effect, Layer, Redacted, Schema } from "effect"
import * as oidc from "openid-client"
import { failure } from "./Failures.ts"
import { type FetchLimits, guardedFetch } from "./GuardedFetch.ts"
import { KnownProviders } from "./KnownProviders.ts"

/** Longest answer of a provider: keys and claims are far smaller. */
const LIMIT_BYTES = 524_288
/** For one request, and for all requests of a step of a login. */
const REQUEST_MS = 8000
const STEP_MS = 15_000
/** Steps of logins of one tenant that wait for its provider at once: a slow provider holds up no other's, and no more of our memory. */
const AT_ONCE = 20

const SCOPES = "openid email profile"

/** Providers in the network, by `openid-client`. `allowPrivate`: see {@link FetchLimits}. */
export const OpenIdProvidersLayer = (options: Pick<FetchLimits, "allowPrivate">) =>
  Layer.sync(OpenIdProviders, () => {
    const limits = { timeoutMs: REQUEST_MS, limitBytes: LIMIT_BYTES }
    const guarded = guardedFetch({ ...options, ...limits })
    const own = guardedFetch({ allowPrivate: true, ...limits })
    // The installation's are where the operator says; a tenant's, where its admins do.
    const fetchOf = ({ owner }: ProviderClient) => (owner === "installation" ? own : guarded)
    const known = new KnownProviders()
    const waiting = new Map<string, number>()

    const discover = (client: ProviderClient) =>
      oidc.discovery(new URL(client.issuer), client.clientId, undefined, authentication(client.secret), {
        [oidc.customFetch]: fetchOf(client),
        timeout: REQUEST_MS / 1000,
        execute: [
          // The signature too, though TLS would do: a token endpoint behind another's cache or proxy proves nothing.
          oidc.enableNonRepudiationChecks,
          ...(options.allowPrivate ? [oidc.allowInsecureRequests] : [])
        ]
      })

    const configuration = (client: ProviderClient, anew = false) =>
      Effect.clockWith((clock) =>
        Effect.tryPromise({
          try: () => known.get(client, monotonicMillis(clock), () => discover(client), anew),
          catch: (cause) => failure(cause, "no_discovery")
        })
      )

    /** A step of a login: limited in time, and in number for each tenant. */
    const step = <A, R>({ owner }: ProviderClient, work: Effect.Effect<A, SsoUnavailable, R>) =>
      Effect.suspend(() => {
        const before = waiting.get(owner) ?? 0
        if (before >= AT_ONCE) return Effect.fail(unreachable())
        waiting.set(owner, before + 1)
        return Effect.ensuring(
          Effect.timeoutOrElse(work, { duration: STEP_MS, orElse: () => Effect.fail(unreachable()) }),
          Effect.sync(() => {
            const now = (waiting.get(owner) ?? 1) - 1
            if (now === 0) waiting.delete(owner)
            else waiting.set(owner, now)
          })
        )
      })

    const check = Effect.fn("OpenIdProviders.check")(function* (client: ProviderClient) {
      const { authorization_endpoint, jwks_uri, token_endpoint } = (yield* configuration(client, true)).serverMetadata()
      if (authorization_endpoint === undefined || token_endpoint === undefined || jwks_uri === undefined)
        return yield* new SsoUnavailable({ reason: "no_discovery" })
      const response = yield* Effect.tryPromise({
        try: () =>
          fetchOf(client)(jwks_uri, {
            method: "GET",
            headers: { accept: "application/json" },
            body: null,
            redirect: "manual"
          }),
        catch: (cause) => failure(cause, "no_discovery")
      })
      const keys = yield* Effect.tryPromise({
        try: () => response.json(),
        catch: () => new SsoUnavailable({ reason: "no_discovery" })
      })
      if (response.status !== 200 || !isKeySet(keys)) return yield* new SsoUnavailable({ reason: "no_discovery" })
    })

    const authorizationUrl = Effect.fn("OpenIdProviders.authorizationUrl")(function* (
      client: ProviderClient,
      { nonce, state, verifier }: LoginSecrets
    ) {
      const found = yield* configuration(client)
      const code_challenge = yield* Effect.promise(() => oidc.calculatePKCECodeChallenge(verifier))
      const url = yield* Effect.try({
        try: () =>
          oidc.buildAuthorizationUrl(found, {
            redirect_uri: client.redirectUri,
            scope: SCOPES,
            state,
            nonce,
            code_challenge,
            code_challenge_method: "S256"
          }),
        catch: (cause) => failure(cause, "no_discovery")
      })
      // It is where we send a browser.
      if (url.protocol !== "https:" && !(options.allowPrivate && url.protocol === "http:"))
        return yield* new SsoUnavailable({ reason: "not_allowed" })
      return url.href
    })

    const claims = Effect.fn("OpenIdProviders.claims")(function* (
      client: ProviderClient,
      { nonce, state, verifier }: LoginSecrets,
      query: string
    ) {
      const found = yield* configuration(client)
      const tokens = yield* Effect.tryPromise({
        try: () =>
          oidc.authorizationCodeGrant(found, new URL(`${client.redirectUri}?${query}`), {
            expectedState: state,
            expectedNonce: nonce,
            pkceCodeVerifier: verifier,
            idTokenExpected: true
          }),
        catch: (cause) => failure(cause, "invalid_answer")
      })
      const said = tokens.claims()
      if (said === undefined) return yield* new SsoUnavailable({ reason: "invalid_answer" })
      const more =
        found.serverMetadata().userinfo_endpoint === undefined
          ? {}
          : yield* Effect.tryPromise({
              try: () => oidc.fetchUserInfo(found, tokens.access_token, said.sub),
              catch: (cause) => failure(cause, "invalid_answer")
            })
      // What is signed counts.
      return yield* Effect.mapError(
        decodeClaims({ ...more, ...said }),
        () => new SsoUnavailable({ reason: "invalid_answer" })
      )
    })

    return OpenIdProviders.of({
      check: (client) => step(client, check(client)),
      authorizationUrl: (client, secrets) => step(client, authorizationUrl(client, secrets)),
      claims: (client, secrets, query) => step(client, claims(client, secrets, query))
    })
  })

const unreachable = () => new SsoUnavailable({ reason: "unreachable" })

/** Basic, which every provider takes (RFC 6749 §2.3.1), and no secret in a body. */
const authentication = (secret: Redacted.Redacted | undefined): oidc.ClientAuth =>
  secret === undefined ? oidc.None() : oidc.ClientSecretBasic(Redacted.value(secret))

const isKeySet = (value: unknown): boolean => isJsonObject(value) && Array.isArray(value["keys"])

/** A subject has at most 255 ASCII characters (OpenID Connect Core §2). */
const Claims = Schema.StructWithRest(
  Schema.Struct({ sub: Schema.String.check(Schema.isPattern(/^[\x20-\x7e]{1,255}$/u)) }),
  [Schema.Record(Schema.String, Schema.Json)]
)
const decodeClaims: (value: unknown) => Effect.Effect<SsoClaims & { readonly sub: string }, unknown> =
  Schema.decodeUnknownEffect(Claims)

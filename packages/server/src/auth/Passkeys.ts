import { MOST_PASSKEYS } from "@llm-saas/domain/Passkey"
import { PasskeyVerifier } from "@llm-saas/engine/accounts/PasskeyVerifier"
import { verifyAuthenticationResponse, verifyRegistrationResponse } from "@simplewebauthn/server"
import { Effect, Layer } from "effect"
import { createHash } from "node:crypto"
import { Settings } from "../config/Settings.ts"

/** EdDSA, ES256 and RS256 (RFC 9053, RFC 8812): what all authenticators have one of. */
const ALGORITHMS = [-8, -7, -257]
const TIMEOUT_MS = 300_000

/** Passkeys of pages at PUBLIC_URL: its host is what they belong to. */
export const PasskeysLayer = Layer.effect(
  PasskeyVerifier,
  Effect.map(Settings, ({ APP_NAME, PUBLIC_URL }) => {
    const { hostname, origin } = new URL(PUBLIC_URL)
    const descriptors = (
      known: ReadonlyArray<{ readonly credential: string; readonly transports: ReadonlyArray<string> }>
    ) =>
      known
        .slice(0, MOST_PASSKEYS)
        .map(({ credential, transports }) => ({ id: credential, type: "public-key", transports }))

    return PasskeyVerifier.of({
      creation: ({ account, challenge, handle, known }) => ({
        challenge: signedOf(challenge),
        rp: { id: hostname, name: APP_NAME },
        user: { id: handle, name: account, displayName: account },
        pubKeyCredParams: ALGORITHMS.map((alg) => ({ alg, type: "public-key" })),
        timeout: TIMEOUT_MS,
        attestation: "none",
        excludeCredentials: descriptors(known),
        authenticatorSelection: { residentKey: "preferred", requireResidentKey: false, userVerification: "preferred" }
      }),
      created: (passkey, challenge) => {
        const { response, ...rest } = passkey
        const { transports, ...signed } = response
        return verified(() =>
          verifyRegistrationResponse({
            response: {
              ...rest,
              response: { ...signed, transports: [...(transports ?? [])] },
              clientExtensionResults: {}
            },
            expectedChallenge: signedOf(challenge),
            expectedOrigin: origin,
            expectedRPID: hostname,
            requireUserVerification: false,
            supportedAlgorithmIDs: ALGORITHMS
          }).then(({ registrationInfo: made }) =>
            made === undefined
              ? undefined
              : {
                  credential: made.credential.id,
                  publicKey: Buffer.from(made.credential.publicKey).toString("base64url"),
                  signCount: made.credential.counter,
                  transports: transports ?? [],
                  backedUp: made.credentialBackedUp
                }
          )
        )
      },
      request: ({ challenge, known }) => ({
        challenge: signedOf(challenge),
        rpId: hostname,
        timeout: TIMEOUT_MS,
        allowCredentials: descriptors(known),
        userVerification: "preferred"
      }),
      used: ({ response, ...rest }, { challenge, known }) =>
        verified(() =>
          verifyAuthenticationResponse({
            response: { ...rest, response: { ...response }, clientExtensionResults: {} },
            expectedChallenge: signedOf(challenge),
            expectedOrigin: origin,
            expectedRPID: hostname,
            credential: {
              id: known.credential,
              publicKey: new Uint8Array(Buffer.from(known.publicKey, "base64url")),
              counter: known.signCount
            },
            requireUserVerification: false
          }).then(({ authenticationInfo: use, verified }) =>
            verified ? { signCount: use.newCounter, backedUp: use.credentialBackedUp } : undefined
          )
        )
    })
  })
)

/** What is signed: 32 bytes, whatever the challenge is. */
const signedOf = (challenge: string): string => createHash("sha256").update(challenge).digest("base64url")

/** The library says by an exception what does not fit. */
const verified = <A>(check: () => Promise<A | undefined>): Effect.Effect<A | undefined> =>
  Effect.orElseSucceed(Effect.tryPromise(check), () => undefined)

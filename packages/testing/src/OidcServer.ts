import { Context, Effect, Layer } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { generateKeyPairSync } from "node:crypto"
import { Provider } from "oidc-provider"

/** A person of the provider: their claims beside `sub`. */
export type Person = Readonly<Record<string, unknown>>

/** Where providers of tests send browsers back to. */
export const REDIRECT_URI = "http://localhost:8000/sso/callback"
export const CLIENT = { id: "llm-saas", secret: "secret of the client/+%" }
export const PUBLIC_CLIENT = "llm-saas-public"

/** A real OpenID Connect provider (`oidc-provider`) on loopback, whose people the test decides. */
export class OidcServer extends Context.Service<
  OidcServer,
  {
    readonly issuer: string
    /** People by their subject. */
    readonly people: Map<string, Person>
    /** A browser that logs in as this person: follows redirects with cookies of its own, and returns where it is sent back to. */
    readonly logIn: (url: string, subject: string) => Effect.Effect<URL>
  }
>()("@llm-saas/testing/OidcServer") {
  static readonly layer = Layer.effect(
    OidcServer,
    Effect.suspend(() => serve)
  )
}

/** One key for all servers of a process: making one takes half a second. */
const KEY = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" })

/** A provider on a port of its own; 0: any. With it the address of its people's page. */
export const serve = Effect.gen(function* () {
  const people = new Map<string, Person>()
  const server = createServer()
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const issuer = `http://127.0.0.1:${port}`
  const provider = makeProvider(issuer, people)
  const callback = provider.callback()
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    if (request.url?.startsWith("/interaction/") === true) interact(provider, request, response)
    else void callback(request, response)
  })
  return OidcServer.of({ issuer, people, logIn: (url, subject) => logIn(url, subject) })
})

export const makeProvider = (
  issuer: string,
  people: ReadonlyMap<string, Person>,
  redirectUri = REDIRECT_URI
): Provider => {
  const shared = {
    redirect_uris: [redirectUri],
    grant_types: ["authorization_code"],
    response_types: ["code" as const]
  }
  const provider = new Provider(issuer, {
    clients: [
      { ...shared, client_id: CLIENT.id, client_secret: CLIENT.secret },
      { ...shared, client_id: PUBLIC_CLIENT, token_endpoint_auth_method: "none" }
    ],
    pkce: { required: () => true },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
    findAccount: (_, sub) =>
      people.has(sub) ? { accountId: sub, claims: () => ({ sub, ...people.get(sub) }) } : undefined,
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    features: { devInteractions: { enabled: false } },
    cookies: { keys: ["a key of a test"] },
    jwks: { keys: [{ ...KEY, kty: "RSA", use: "sig", alg: "RS256", kid: "one" }] },
    ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 }
  })
  return provider
}

const FORM = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Acme ID</title>
<style>body{font:16px system-ui;display:grid;place-items:center;height:90vh}form{display:grid;gap:12px;width:280px}</style>
<form method="post"><h1>Acme ID</h1><label>Who are you? <input name="person" autofocus></label><button>Log in</button></form></html>`

/** The provider's own pages: who logs in is what the form says; consent is given by itself. */
export const interact = (provider: Provider, request: IncomingMessage, response: ServerResponse): void => {
  const parts: Array<Buffer> = []
  request.on("data", (part: Buffer) => parts.push(part))
  request.on("end", () => {
    const person = new URLSearchParams(Buffer.concat(parts).toString()).get("person") ?? ""
    const done = provider.interactionDetails(request, response).then(({ params, prompt, session }) => {
      if (prompt.name === "login") {
        if (request.method === "POST")
          return provider.interactionFinished(request, response, { login: { accountId: person } })
        response.setHeader("content-type", "text/html").end(FORM)
        return undefined
      }
      const grant = new provider.Grant({ accountId: session?.accountId ?? "", clientId: String(params["client_id"]) })
      grant.addOIDCScope("openid email profile")
      return grant
        .save()
        .then((grantId) =>
          provider.interactionFinished(request, response, { consent: { grantId } }, { mergeWithLastSubmission: true })
        )
    })
    done.catch((error: unknown) => response.writeHead(500).end(String(error)))
  })
}

const logIn = Effect.fnUntraced(function* (start: string, subject: string) {
  const cookies = new Map<string, string>()
  let url = new URL(start)
  let form: URLSearchParams | undefined
  const { origin } = url
  for (let steps = 0; steps < 12; steps++) {
    const response = yield* Effect.promise(() =>
      fetch(url, {
        redirect: "manual",
        headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
        ...(form === undefined ? {} : { method: "POST", body: form })
      })
    )
    form = undefined
    for (const set of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/u.exec(set) ?? []
      cookies.set(name, value)
    }
    const location = response.headers.get("location")
    if (location === null) {
      const text = yield* Effect.promise(() => response.text())
      if (response.status !== 200) return yield* Effect.die(new Error(`the provider said ${response.status}: ${text}`))
      form = new URLSearchParams({ person: subject })
      continue
    }
    url = new URL(location, url)
    if (url.origin !== origin) return url
  }
  return yield* Effect.die(new Error("the provider sends the browser round and round"))
})

import { Context, Effect, Layer } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { type HttpApi, type HttpApiGroup, HttpApiSwagger, OpenApi } from "effect/http-api"
import { createHash } from "node:crypto"
import { gzip } from "node:zlib"

/** The pages beside the API, all of them GET. */
export const PAGES = ["/openapi.json", "/docs"] satisfies ReadonlyArray<`/${string}`>

/** Seconds a copy may be used without asking whether it still stands. */
const MAX_AGE = 60

/** `/openapi.json`, and Swagger UI at `/docs`: one page with everything in it, out of the package, which asks nobody else for anything. */
export const Docs = <Id extends string, Groups extends HttpApiGroup.Constraint>(api: HttpApi.HttpApi<Id, Groups>) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const router = yield* HttpRouter.HttpRouter
      yield* router.add("GET", "/openapi.json", yield* page(JSON.stringify(OpenApi.fromApi(api)), "application/json"))
      const html = yield* swagger(api)
      yield* router.add(
        "GET",
        "/docs",
        yield* page(html, "text/html; charset=utf-8", { "content-security-policy": policy(html) })
      )
    })
  )

/** The page as Effect makes it: made once, at start, by a router of its own. */
const swagger = <Id extends string, Groups extends HttpApiGroup.Constraint>(api: HttpApi.HttpApi<Id, Groups>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const router = yield* HttpRouter.make
      yield* Layer.build(Layer.provide(HttpApiSwagger.layer(api), Layer.succeed(HttpRouter.HttpRouter, router)))
      const app = router.asHttpEffect()
      const request = HttpServerRequest.fromWeb(new Request("http://localhost/docs"))
      const response = yield* Effect.orDie(
        Effect.provideContext(app, Context.make(HttpServerRequest.HttpServerRequest, request))
      )
      return response.body._tag === "Uint8Array" ? new TextDecoder().decode(response.body.body) : ""
    })
  )

const SCRIPT = /<script>([\s\S]*?)<\/script>/gu

/**
 * Only the page's own script runs, named by its hash (CSP level 3). Swagger UI sets styles on its elements, which no hash can name.
 * It may talk to us and nobody else: `Try it out`, and no validator of somebody else's.
 */
const policy = (html: string): string => {
  const hashes = [...html.matchAll(SCRIPT)].map(
    ([, script]) =>
      `'sha256-${createHash("sha256")
        .update(script ?? "")
        .digest("base64")}'`
  )
  return [
    "default-src 'none'",
    `script-src ${hashes.join(" ")}`,
    "style-src 'unsafe-inline'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join("; ")
}

/** A page that stays the same while the program runs, compressed once. Whoever has it already is told so in a few bytes. */
const page = Effect.fnUntraced(function* (
  text: string,
  contentType: string,
  headers: Readonly<Record<string, string>> = {}
) {
  const compressed = yield* Effect.callback<Uint8Array>((resume) =>
    gzip(text, (error, result) => resume(error === null ? Effect.succeed(result) : Effect.die(error)))
  )
  const etag = `"${createHash("sha256").update(text).digest("base64url").slice(0, 22)}"`
  const common = { ...headers, etag, "cache-control": `public, max-age=${MAX_AGE}`, vary: "accept-encoding" }
  const plain = HttpServerResponse.text(text, { contentType, headers: common })
  const zipped = HttpServerResponse.uint8Array(compressed, {
    contentType,
    headers: { ...common, "content-encoding": "gzip" }
  })
  const unchanged = HttpServerResponse.empty({ status: 304, headers: common })
  return Effect.map(HttpServerRequest.HttpServerRequest, (request) => {
    if (matches(request.headers["if-none-match"], etag)) return unchanged
    return /\bgzip\b/u.test(request.headers["accept-encoding"] ?? "") ? zipped : plain
  })
})

const matches = (given: string | undefined, etag: string): boolean =>
  given !== undefined && given.split(",").some((each) => each.trim().replace(/^W\//u, "") === etag)

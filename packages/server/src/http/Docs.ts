import { Context, Effect, Layer } from "effect"
import { HttpRouter, HttpServerRequest } from "effect/http"
import { type HttpApi, type HttpApiGroup, HttpApiSwagger, OpenApi } from "effect/http-api"
import { createHash } from "node:crypto"
import { page } from "./HtmlPage.ts"

/** The pages beside the API, all of them GET. */
export const PAGES = ["/openapi.json", "/docs"] satisfies ReadonlyArray<`/${string}`>

/** `/openapi.json`, and Swagger UI at `/docs`: one page from the package, complete in itself, that loads nothing from other servers. */
export const docsLayer = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>
) =>
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

/** The page as Effect renders it: once, at start, by a router of its own. */
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

const BEGIN = "<script>"
const END = "</script>"

/** The page's scripts. Each ends at the first end tag, as in a browser: in a script `<script>` is text. */
const scriptsOf = (html: string): ReadonlyArray<string> => {
  const scripts: Array<string> = []
  for (let at = html.indexOf(BEGIN); at >= 0;) {
    const end = html.indexOf(END, at)
    scripts.push(html.slice(at + BEGIN.length, end))
    at = html.indexOf(BEGIN, end)
  }
  return scripts
}

/**
 * Only the page's own script runs, named by its hash (CSP level 3). Swagger UI sets styles on its elements, which a hash cannot name. The
 * page may connect to us only: for `Try it out`, but not for a third party's validator.
 */
const policy = (html: string): string => {
  const hashes = scriptsOf(html).map((script) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`)
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

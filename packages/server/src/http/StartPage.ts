import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { type HttpApi, type HttpApiGroup, OpenApi } from "effect/http-api"
import { escape, readable } from "./HtmlPage.ts"
import type { Route } from "./RouteTable.ts"

const PLACES = {
  console: ["/console/", "the web console: chat, administration, usage"],
  docs: ["/docs", "every endpoint, ready to be tried"],
  openapi: ["/openapi.json", "the same as an OpenAPI document"],
  problems: ["/problems", "what can go wrong, and what to do about it"],
  health: ["/health", "whether the process is alive"],
  ready: ["/ready", "whether it can serve"]
} as const

export const HOME: ReadonlyArray<Route> = (["/", "/favicon.ico", "/robots.txt"] as const).map((path) => ({
  path,
  methods: ["GET", "HEAD"]
}))

/** `/` describes the server and links to its pages, for users and programs; also answers what browsers and crawlers always request. */
export const startPageLayer = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>
) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const router = yield* HttpRouter.HttpRouter
      const { description = "", title, version } = OpenApi.fromApi(api).info
      const places = Object.entries(PLACES)
      yield* router.add(
        "GET",
        "/",
        yield* readable(
          { name: title, version, description, ...Object.fromEntries(places.map(([name, [path]]) => [name, path])) },
          { title, body: body({ title, version, description }) }
        )
      )
      yield* router.add("GET", "/favicon.ico", HttpServerResponse.empty({ status: 204, headers: CACHED }))
      yield* router.add(
        "GET",
        "/robots.txt",
        HttpServerResponse.text("User-agent: *\nDisallow: /\n", { contentType: "text/plain", headers: CACHED })
      )
    })
  )

const CACHED = { "cache-control": "public, max-age=86400" }

const body = (about: { readonly title: string; readonly version: string; readonly description: string }): string =>
  `<h1>${escape(about.title)}</h1><p>Version ${escape(about.version)}. ${escape(about.description)}</p><dl>${Object.values(
    PLACES
  )
    .map(([path, what]) => `<dt><a href="${path}">${path}</a></dt><dd>${escape(what)}</dd>`)
    .join("")}</dl><p>The project's <code>README.md</code> has a quick start.</p>`

import { Layer } from "effect"
import { HttpRouter } from "effect/http"
import type { HttpApi, HttpApiGroup } from "effect/http-api"
import { ACCOUNT_PAGES, AccountPagesLayer } from "./AccountPages.ts"
import { accessCheckLayer } from "./AccessCheck.ts"
import { CONSOLE_ROUTES, ConsolePagesLayer } from "./ConsolePages.ts"
import { constantJson, constantsLayer } from "./Constants.ts"
import { docsLayer, PAGES } from "./Docs.ts"
import { Drain } from "./Drain.ts"
import { startPageLayer, HOME } from "./StartPage.ts"
import { httpEdgeLayer } from "./HttpEdge.ts"
import { listenerLayer } from "./Listener.ts"
import { PROBLEM_PAGES, ProblemsLayer } from "./Problems.ts"
import { RequestLines } from "../logging/RequestLines.ts"
import { makeRouteTable, ROUTER_CONFIG, type Route } from "./RouteTable.ts"
import { Upgrades } from "./Upgrades.ts"

/** `/health` tells that the process is alive. It is the most frequent request, and its answer is constant. */
const HEALTH = constantJson("/health", { status: "ok" })

/**
 * Serves an API: `routes` are its handlers and middleware, `HttpApiBuilder.layer(api)` with all it needs but the platform; `beside` are
 * those of its routes that are not in the API. Adds everything around them, the listening socket included. Drains on shutdown: see {@link
 * Drain}. Provides the listening `HttpServer`, and {@link Drain} for long answers.
 */
export const httpServerLayer = <Id extends string, Groups extends HttpApiGroup.Constraint, E, R>(
  api: HttpApi.HttpApi<Id, Groups>,
  routes: Layer.Layer<never, E, R>,
  beside: ReadonlyArray<Route> = []
) => {
  const table = makeRouteTable(api, [
    ...HOME,
    ...PROBLEM_PAGES,
    ...ACCOUNT_PAGES,
    ...CONSOLE_ROUTES,
    ...PAGES.map((path): Route => ({ path, methods: ["GET", "HEAD"] })),
    ...beside
  ])
  const app = Layer.mergeAll(
    routes,
    docsLayer(api),
    startPageLayer(api),
    ProblemsLayer,
    AccountPagesLayer,
    ConsolePagesLayer,
    accessCheckLayer(api),
    httpEdgeLayer(table)
  )
  const served = HttpRouter.serve(app, { routerConfig: ROUTER_CONFIG, disableLogger: true, disableListenLog: true })
  return Drain.onShutdown.pipe(
    Layer.provide(constantsLayer([HEALTH])),
    Layer.provide(Upgrades.opened),
    Layer.provide(served),
    Layer.provideMerge(listenerLayer(table)),
    Layer.provide(RequestLines.layer),
    Layer.provideMerge(Drain.layer)
  )
}

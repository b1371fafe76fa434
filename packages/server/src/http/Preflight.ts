import type { HttpServerRequest } from "effect/http"
import { HttpServerResponse } from "effect/http"
import type { Exchange } from "./Exchange.ts"
import { refusal } from "./Refusals.ts"
import type { RouteTable } from "./RouteTable.ts"

/**
 * Headers that pages may send beyond the safelisted ones. The second line is trace context: W3C's and B3, which Effect's client sends
 * with every request, and what Sentry's browser SDK adds.
 */
const REQUEST_HEADERS =
  "authorization, x-api-key, api-key, content-type, idempotency-key, proof, last-event-id, x-request-id, "
  + "traceparent, tracestate, baggage, sentry-trace, b3"
/** What the SDKs of OpenAI and Anthropic send beside them from a page. */
const SDK_HEADERS =
  ", anthropic-version, anthropic-beta, anthropic-dangerous-direct-browser-access, openai-organization, openai-project, openai-beta, "
  + "x-stainless-arch, x-stainless-async, x-stainless-helper, x-stainless-helper-method, x-stainless-lang, x-stainless-os, "
  + "x-stainless-package-version, x-stainless-poll-helper, x-stainless-retry-count, x-stainless-runtime, "
  + "x-stainless-runtime-version, x-stainless-timeout"
/** Seconds a browser may remember the answer. */
const MAX_AGE = "600"

/**
 * OPTIONS: the methods of a path, and for a page of an allowed origin, what it may send there (the CORS protocol of the Fetch standard).
 * Other origins get no CORS headers, so the browser refuses. No credentials: clients send tokens explicitly.
 */
export const preflight = (
  request: HttpServerRequest.HttpServerRequest,
  exchange: Exchange,
  routes: RouteTable
): HttpServerResponse.HttpServerResponse => {
  const route = request.url === "*" ? routes : routes.find(request.url)
  if (route === undefined) return refusal("not_found")
  if (exchange.allowedOrigin === undefined || request.headers["access-control-request-method"] === undefined) {
    return HttpServerResponse.empty({ status: 204, headers: { allow: route.allow } })
  }
  return HttpServerResponse.empty({
    status: 204,
    headers: {
      allow: route.allow,
      "access-control-allow-methods": route.allow,
      "access-control-allow-headers": exchange.door === "native" ? REQUEST_HEADERS : REQUEST_HEADERS + SDK_HEADERS,
      "access-control-max-age": MAX_AGE
    }
  })
}

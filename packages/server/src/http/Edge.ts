import { Api } from "@llm-saas/api/Api"
import { RequestId } from "@llm-saas/domain/RequestId"
import { Cause, Context, Effect } from "effect"
import { HttpServerError, HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApi } from "effect/http-api"
import { isUtf8 } from "node:buffer"
import { randomUUID } from "node:crypto"
import { problem } from "./Problems.ts"
import { CurrentEntry, type Entry, write } from "./RequestLog.ts"

/** What the edge needs to know. */
export interface EdgeOptions {
  readonly origins: ReadonlyArray<string>
  /** Whether the log is JSON (production) or readable lines. */
  readonly json: boolean
  readonly logRequests: boolean
}

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

/**
 * Everything between the socket and the router: refuses what no handler should see, gives every answer its headers, its request id
 * and, where it is an error, problem+json, and writes one line in the log. Nothing of a defect reaches the client.
 */
export const edge = (options: EdgeOptions) => {
  const routes = knownRoutes()
  return <E, R>(
    app: Effect.Effect<Response, E, R>
  ): Effect.Effect<Response, never, R | HttpServerRequest.HttpServerRequest> =>
    Effect.contextWith((context: Context.Context<HttpServerRequest.HttpServerRequest>) => {
      const request = Context.get(context, HttpServerRequest.HttpServerRequest)
      const started = performance.now()
      const id = requestId(request)
      const entry: Entry = {}
      const route = routes.find((each) => each.matches(pathOf(request.url)))
      const finish = (response: Response): Response => {
        const answer = dress(request, response, id, options)
        if (options.logRequests) {
          write(
            {
              request_id: id,
              ...entry,
              method: request.method,
              route: route?.path ?? "-",
              status: answer.status,
              duration_ms: Math.round((performance.now() - started) * 100) / 100
            },
            options.json
          )
        }
        return answer
      }
      const refused = refuse(request, route, options)
      if (refused !== undefined) return Effect.succeed(finish(refused))
      const served =
        request.method === "GET" || request.method === "HEAD"
          ? app
          : Effect.flatMap(checkBody(request), (bad) => (bad === undefined ? app : Effect.succeed(bad)))
      return Effect.matchCauseEffect(served, {
        onSuccess: (response) => Effect.succeed(finish(response)),
        onFailure: (cause) => Effect.map(translate(cause), finish)
      }).pipe(Effect.provideContext(Context.make(RequestId, id).pipe(Context.add(CurrentEntry, entry))))
    })
}

interface Route {
  readonly path: string
  readonly methods: ReadonlySet<string>
  readonly matches: (path: string) => boolean
}

/** The contract's addresses, for the log's `route`, for 405 and for its Allow. */
const knownRoutes = (): ReadonlyArray<Route> => {
  const methods = new Map<string, Set<string>>([
    ["/docs", new Set(["GET", "HEAD"])],
    ["/openapi.json", new Set(["GET", "HEAD"])]
  ])
  HttpApi.reflect(Api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) => {
      const known = methods.get(endpoint.path) ?? new Set()
      known.add(endpoint.method)
      if (endpoint.method === "GET") known.add("HEAD")
      methods.set(endpoint.path, known)
    }
  })
  return [...methods].map(([path, known]) => {
    const pattern = new RegExp(`^${path.replaceAll(".", "\\.").replace(/:\w+/gu, "[^/]+")}$`, "u")
    return {
      path,
      methods: known,
      matches: path.includes(":") ? (given) => pattern.test(given) : (given) => given === path
    }
  })
}

const pathOf = (url: string) => {
  const query = url.indexOf("?")
  return query === -1 ? url : url.slice(0, query)
}

const SANE_ID = /^[A-Za-z0-9._-]{8,64}$/u

const requestId = (request: Request) => {
  const given = request.headers["x-request-id"]
  return given !== undefined && SANE_ID.test(given) ? given : randomUUID()
}

/** An answer that needs no handler: a preflight, an address or method that does not exist, a query nobody can read. */
const refuse = (request: Request, route: Route | undefined, options: EdgeOptions): Response | undefined => {
  if (route === undefined) return problem(404)
  if (request.method === "OPTIONS") return preflight(request, route, options)
  if (!route.methods.has(request.method)) return problem(405, undefined, { allow: [...route.methods].join(", ") })
  const query = request.url.slice(pathOf(request.url).length + 1)
  return query === "" ? decodable(request.url) : (decodable(request.url) ?? uniqueKeys(query))
}

const decodable = (url: string): Response | undefined => {
  if (!url.includes("%")) return undefined
  if (/%00/u.test(url)) return problem(400, "The address contains NUL")
  return /%(?![0-9a-f]{2})/iu.test(url) || !isUtf8(percentDecoded(url))
    ? problem(400, "The address is not UTF-8, percent-encoded")
    : undefined
}

const percentDecoded = (url: string) =>
  Buffer.from(
    url.replace(/%([0-9a-f]{2})/giu, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1"
  )

const uniqueKeys = (query: string): Response | undefined => {
  const keys = [...new URLSearchParams(query).keys()]
  return new Set(keys).size === keys.length ? undefined : problem(400, "A query key occurs twice")
}

const preflight = (request: Request, route: Route, options: EdgeOptions): Response => {
  const allow = [...route.methods].join(", ")
  const { origin } = request.headers
  if (origin === undefined || !options.origins.includes(origin))
    return HttpServerResponse.empty({ status: 204, headers: { allow } })
  return HttpServerResponse.empty({
    status: 204,
    headers: {
      allow,
      "access-control-allow-methods": allow,
      "access-control-allow-headers": "authorization, content-type, idempotency-key, last-event-id, x-request-id",
      "access-control-max-age": "600"
    }
  })
}

/** Reads the body, within the limit, and looks at it as bytes: a decoder would hide what is not UTF-8. */
const checkBody = (request: Request): Effect.Effect<Response | undefined> =>
  Effect.match(request.arrayBuffer, {
    onSuccess: (body) => (isUtf8(new Uint8Array(body)) ? undefined : problem(400, "The body is not UTF-8")),
    onFailure: (error) =>
      isTooLarge(error) ? problem(413, undefined, { connection: "close" }) : problem(400, "The body could not be read")
  })

const isTooLarge = (error: HttpServerError.HttpServerError) =>
  error.reason._tag === "RequestParseError" && error.reason.reason === "BodyTooLarge"

/** What is left when a handler did not answer. The cause goes to the log, never to the client. */
const translate = (cause: Cause.Cause<unknown>): Effect.Effect<Response> => {
  const [first] = cause.reasons
  if (
    first !== undefined
    && first._tag === "Fail"
    && first.error instanceof HttpServerError.HttpServerError
    && first.error.reason._tag === "RouteNotFound"
  ) {
    return Effect.succeed(problem(404))
  }
  if (Cause.hasInterruptsOnly(cause)) return Effect.succeed(problem(503))
  return Effect.as(Effect.logError("a request failed for a reason of ours", cause), problem(500))
}

const SECURITY = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store"
}
// Swagger UI is one page with everything in it, and talks to this server only.
const DOCS = {
  ...SECURITY,
  "content-security-policy":
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; frame-ancestors 'none'"
}

const dress = (request: Request, response: Response, id: string, { origins }: EdgeOptions): Response => {
  const headers: Record<string, string> = { ...(request.url.startsWith("/docs") ? DOCS : SECURITY), "x-request-id": id }
  const { origin } = request.headers
  if (origins.length > 0) {
    headers["vary"] = "Origin"
    if (origin !== undefined && origins.includes(origin)) {
      headers["access-control-allow-origin"] = origin
      headers["access-control-expose-headers"] = "x-request-id, retry-after"
    }
  }
  return HttpServerResponse.setHeaders(
    response.status < 400 ? response : asProblem(request, response, id, headers),
    headers
  )
}

const asProblem = (request: Request, response: Response, id: string, headers: Record<string, string>): Response => {
  const isProblem = response.headers["content-type"] === "application/problem+json"
  const text =
    isProblem && response.body._tag === "Uint8Array" ? new TextDecoder().decode(response.body.body) : undefined
  const body = `${(text ?? bodyOf(response.status)).slice(0, -1)},"request_id":"${id}"}`
  if (response.status === 401)
    headers["www-authenticate"] =
      request.headers["authorization"] === undefined ? "Bearer" : 'Bearer error="invalid_token"'
  const retry = /"retry_after":(\d+)/u.exec(body)?.[1]
  if (retry !== undefined) headers["retry-after"] = retry
  for (const name of ["allow", "connection"]) {
    const value = response.headers[name]
    if (value !== undefined) headers[name] = value
  }
  return HttpServerResponse.text(body, { status: response.status, contentType: "application/problem+json" })
}

const bodyOf = (status: number) => {
  const { body } = problem(status)
  return body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : "{}"
}

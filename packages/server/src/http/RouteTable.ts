import { AnyQuery } from "@llm-saas/api/AnyQuery"
import { Costly } from "@llm-saas/api/Costly"
import { Foreign } from "@llm-saas/api/v1/Door"
import { Context } from "effect"
import * as FindMyWay from "effect/http/FindMyWay"
import { HttpApi, type HttpApiEndpoint, type HttpApiGroup } from "effect/http-api"
import { SchemaAST } from "effect"

/** Paths are compared literally: `//me`, `/me/` and `/ME` are not `/me`, so that a proxy's rules cannot be bypassed. */
export const ROUTER_CONFIG = {
  ignoreDuplicateSlashes: false,
  ignoreTrailingSlash: false,
  caseSensitive: true,
  maxParamLength: 200
}

/** A path that is served beside the API. */
export interface Route {
  readonly path: `/${string}`
  readonly methods: ReadonlyArray<string>
}

/** A path of the server and its methods, as a 405 and a HEAD need them. */
export interface KnownRoute {
  readonly path: string
  readonly methods: ReadonlySet<string>
  /** The methods, as in the `Allow` header. */
  readonly allow: string
  /** The query parameters of an endpoint by method. Empty for routes beside the API and {@link Foreign} and {@link AnyQuery} ones, which accept any. */
  readonly parameters: ReadonlyMap<string, ReadonlySet<string>>
}

export interface RouteTable {
  /** The route of a request target, for any method. */
  readonly find: (target: string) => KnownRoute | undefined
  /** All methods of all paths. */
  readonly allow: string
}

/**
 * The routes of an API, and those `beside` it. HEAD is GET without its body (RFC 9110 §9.3.2), except for an endpoint annotated {@link
 * Costly}.
 */
export const makeRouteTable = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>,
  beside: ReadonlyArray<Route>
): RouteTable => {
  const paths = new Map<string, Set<string>>(beside.map(({ methods, path }) => [path, new Set(methods)]))
  const parameters = new Map<string, Map<string, ReadonlySet<string>>>()
  HttpApi.reflect(api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint, mergedAnnotations }) => {
      const methods = paths.get(endpoint.path) ?? new Set()
      const known = parameters.get(endpoint.path) ?? new Map<string, ReadonlySet<string>>()
      const added =
        endpoint.method === "GET" && !Context.get(mergedAnnotations, Costly) ? ["GET", "HEAD"] : [endpoint.method]
      for (const method of added) {
        methods.add(method)
        const takesAny = Context.get(mergedAnnotations, Foreign) || Context.get(mergedAnnotations, AnyQuery)
        if (!takesAny) known.set(method, parametersOf(endpoint))
      }
      paths.set(endpoint.path, methods)
      parameters.set(endpoint.path, known)
    }
  })
  const router = FindMyWay.make<KnownRoute>(ROUTER_CONFIG)
  for (const [path, methods] of paths) {
    methods.add("OPTIONS")
    const allow = [...methods].join(", ")
    if (isPath(path)) router.on("GET", path, { path, methods, allow, parameters: parameters.get(path) ?? new Map() })
  }
  return {
    find: (target) => router.find("GET", target)?.handler,
    allow: [...new Set([...paths.values()].flatMap((methods) => [...methods]))].join(", ")
  }
}

const parametersOf = ({ query }: HttpApiEndpoint.Top): ReadonlySet<string> => {
  const ast = query === undefined ? undefined : SchemaAST.toEncoded(query.ast)
  return new Set(
    ast !== undefined && SchemaAST.isObjects(ast) ? ast.propertySignatures.map(({ name }) => String(name)) : []
  )
}

const isPath = (path: string): path is `/${string}` => path.startsWith("/")

import { Authorization } from "@llm-saas/api/Access"
import { Api } from "@llm-saas/api/Api"
import { Context, Effect, Layer } from "effect"
import { FetchHttpClient, type HttpClient, HttpClientRequest } from "effect/http"
import { HttpApiClient, HttpApiMiddleware } from "effect/http-api"
import { authorization, type Credentials } from "./Credentials.ts"

export interface HttpOptions {
  /** The server's address, such as `https://api.example.com`. */
  readonly url: string | URL
  /** The access token of calls. */
  readonly token?: Credentials
  /** An API key (`sk-…`), instead of a token: for programs, which have no login. */
  readonly key?: Credentials
}

/** A client of the HTTP API: one function per endpoint, with its types and errors. */
export class Http extends Context.Service<Http, HttpApiClient.ForApi<typeof Api>>()("@llm-saas/client/Http") {
  /** With an `HttpClient` of your own. */
  static readonly layerNoDeps = ({ key, token, url }: HttpOptions): Layer.Layer<Http, never, HttpClient.HttpClient> =>
    Layer.effect(Http, HttpApiClient.make(Api, { baseUrl: url })).pipe(
      Layer.provide(
        HttpApiMiddleware.layerClient(Authorization, ({ next, request }) =>
          Effect.flatMap(authorization(key ?? token), (value) =>
            next(value === undefined ? request : HttpClientRequest.setHeader(request, "authorization", value))
          )
        )
      )
    )

  /** By `fetch`, in Node and in browsers. */
  static readonly layer = (options: HttpOptions): Layer.Layer<Http> =>
    Layer.provide(Http.layerNoDeps(options), FetchHttpClient.layer)
}

import { Authorization } from "@llm-saas/api/Access"
import { Api } from "@llm-saas/api/Api"
import { Context, Effect, Layer } from "effect"
import { FetchHttpClient, type HttpClient, HttpClientRequest, type HttpClientResponse } from "effect/http"
import { HttpApiClient, HttpApiMiddleware } from "effect/http-api"
import { authorization, type Caller, tokenOf } from "./Credentials.ts"

export interface HttpOptions extends Caller {
  /** The server's address, such as `https://api.example.com`. */
  readonly url: string | URL
}

/** A client of the HTTP API: one function per endpoint, with its types and errors. */
export class Http extends Context.Service<Http, HttpApiClient.ForApi<typeof Api>>()("@llm-saas/client/Http") {
  /** With an `HttpClient` of your own. */
  static readonly layerNoDeps = ({ url, ...caller }: HttpOptions): Layer.Layer<Http, never, HttpClient.HttpClient> =>
    Layer.effect(Http, HttpApiClient.make(Api, { baseUrl: url })).pipe(
      Layer.provide(
        HttpApiMiddleware.layerClient(Authorization, ({ next, request }) => {
          const send = Effect.flatMap(authorization(caller), (value) =>
            Effect.map(
              next(value === undefined ? request : HttpClientRequest.setHeader(request, "authorization", value)),
              (response) => ({ response, value })
            )
          )
          return Effect.flatMap(send, ({ response, value }) =>
            Effect.flatMap(isRefused(response), (refused) =>
              refused && caller.session !== undefined
                ? Effect.flatMap(caller.session.another(tokenOf(value)), (other) =>
                    other ? Effect.map(send, (again) => again.response) : Effect.succeed(response)
                  )
                : Effect.succeed(response)
            )
          )
        })
      )
    )

  /** By `fetch`, in Node and in browsers. */
  static readonly layer = (options: HttpOptions): Layer.Layer<Http> =>
    Layer.provide(Http.layerNoDeps(options), FetchHttpClient.layer)
}

/** Whether the access token is not good. A second factor that is asked for has the status too. */
const isRefused = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<boolean> =>
  response.status === 401
    ? response.text.pipe(
        Effect.map((text) => text.includes('"code":"unauthenticated"')),
        Effect.orElseSucceed(() => false)
      )
    : Effect.succeed(false)

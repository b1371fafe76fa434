import { CallAuthorization } from "@llm-saas/api/Call"
import { RPC_PATH, Rpcs } from "@llm-saas/api/Rpcs"
import { Context, Effect, Layer, Schedule } from "effect"
import { FetchHttpClient, Headers, HttpClient } from "effect/http"
import { RpcClient, type RpcClientError, RpcMiddleware, RpcSerialization } from "effect/rpc"
import * as Socket from "effect/socket/Socket"
import { authorization, type Credentials } from "./Credentials.ts"

export interface RpcOptions {
  /** The server's address, such as `https://api.example.com`. */
  readonly url: string | URL
  /** The access token of calls. */
  readonly token?: Credentials
  /** An API key (`sk-…`), instead of a token: for programs, which have no login. */
  readonly key?: Credentials
}

export interface WebSocketOptions extends RpcOptions {
  /** Opens a socket where the platform has no `WebSocket`: `(url, protocols) => new WebSocket(url, protocols)` of the package `ws`. */
  readonly webSocket?: (url: string, protocols: string | Array<string> | undefined) => Socket.WebSocketLike
}

/**
 * Every RPC call, typed: `const rpc = yield* Rpc`, then `rpc["messages.ask"]({ content })`. A call fails with the errors of the API, or
 * with `RpcClientError` if the server cannot be reached.
 */
export class Rpc extends Context.Service<Rpc, RpcClient.FromGroup<typeof Rpcs, RpcClientError.RpcClientError>>()(
  "@llm-saas/client/Rpc"
) {
  /** One HTTP request per call, by `fetch`. */
  static readonly layerHttp = (options: RpcOptions): Layer.Layer<Rpc> =>
    make(options).pipe(
      Layer.provide(RpcClient.layerProtocolHttp({ url: addressOf(options) })),
      // An answer that is not from the RPC server, such as a proxy's 502, becomes a failure with its status.
      Layer.provide(Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, HttpClient.filterStatusOk))),
      Layer.provide(FetchHttpClient.layer),
      Layer.provide(RpcSerialization.layerNdjson)
    )

  /**
   * All calls over one WebSocket, which is reopened when it is lost; running calls then fail. It uses the platform's `WebSocket`, which
   * Node has from version 22 on; elsewhere `webSocket` gives one, such as that of the package `ws`. Without either the layer dies at
   * once with a message, because a socket that cannot be made would be retried for ever.
   */
  static readonly layerWebSocket = (options: WebSocketOptions): Layer.Layer<Rpc> =>
    make(options).pipe(
      Layer.provide(RpcClient.layerProtocolSocket({ retryTransientErrors: true, retryPolicy: RECONNECT })),
      Layer.provide(Socket.layerWebSocket(addressOf(options).replace(/^http/u, "ws"))),
      Layer.provide(constructorOf(options)),
      Layer.provide(RpcSerialization.layerNdjson)
    )
}

const constructorOf = ({ webSocket }: WebSocketOptions): Layer.Layer<Socket.WebSocketConstructor> => {
  if (webSocket !== undefined)
    return Layer.succeed(Socket.WebSocketConstructor, (url, protocols) =>
      webSocket(url, typeof protocols === "string" || Array.isArray(protocols) ? protocols : undefined)
    )
  return "WebSocket" in globalThis
    ? Socket.layerWebSocketConstructorGlobal
    : Layer.effect(Socket.WebSocketConstructor, Effect.die(new Error(NO_WEBSOCKET)))
}

const NO_WEBSOCKET =
  "There is no WebSocket here (Node has one from version 22 on): pass one as `webSocket`, or use Rpc.layerHttp"

/** Effect's own schedule is never reset: after ten disconnections a client would wait five seconds after each further one. */
const RECONNECT = Schedule.jittered(Schedule.spaced("500 millis"))

const addressOf = ({ url }: RpcOptions): string => `${String(url).replace(/(?<!\/)\/+$/u, "")}${RPC_PATH}`

const make = ({ key, token }: RpcOptions) =>
  Layer.effect(Rpc, RpcClient.make(Rpcs)).pipe(
    Layer.provide(
      RpcMiddleware.layerClient(CallAuthorization, ({ next, request }) =>
        Effect.flatMap(authorization(key ?? token), (value) =>
          next(
            value === undefined
              ? request
              : { ...request, headers: Headers.set(request.headers, "authorization", value) }
          )
        )
      )
    )
  )

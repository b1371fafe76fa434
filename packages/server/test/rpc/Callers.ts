import { CallAuthorization } from "@llm-saas/api/Call"
import { Rpcs } from "@llm-saas/api/Rpcs"
import { Effect, Layer } from "effect"
import { FetchHttpClient, Headers } from "effect/http"
import { RpcClient, type RpcClientError, RpcMiddleware, RpcSerialization } from "effect/rpc"
import * as Socket from "effect/socket/Socket"

export type Client = RpcClient.FromGroup<typeof Rpcs, RpcClientError.RpcClientError>

export type Transport = "http" | "websocket"

const protocol = (transport: Transport, port: number) =>
  (transport === "http"
    ? Layer.provide(RpcClient.layerProtocolHttp({ url: `http://127.0.0.1:${port}/rpc` }), FetchHttpClient.layer)
    : Layer.provide(
        RpcClient.layerProtocolSocket(),
        Layer.provide(Socket.layerWebSocket(`ws://127.0.0.1:${port}/rpc`), Socket.layerWebSocketConstructorGlobal)
      )
  ).pipe(Layer.provide(RpcSerialization.layerNdjson))

/** An RPC client, written with nothing but Effect and the contract. */
export const caller = Effect.fnUntraced(function* (transport: Transport, port: number, token?: string) {
  const authorization = RpcMiddleware.layerClient(CallAuthorization, ({ next, request }) =>
    next(
      token === undefined
        ? request
        : { ...request, headers: Headers.set(request.headers, "authorization", `Bearer ${token}`) }
    )
  )
  const context = yield* Layer.build(Layer.merge(Layer.fresh(protocol(transport, port)), authorization))
  return yield* Effect.provideContext(RpcClient.make(Rpcs), context)
})

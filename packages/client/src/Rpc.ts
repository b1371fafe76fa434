import { CallAuthorization } from "@llm-saas/api/Call"
import { RPC_PATH, Rpcs } from "@llm-saas/api/Rpcs"
import { Context, Effect, Layer, type Redacted, Schedule, Stream } from "effect"
import { FetchHttpClient, Headers, HttpClient } from "effect/http"
import { RpcClient, type RpcClientError, RpcMiddleware, RpcSerialization } from "effect/rpc"
import * as Socket from "effect/socket/Socket"
import { authorization, type Caller } from "./Credentials.ts"
import type { LoginSession } from "./LoginSession.ts"

export interface RpcOptions extends Caller {
  /** The server's address, such as `https://api.example.com`. */
  readonly url: string | URL
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

const make = (caller: Caller) =>
  Layer.effect(
    Rpc,
    Effect.map(RpcClient.make(Rpcs), (calls) =>
      caller.session === undefined ? calls : renewing(calls, caller.session)
    )
  ).pipe(
    Layer.provide(
      RpcMiddleware.layerClient(CallAuthorization, ({ next, request }) =>
        Effect.flatMap(authorization(caller), (value) =>
          next(
            value === undefined
              ? request
              : { ...request, headers: Headers.set(request.headers, "authorization", value) }
          )
        )
      )
    )
  )

/** Makes a call again whose access token was refused, once, with another one. A middleware sees calls, and not their answers. */
const renewing = <Calls extends object>(calls: Calls, session: LoginSession): Calls => {
  const again = <A, E>(
    call: () => A,
    refusal: E,
    used: Redacted.Redacted<string> | undefined,
    failed: (error: E) => A
  ) =>
    Effect.map(isRefusal(refusal) ? session.another(used) : Effect.succeed(false), (other) =>
      other ? call() : failed(refusal)
    )
  const once = (call: () => unknown): unknown => {
    const first = call()
    if (Effect.isEffect(first))
      return Effect.flatMap(session.token, (used) =>
        Effect.catch(first, (error) =>
          Effect.flatMap(again<unknown, unknown>(call, error, used, Effect.fail), (next) =>
            Effect.isEffect(next) ? next : Effect.succeed(next)
          )
        )
      )
    if (Stream.isStream(first))
      return Stream.unwrap(
        Effect.map(session.token, (used) => {
          // A refusal comes before anything else: an answer whose session ends meanwhile is not begun anew.
          let begun = false
          return first.pipe(
            Stream.tap(() => Effect.sync(() => void (begun = true))),
            Stream.catch((error) =>
              begun
                ? Stream.fail(error)
                : Stream.unwrap(
                    Effect.map(again<unknown, unknown>(call, error, used, Stream.fail), (next) =>
                      Stream.isStream(next) ? next : Stream.fail(error)
                    )
                  )
            )
          )
        })
      )
    return first
  }
  return new Proxy(calls, {
    get: (target, name) => {
      const call: unknown = Reflect.get(target, name)
      const isOurs = typeof name === "string" && isAuthorized(name)
      if (typeof call !== "function" || !isOurs) return call
      return (...given: ReadonlyArray<unknown>): unknown => once((): unknown => Reflect.apply(call, undefined, given))
    }
  })
}

/** Whether a call of this name has a token. */
const isAuthorized = (name: string): boolean =>
  [...(Rpcs.requests.get(name)?.middlewares ?? [])].some(({ key }) => key === CallAuthorization.key)

const isRefusal = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "code" in error && error.code === "unauthenticated"

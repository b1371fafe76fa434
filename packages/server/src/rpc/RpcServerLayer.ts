import { Rpcs } from "@llm-saas/api/Rpcs"
import { Layer } from "effect"
import { type Rpc, type RpcGroup, RpcServer } from "effect/rpc"
import { callAccessCheckLayer } from "./AccessCheck.ts"
import { CallAuthorizationLayer, CallBoundaryLayer } from "./Boundary.ts"
import { overHttp } from "./OverHttp.ts"
import { overWebSocket } from "./OverWebSocket.ts"
import { MessagePacing } from "./MessagePacing.ts"

/** Calls that may begin in one turn of the event loop, HTTP and WebSocket together: some 2 ms. */
const PER_TURN = 16

/** Serves a group of calls by HTTP and by WebSocket. Needs their handlers and the token verification. */
export const rpcServerLayer = <Calls extends Rpc.Any>(group: RpcGroup.RpcGroup<Calls>) => {
  // A defect ends its own call, and no other of the same client; calls carry their caller's trace themselves.
  const dispatcher = RpcServer.layer(group, { disableFatalDefects: true, disableTracing: true })
  const pacing = new MessagePacing(PER_TURN)
  return Layer.merge(
    Layer.provide(Layer.fresh(dispatcher), Layer.effect(RpcServer.Protocol, overHttp(pacing))),
    Layer.provide(Layer.fresh(dispatcher), Layer.effect(RpcServer.Protocol, overWebSocket(pacing)))
  ).pipe(Layer.provide(CallBoundaryLayer))
}

/** All calls of the contract. */
export const RpcServerLayer = Layer.merge(rpcServerLayer(Rpcs), callAccessCheckLayer(Rpcs)).pipe(
  Layer.provide(CallAuthorizationLayer)
)

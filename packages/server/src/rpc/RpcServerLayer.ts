import { Rpcs } from "@llm-saas/api/Rpcs"
import { Layer } from "effect"
import { type Rpc, type RpcGroup, RpcServer } from "effect/rpc"
import { CallAccessCheck } from "./AccessCheck.ts"
import { CallAuthorizationLayer, CallBoundaryLayer } from "./Boundary.ts"
import { overHttp } from "./OverHttp.ts"
import { overWebSocket } from "./OverWebSocket.ts"
import { Turns } from "./CallTurns.ts"

/** Calls that may begin in one turn of the event loop, HTTP and WebSocket together: some 2 ms. */
const PER_TURN = 16

/** Serves a group of calls by HTTP and by WebSocket. Needs their handlers and the token verification. */
export const rpcServerLayer = <OpenCalls extends Rpc.Any>(group: RpcGroup.RpcGroup<OpenCalls>) => {
  // A defect ends its own call, and no other of the same client; calls carry their caller's trace themselves.
  const dispatcher = RpcServer.layer(group, { disableFatalDefects: true, disableTracing: true })
  const turns = new Turns(PER_TURN)
  return Layer.merge(
    Layer.provide(Layer.fresh(dispatcher), Layer.effect(RpcServer.Protocol, overHttp(turns))),
    Layer.provide(Layer.fresh(dispatcher), Layer.effect(RpcServer.Protocol, overWebSocket(turns)))
  ).pipe(Layer.provide(CallBoundaryLayer))
}

/** All calls of the contract. */
export const RpcServerLayer = Layer.merge(rpcServerLayer(Rpcs), CallAccessCheck(Rpcs)).pipe(
  Layer.provide(CallAuthorizationLayer)
)

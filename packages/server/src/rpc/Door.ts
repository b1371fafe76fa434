import { Rpcs } from "@llm-saas/api/Rpcs"
import { Layer } from "effect"
import { type Rpc, type RpcGroup, RpcServer } from "effect/rpc"
import { CallAccessCheck } from "./AccessCheck.ts"
import { CallAuthorizationLayer, CallBoundaryLayer } from "./Boundary.ts"
import { overHttp } from "./OverHttp.ts"
import { overWebSocket } from "./OverWebSocket.ts"

/** Some calls, by HTTP and by WebSocket. Their handlers are to be provided, and who verifies tokens. */
export const rpcDoor = <Calls extends Rpc.Any>(group: RpcGroup.RpcGroup<Calls>) => {
  // A defect ends its own call, and no other of the same client; calls bring their caller's trace themselves.
  const dispatcher = RpcServer.layer(group, { disableFatalDefects: true, disableTracing: true })
  return Layer.merge(
    Layer.provide(Layer.fresh(dispatcher), Layer.effect(RpcServer.Protocol, overHttp)),
    Layer.provide(Layer.fresh(dispatcher), Layer.effect(RpcServer.Protocol, overWebSocket))
  ).pipe(Layer.provide(CallBoundaryLayer))
}

/** Every call of the contract. */
export const RpcDoor = Layer.merge(rpcDoor(Rpcs), CallAccessCheck(Rpcs)).pipe(Layer.provide(CallAuthorizationLayer))

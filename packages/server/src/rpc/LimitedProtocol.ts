import { Effect } from "effect"
import type { RpcServer } from "effect/rpc"
import type { FromClientEncoded, FromServerEncoded } from "effect/rpc/RpcMessage"
import { CurrentOpenCalls, type OpenCalls } from "./OpenCalls.ts"

type Protocol = RpcServer.Protocol["Service"]

/** The sender of a message. */
export interface Client {
  readonly calls: OpenCalls
  /** Passes a message of this client to the dispatcher. */
  readonly dispatch: (message: FromClientEncoded) => Effect.Effect<void>
  /** Sends this client an answer that is not the dispatcher's. */
  readonly send: (answer: FromServerEncoded) => Effect.Effect<void>
}

/**
 * A protocol of Effect's whose messages `take` checks before they are dispatched, and whose answers are limited to the contract
 * ({@link OpenCalls.leave}). By itself (`makeSocketProtocol` in effect/rpc/RpcServer.ts) it dispatches whatever it can parse, lets a
 * call's headers replace those of its connection, X-Forwarded-For included, and sends a defect's message.
 */
export const limited = (
  protocol: Protocol,
  take: (message: FromClientEncoded, client: Client) => Effect.Effect<void>
): Protocol => {
  const clients = new Map<number, Client>()
  return {
    ...protocol,
    // A call brings its trace as a header: see `toRequest`.
    supportsSpanPropagation: false,
    send: (id, response) => {
      const client = clients.get(id)
      return client === undefined ? Effect.void : client.calls.leave(response, client.send)
    },
    run: (receive) =>
      protocol.run((id, message) => {
        const known = clients.get(id)
        if (known !== undefined) return take(message, known)
        return Effect.withFiber((fiber) => {
          const calls = fiber.getRef(CurrentOpenCalls)
          if (calls === undefined) return Effect.die(new Error("a message needs its connection"))
          const client: Client = {
            calls,
            dispatch: (taken) => receive(id, taken),
            send: (answer) => protocol.send(id, answer)
          }
          clients.set(id, client)
          calls.onClose(() => clients.delete(id))
          return take(message, client)
        })
      })
  }
}

import { Context, Effect, Layer } from "effect"
import type { IncomingMessage, Server } from "node:http"
import { type ConstantAnswer, Exchange } from "./Exchange.ts"

/** Node's server that is listening. */
export class NodeServer extends Context.Service<NodeServer, Server>()("@llm-saas/server/http/NodeServer") {}

/** A JSON answer that is always the same. */
export const constantJson = (route: string, value: unknown): ConstantAnswer => {
  const body = JSON.stringify(value)
  return { route, headers: ["content-type", "application/json", "content-length", `${Buffer.byteLength(body)}`], body }
}

/**
 * Gives constant answers ahead of every route: a probe is frequent, and not worth a fiber. Built after the routes, since it takes the
 * place of their listener. HEAD and unusual requests are passed on to them.
 */
export const Constants = (answers: ReadonlyArray<ConstantAnswer>) =>
  Layer.effectDiscard(
    Effect.map(NodeServer, (server) => {
      const known = new Map(answers.map((answer) => [answer.route, answer]))
      const behind = server.listeners("request")
      server.removeAllListeners("request")
      server.on("request", (request: IncomingMessage, response: unknown) => {
        const answer = request.method === "GET" ? known.get(request.url ?? "") : undefined
        if (answer !== undefined && response instanceof Exchange && response.hasOneHost)
          return response.constant(answer)
        for (const listener of behind) Reflect.apply(listener, server, [request, response])
      })
    })
  )

import { Context, Effect, Layer, Option } from "effect"
import type { HttpServerRequest } from "effect/http"
import { clientAddress, countedAs, trust } from "../http/ClientAddress.ts"
import { Settings } from "./Settings.ts"

/** The parts of a request that tell where it comes from. */
export type Sender = Pick<HttpServerRequest.HttpServerRequest, "headers" | "remoteAddress">

/** The networks a client counts for: an IPv4 address; or a /64, and the /48 around it. */
export interface ClientNetwork {
  readonly narrow: string
  readonly wide: string | undefined
}

/** The network of a request's sender. Only proxies in `TRUSTED_PROXIES` are believed. */
export class ClientNetworks extends Context.Service<
  ClientNetworks,
  { readonly of: (sender: Sender) => ClientNetwork }
>()("@llm-saas/server/config/ClientNetworks") {
  static readonly layer = Layer.effect(
    ClientNetworks,
    Effect.map(Settings, ({ TRUSTED_PROXIES }) => {
      const proxies = trust(TRUSTED_PROXIES)
      return ClientNetworks.of({
        of: ({ headers, remoteAddress }) => {
          const peer = Option.getOrElse(remoteAddress, () => "unknown")
          const [narrow, wide] = countedAs(clientAddress(peer, headers["x-forwarded-for"], proxies))
          return { narrow, wide }
        }
      })
    })
  )
}

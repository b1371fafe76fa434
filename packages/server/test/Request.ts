import { Option } from "effect"
import { HttpServerRequest } from "effect/http"

/** A request from this TCP peer. */
export const requestFrom = (peer: string, forwardedFor?: string) =>
  HttpServerRequest.fromWeb(
    new Request("http://localhost/login", {
      headers: forwardedFor === undefined ? {} : { "x-forwarded-for": forwardedFor }
    })
  ).modify({ remoteAddress: Option.some(peer) })

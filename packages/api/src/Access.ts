import { type Actor, type Access as Least } from "@llm-saas/domain/Actor"
import { Forbidden, TooManyRequests, Unauthenticated, Unavailable } from "@llm-saas/domain/Refusal"
import { InsufficientScope } from "@llm-saas/domain/Scope"
import { Context } from "effect"
import { HttpApiMiddleware, HttpApiSecurity, OpenApi } from "effect/http-api"

/** Who may call an endpoint. Every endpoint is annotated with one; the server does not start if one is not. */
export class Access extends Context.Service<Access, Least>()("@llm-saas/api/Access") {}

const bearer = HttpApiSecurity.bearer.pipe(
  HttpApiSecurity.annotateMerge(
    OpenApi.annotations({
      format: "JWT",
      description:
        "The `access_token` of `POST /login`, or an API key of `POST /keys` (`sk-…`), sent as `Authorization: Bearer …` (RFC 6750)."
    })
  )
)

/**
 * The headers that an API key may be sent in, beside `Authorization: Bearer`. The first one that is there counts. Not schemes of
 * {@link Authorization}: where one scheme refuses, Effect tries the next one, and the client would get the refusal of the last.
 */
export const KEY_HEADERS = ["x-api-key", "api-key"] as const

/**
 * Bearer token (RFC 6750) or API key to {@link Actor}. Of a token it verifies only the signature; a key is looked up in the database. The
 * database decides inside the room whether the user may still enter, and with which role, in the same round trip as the request's own work.
 */
export class Authorization extends HttpApiMiddleware.Service<
  Authorization,
  {
    provides: Actor
  }
>()("@llm-saas/api/Authorization", {
  requiredForClient: true,
  security: { bearer },
  error: [Unauthenticated, Forbidden, InsufficientScope, TooManyRequests, Unavailable]
}) {}

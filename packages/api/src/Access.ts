import { type Actor, type Access as Least } from "@llm-saas/domain/Actor"
import { Forbidden, Unauthenticated } from "@llm-saas/domain/Refusal"
import { Context } from "effect"
import { HttpApiMiddleware, HttpApiSecurity, OpenApi } from "effect/http-api"

/** Who may call an endpoint. Every endpoint is annotated with one; the server does not start if one is not. */
export class Access extends Context.Service<Access, Least>()("@llm-saas/api/Access") {}

const bearer = HttpApiSecurity.bearer.pipe(
  HttpApiSecurity.annotateMerge(
    OpenApi.annotations({
      format: "JWT",
      description: "The `access_token` of `POST /login`, sent as `Authorization: Bearer …` (RFC 6750)."
    })
  )
)

/**
 * Bearer token (RFC 6750) to {@link Actor}. It verifies only the token. The database decides inside the room whether the user may
 * still enter, and with which role, in the same round trip as the request's own work.
 */
export class Authorization extends HttpApiMiddleware.Service<
  Authorization,
  {
    provides: Actor
  }
>()("@llm-saas/api/Authorization", {
  requiredForClient: true,
  security: { bearer },
  error: [Unauthenticated, Forbidden]
}) {}

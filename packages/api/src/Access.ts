import type * as Actor from "@llm-saas/domain/Actor"
import { Forbidden, Unauthenticated, } from "@llm-saas/domain/Refusal"
import { Unavailable } from "@llm-saas/domain/Refusal"
import { Actor as ActorService } from "@llm-saas/domain/Actor"
import { Context } from "effect"
import { HttpApiMiddleware, HttpApiSecurity } from "effect/http-api"

/** Who may call an endpoint. Every endpoint is annotated with one; the server does not start if one is not. */
export class Access extends Context.Service<Access, Actor.Access>()("@llm-saas/api/Access") {}

/**
 * Bearer token (RFC 6750) to {@link ActorService}. It verifies the token only; whether the user may still enter, and with which
 * role, the database says inside the room, in the same round trip as the request's own work.
 */
export class Authorization extends HttpApiMiddleware.Service<Authorization, {
  provides: ActorService
}>()("@llm-saas/api/Authorization", {
  requiredForClient: true,
  security: { bearer: HttpApiSecurity.bearer },
  error: [Unauthenticated, Forbidden, Unavailable]
}) {}

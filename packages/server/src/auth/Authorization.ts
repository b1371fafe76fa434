import { Access, Authorization } from "@llm-saas/api/Access"
import { type Access as Least, Actor } from "@llm-saas/domain/Actor"
import { Unauthenticated } from "@llm-saas/domain/Refusal"
import { Context, Effect, Layer, Redacted } from "effect"
import { AccessTokens } from "./AccessTokens.ts"
import { noteActor } from "../logging/RequestRecord.ts"

/** Verifies the bearer token and provides the `Actor`. Whether it may act is decided by the database, inside the room. */
export const AuthorizationLayer = Layer.effect(
  Authorization,
  Effect.gen(function* () {
    const tokens = yield* AccessTokens
    return Authorization.of({
      bearer: (handler, { credential, endpoint }) =>
        authorize(tokens, Redacted.value(credential), Context.getOrUndefined(endpoint.annotations, Access), handler)
    })
  })
)

/** Runs `handler` as the user a token names, or refuses. `access`: what the user needs. An empty token counts as none. */
export const authorize = <A, E, R>(
  tokens: AccessTokens["Service"],
  token: string,
  access: Least | undefined,
  handler: Effect.Effect<A, E, R>
): Effect.Effect<A, E | Unauthenticated, Exclude<R, Actor>> => {
  if (token === "") return Effect.fail(new Unauthenticated({}))
  const needs = access === "admin" ? "admin" : "user"
  return Effect.flatMap(tokens.verify(token), ({ tenantId, userId, tokenEpoch }) =>
    Effect.andThen(
      noteActor(tenantId, userId),
      Effect.provideService(handler, Actor, { tenantId, userId, tokenEpoch, needs })
    )
  )
}

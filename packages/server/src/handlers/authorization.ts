import { Access, Authorization } from "@llm-saas/api/Access"
import { Actor } from "@llm-saas/domain/Actor"
import { Unauthenticated } from "@llm-saas/domain/Refusal"
import { Context, Effect, Layer, Redacted } from "effect"
import { AccessTokens } from "../AccessTokens.ts"
import { noteActor } from "../http/RequestRecord.ts"

/** Verifies the bearer token and says who asks. Whether they may is the database's to decide, inside the room. */
export const AuthorizationLayer = Layer.effect(
  Authorization,
  Effect.gen(function* () {
    const tokens = yield* AccessTokens
    return Authorization.of({
      bearer: (handler, { credential, endpoint }) => {
        const token = Redacted.value(credential)
        if (token === "") return Effect.fail(new Unauthenticated({}))
        const needs = Context.getOrUndefined(endpoint.annotations, Access) === "admin" ? "admin" : "user"
        return Effect.flatMap(tokens.verify(token), ({ tenantId, userId, issuedAt }) =>
          Effect.andThen(
            noteActor(tenantId, userId),
            Effect.provideService(handler, Actor, { tenantId, userId, issuedAt, needs })
          )
        )
      }
    })
  })
)

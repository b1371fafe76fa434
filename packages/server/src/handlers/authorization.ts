import { Access, Authorization } from "@llm-saas/api/Access"
import { Actor } from "@llm-saas/domain/Actor"
import { Unauthenticated } from "@llm-saas/domain/Refusal"
import { Context, Effect, Layer, Redacted } from "effect"
import { AccessTokens } from "../AccessTokens.ts"

/** Verifies the bearer token and says who asks. Whether they may is the database's to decide, inside the room. */
export const AuthorizationLayer = Layer.effect(
  Authorization,
  Effect.gen(function*() {
    const tokens = yield* AccessTokens
    return Authorization.of({
      bearer: (handler, { credential, endpoint }) => {
        const access = Context.getUnsafe(endpoint.annotations, Access)
        const token = Redacted.value(credential)
        if (token === "") return Effect.fail(new Unauthenticated({}))
        return Effect.flatMap(tokens.verify(token), (claims) =>
          Effect.provideService(handler, Actor, { ...claims, needs: access === "admin" ? "admin" : "user" }))
      }
    })
  })
)

import { Actor } from "@llm-saas/domain/Actor"
import type { ModelNotFound } from "@llm-saas/domain/Model"
import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import type { ModelNotAllowed } from "@llm-saas/domain/Scope"
import { momentsFrom } from "@llm-saas/domain/Time"
import { Clock, Context, Effect, Layer } from "effect"
import { keyFor } from "../providerKeys/KeyFor.ts"
import { ProviderKeys } from "../providerKeys/ProviderKeys.ts"
import { allowedModel } from "./AllowedModel.ts"
import { Llm } from "./Llm.ts"

/** Counts the tokens of requests that are not asked. */
export class TokenCounts extends Context.Service<
  TokenCounts,
  {
    /** As the provider counts them; undefined where it does not, or is not there to be asked. */
    readonly count: (request: ModelRequest) => Effect.Effect<number | undefined, ModelNotAllowed | ModelNotFound, Actor>
  }
>()("@llm-saas/engine/generations/TokenCounts") {
  static readonly layer = Layer.effect(
    TokenCounts,
    Effect.gen(function* () {
      const llm = yield* Llm
      const clock = yield* Clock.Clock
      const providerKeys = yield* ProviderKeys
      return TokenCounts.of({
        count: Effect.fn("TokenCounts.count")(function* (request: ModelRequest) {
          yield* allowedModel(llm, request.model, "chat")
          const actor = yield* Actor
          const asking = {
            partition: actor.tenantId,
            keyFor: keyFor(providerKeys, actor),
            attempt: () => {},
            moment: momentsFrom(clock)
          }
          return yield* Effect.catchTag(llm.countTokens(request, asking), "LlmFailed", () => Effect.succeed(undefined))
        })
      })
    })
  )
}

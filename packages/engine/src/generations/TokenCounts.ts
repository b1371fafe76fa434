import { Actor } from "@llm-saas/domain/Actor"
import { ModelNotFound } from "@llm-saas/domain/Model"
import type { ModelRequest } from "@llm-saas/domain/ModelRequest"
import { ModelNotAllowed } from "@llm-saas/domain/Scope"
import { momentsFrom } from "@llm-saas/domain/Time"
import { Clock, Context, Effect, Layer } from "effect"
import { Llm, type ModelInfo } from "./Llm.ts"

/** The model of this name and kind, if the caller may ask it. What a key may not ask is refused whether it exists or not. */
export const allowedModel = Effect.fnUntraced(function* (
  llm: Llm["Service"],
  name: string,
  kind: ModelInfo["kind"]
): Effect.fn.Return<ModelInfo, ModelNotAllowed | ModelNotFound, Actor> {
  const { key } = yield* Actor
  if (key?.models?.includes(name) === false) return yield* new ModelNotAllowed({ model: name })
  const model = llm.find(name)
  return model?.kind === kind ? model : yield* new ModelNotFound({ model: name })
})

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
      return TokenCounts.of({
        count: Effect.fn("TokenCounts.count")(function* (request: ModelRequest) {
          yield* allowedModel(llm, request.model, "chat")
          const { tenantId } = yield* Actor
          const asking = { partition: tenantId, attempt: () => {}, moment: momentsFrom(clock) }
          return yield* Effect.catchTag(llm.countTokens(request, asking), "LlmFailed", () => Effect.succeed(undefined))
        })
      })
    })
  )
}

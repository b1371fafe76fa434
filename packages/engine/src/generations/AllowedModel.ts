import { Actor } from "@llm-saas/domain/Actor"
import { ModelNotFound } from "@llm-saas/domain/Model"
import { ModelNotAllowed } from "@llm-saas/domain/Scope"
import { Effect } from "effect"
import type { Llm, ModelInfo } from "./Llm.ts"

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

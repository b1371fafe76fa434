import {
  anthropicModel,
  anthropicModels,
  codexModels,
  type ListedModel,
  openAiModel,
  openAiModels
} from "@llm-saas/dialects/Models"
import type { Door } from "@llm-saas/api/v1/Door"
import type { KeyOfActor } from "@llm-saas/domain/Actor"
import type { JsonObject } from "@llm-saas/domain/Json"
import type { Scope } from "@llm-saas/domain/Scope"

/** The models that a caller may ask: those that its key names, and of a kind that its scopes are for. A login may ask all. */
export const modelsFor = (
  models: ReadonlyArray<ListedModel>,
  key: KeyOfActor | undefined
): ReadonlyArray<ListedModel> =>
  key === undefined
    ? models
    : models.filter(({ id, kind }) => key.models?.includes(id) !== false && key.scopes.includes(SCOPES[kind]))

const SCOPES = { chat: "chat", embeddings: "embeddings" } as const satisfies Record<ListedModel["kind"], Scope>

/** One model in the form of the client. */
export const oneModel = (door: Door, model: ListedModel): JsonObject =>
  door === "anthropic" ? anthropicModel(model) : openAiModel(model)

/** The list in the form of the client: Codex names its version in the query. */
export const modelList = (door: Door, models: ReadonlyArray<ListedModel>, query: URLSearchParams): JsonObject => {
  // Codex and Anthropic's clients show the list to people who choose a model to talk to.
  const talking = models.filter(({ kind }) => kind === "chat")
  if (query.has("client_version")) return codexModels(talking)
  if (door !== "anthropic") return openAiModels(models)
  const limit = Number(query.get("limit") ?? "")
  return anthropicModels(talking, {
    limit: Number.isInteger(limit) && limit >= 1 ? Math.min(limit, MOST) : undefined,
    afterId: query.get("after_id") ?? undefined,
    beforeId: query.get("before_id") ?? undefined
  })
}

/** Models of one page, as at Anthropic. */
const MOST = 1000

import type { JsonObject } from "@llm-saas/domain/Json"

/** A model as `/v1/models` shows it. */
export interface ListedModel {
  /** The alias by which it is asked for. */
  readonly id: string
  readonly kind: "chat" | "embeddings"
  readonly provider: string
  readonly contextWindow?: number | undefined
  readonly maxOutputTokens?: number | undefined
  /** Seconds since 1970. */
  readonly createdAt?: number | undefined
}

/** One model in OpenAI's form. */
export const openAiModel = ({ createdAt, id, provider }: ListedModel): JsonObject => ({
  id,
  object: "model",
  created: createdAt ?? 0,
  owned_by: provider
})

/** The list in OpenAI's form. */
export const openAiModels = (models: ReadonlyArray<ListedModel>): JsonObject => ({
  object: "list",
  data: models.map(openAiModel)
})

/** One model in Anthropic's form. */
export const anthropicModel = ({ createdAt, id, maxOutputTokens, contextWindow }: ListedModel): JsonObject => ({
  type: "model",
  id,
  display_name: id,
  created_at: timeOf(createdAt ?? 0),
  ...(contextWindow === undefined ? {} : { max_input_tokens: contextWindow }),
  ...(maxOutputTokens === undefined ? {} : { max_tokens: maxOutputTokens })
})

/** RFC 3339, without milliseconds. */
const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/u, "Z")

/** Which part of Anthropic's list: `limit` models, after the one of an id or before it. */
export interface ModelPage {
  /** 1 to 1,000. */
  readonly limit?: number | undefined
  readonly afterId?: string | undefined
  readonly beforeId?: string | undefined
}

/** As at Anthropic. */
const PAGE_MODELS = 20

/** A page of the list in Anthropic's form. An id that is not in the list is the list's beginning, or its end. */
export const anthropicModels = (
  models: ReadonlyArray<ListedModel>,
  { afterId, beforeId, limit = PAGE_MODELS }: ModelPage = {}
): JsonObject => {
  const place = (id: string) => models.findIndex((model) => model.id === id)
  const end = beforeId === undefined || place(beforeId) === -1 ? models.length : place(beforeId)
  const from = beforeId === undefined ? (afterId === undefined ? 0 : place(afterId) + 1) : Math.max(0, end - limit)
  const page = models.slice(from, Math.min(end, from + limit))
  return {
    data: page.map(anthropicModel),
    has_more: beforeId === undefined ? from + page.length < models.length : from > 0,
    first_id: page.at(0)?.id ?? null,
    last_id: page.at(-1)?.id ?? null
  }
}

/** Tokens of a tool's output that Codex keeps, which is Codex's own default. */
const TRUNCATION_TOKENS = 10_000

/** The list for Codex, which asks with `client_version`. It knows nothing of what a model can do but what is said here. */
export const codexModels = (models: ReadonlyArray<ListedModel>): JsonObject => ({
  models: models
    .filter(({ kind }) => kind === "chat")
    .map(({ contextWindow, id }, index) => ({
      slug: id,
      display_name: id,
      description: null,
      default_reasoning_level: null,
      supported_reasoning_levels: [],
      shell_type: "shell_command",
      visibility: "list",
      supported_in_api: true,
      priority: index,
      upgrade: null,
      base_instructions: "You are a coding agent. You work in the user's terminal and repository.",
      supports_reasoning_summaries: false,
      support_verbosity: false,
      default_verbosity: null,
      apply_patch_tool_type: null,
      truncation_policy: { mode: "tokens", limit: TRUNCATION_TOKENS },
      supports_parallel_tool_calls: true,
      context_window: contextWindow ?? null,
      experimental_supported_tools: [],
      input_modalities: ["text", "image"]
    }))
})

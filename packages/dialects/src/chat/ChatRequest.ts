import type { JsonObject } from "@llm-saas/domain/Json"
import type { AnswerFormat, ModelRequest, Reasoning, Sampling } from "@llm-saas/domain/ModelRequest"
import { isList, type Mistake, Mistakes, RequestFields } from "../RequestFields.ts"
import { inputOf } from "./ChatMessages.ts"
import { toolChoiceOf, toolsOf } from "./ChatTools.ts"

/** What a body of `POST /v1/chat/completions` is. */
export type ChatDecoded =
  | { readonly type: "request"; readonly request: ModelRequest }
  /** A body of the Responses API, which some clients (Cursor) send to this address. */
  | { readonly type: "responses" }
  | { readonly type: "mistake"; readonly mistake: Mistake }

/**
 * Reads a body of Chat Completions. Members and part types that are not known are no mistake: the body goes on unchanged to a provider
 * that speaks the same dialect.
 */
export const decodeChat = (body: JsonObject): ChatDecoded => {
  const mistakes = new Mistakes()
  const fields = new RequestFields(body, mistakes)
  if (!fields.has("messages") && fields.has("input")) return { type: "responses" }
  const model = fields.needed("model")
  const input = inputOf(fields)
  const tools = toolsOf(fields)
  const toolChoice = toolChoiceOf(fields)
  const parallelToolCalls = fields.flag("parallel_tool_calls")
  const format = formatOf(fields)
  const maxTokens = fields.integer("max_completion_tokens", 1) ?? fields.integer("max_tokens", 1)
  const request: ModelRequest = {
    model,
    input,
    ...(tools === undefined ? {} : { tools }),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(parallelToolCalls === undefined ? {} : { parallelToolCalls }),
    ...(format === undefined ? {} : { format }),
    ...samplingOf(fields),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...reasoningOf(fields),
    stream: fields.flag("stream") ?? false,
    origin: { dialect: "chat", body }
  }
  fields.fields("stream_options")?.flag("include_usage")
  if (model === "") mistakes.add("model", "`model` must name a model.")
  return mistakes.first === undefined ? { type: "request", request } : { type: "mistake", mistake: mistakes.first }
}

const formatOf = (body: RequestFields): AnswerFormat | undefined => {
  const format = body.fields("response_format")
  if (format === undefined) return undefined
  switch (format.needed("type")) {
    case "text":
      return { type: "text" }
    case "json_object":
      return { type: "json" }
    case "json_schema": {
      const shape = format.fields("json_schema")
      if (shape === undefined)
        return format.mistakes.add(format.path("json_schema"), "`response_format.json_schema` is missing.")
      const description = shape.text("description")
      const strict = shape.flag("strict")
      return {
        type: "schema",
        name: shape.text("name") ?? "answer",
        schema: shape.fields("schema")?.object ?? {},
        ...(strict === undefined ? {} : { strict }),
        ...(description === undefined ? {} : { description })
      }
    }
    default:
      return undefined
  }
}

const samplingOf = (body: RequestFields): Pick<ModelRequest, "sampling"> => {
  const sampling: Sampling = {
    temperature: body.number("temperature"),
    topP: body.number("top_p"),
    topK: body.number("top_k"),
    seed: body.integer("seed"),
    stop: stopOf(body),
    frequencyPenalty: body.number("frequency_penalty"),
    presencePenalty: body.number("presence_penalty"),
    choices: choicesOf(body),
    logprobs: body.flag("logprobs"),
    topLogprobs: body.integer("top_logprobs", 0)
  }
  return Object.values(sampling).every((value) => value === undefined) ? {} : { sampling }
}

/** Most answers to one request, as at OpenAI. */
const MOST_CHOICES = 128

const choicesOf = (body: RequestFields): number | undefined => {
  const choices = body.integer("n", 1)
  return choices === undefined || choices <= MOST_CHOICES
    ? choices
    : body.mistakes.add("n", `\`n\` must be an integer of at most ${MOST_CHOICES}.`)
}

const stopOf = (body: RequestFields): ReadonlyArray<string> | undefined => {
  const stop = body.value("stop")
  if (stop === undefined) return undefined
  if (typeof stop === "string") return [stop]
  if (isList(stop)) {
    const words = stop.filter((word) => typeof word === "string")
    if (words.length === stop.length) return words
  }
  return body.mistakes.add("stop", "`stop` must be a string or a list of strings.")
}

/** `reasoning_effort`, OpenRouter's `reasoning`, and Anthropic's `thinking`, which servers take that speak both. */
const reasoningOf = (body: RequestFields): Pick<ModelRequest, "reasoning"> => {
  const reasoning = body.value("reasoning")
  const more = typeof reasoning === "object" ? body.fields("reasoning") : undefined
  const thinking = body.value("thinking")
  const budget = typeof thinking === "object" ? body.fields("thinking")?.integer("budget_tokens", 0) : undefined
  const found: Reasoning = {
    effort: body.text("reasoning_effort") ?? more?.text("effort"),
    budgetTokens: more?.integer("max_tokens", 0) ?? budget,
    summary: more?.text("summary")
  }
  return Object.values(found).every((value) => value === undefined) ? {} : { reasoning: found }
}

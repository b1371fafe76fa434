import type { Json, JsonObject } from "@llm-saas/domain/Json"
import type { InputItem, ModelRequest, Tool } from "@llm-saas/domain/ModelRequest"
import type { Dropped, Drops } from "./Dropped.ts"
import { type Thinking, thinkingOf } from "./Thinking.ts"
import { systemText, turnsOf } from "./Turns.ts"

/** What a target decides of a body. */
export interface BodyOptions {
  /** The upstream's name of the model. */
  readonly model: string
  /** Most tokens of an answer: a request for more asks for these. */
  readonly maxOutputTokens?: number | undefined
  /** For requests that say no number, which this dialect needs. */
  readonly defaultMaxTokens: number
}

/** A body, and what it lacks of the request. */
export interface Translated {
  readonly body: JsonObject
  readonly dropped: ReadonlyArray<Dropped>
}

/** A request in its client's own words, with only the model, and the limit on the answer, of the target. */
export const forwardedBody = (body: JsonObject, { maxOutputTokens, model }: BodyOptions): JsonObject => {
  const { max_tokens: wanted, thinking } = body
  if (maxOutputTokens === undefined || typeof wanted !== "number" || wanted <= maxOutputTokens)
    return { ...body, model }
  return { ...body, model, max_tokens: maxOutputTokens, ...withinLimit(thinking, maxOutputTokens) }
}

/** A budget of thoughts must be less than the limit, which was lowered. */
const withinLimit = (thinking: Json | undefined, limit: number): JsonObject => {
  if (typeof thinking !== "object" || thinking === null || !("budget_tokens" in thinking)) return {}
  const { budget_tokens: budget } = thinking
  if (typeof budget !== "number" || budget < limit) return {}
  return { thinking: { ...thinking, budget_tokens: limit - 1 } }
}

/** Why a request cannot be put into this dialect; undefined if it can. */
export const refusalOf = ({ sampling }: ModelRequest): string | undefined =>
  (sampling?.choices ?? 1) > 1 ? "The model's provider gives one answer, not several choices." : undefined

/** A request of another dialect, or of none, as a body of `POST /v1/messages`. */
export const messagesBody = (request: ModelRequest, options: BodyOptions): Translated => {
  const drops: Drops = new Set()
  const limit = options.maxOutputTokens ?? Number.POSITIVE_INFINITY
  const maxTokens = Math.min(request.maxTokens ?? options.defaultMaxTokens, limit)
  const { calls, ...more } = toolsOf(request, drops)
  const isForced = request.toolChoice?.type === "required" || request.toolChoice?.type === "tool"
  const thinking = withoutForced(
    thinkingOf(request.reasoning, options.model, maxTokens, drops),
    isForced && calls,
    drops
  )
  const { format, instruction } = formatOf(request, drops)
  const outputConfig = {
    ...(format === undefined ? {} : { format }),
    ...(thinking.effort === undefined ? {} : { effort: thinking.effort })
  }
  const body: JsonObject = {
    model: options.model,
    max_tokens: maxTokens,
    ...conversation(request.input, instruction, drops),
    stream: request.stream,
    ...more,
    ...(thinking.thinking === undefined ? {} : { thinking: thinking.thinking }),
    ...(Object.keys(outputConfig).length === 0 ? {} : { output_config: outputConfig }),
    ...samplingOf(request, thinking.on, drops)
  }
  return { body, dropped: [...drops] }
}

/** A call that is forced cannot follow thoughts. */
const withoutForced = (thinking: Thinking, isForced: boolean, drops: Drops): Thinking => {
  if (!isForced || !thinking.on) return thinking
  drops.add("reasoning")
  return { on: false }
}

const conversation = (input: ReadonlyArray<InputItem>, instruction: string, drops: Drops): JsonObject => {
  const system = [systemText(input, drops), instruction].filter((text) => text !== "").join("\n\n")
  const messages = turnsOf(input, drops)
  // Instructions alone are a question: at least one message is needed.
  if (messages.length === 0 && system !== "") return { messages: [{ role: "user", content: system }] }
  return { ...(system === "" ? {} : { system }), messages }
}

/** The tools, and the choice among them. */
const toolsOf = (
  { input, parallelToolCalls, toolChoice, tools = [] }: ModelRequest,
  drops: Drops
): { readonly calls: boolean; readonly tools?: Json; readonly tool_choice?: Json } => {
  const own = tools.flatMap((tool) => toolOf(tool, drops))
  if (own.length === 0) {
    // Earlier calls are refused where no tools are defined.
    const earlier = [...new Set(input.flatMap((item) => (item.type === "tool_call" ? [item.name] : [])))]
    if (earlier.length === 0) return { calls: false }
    return {
      calls: false,
      tools: earlier.map((name) => ({ name, input_schema: { type: "object" } })),
      tool_choice: { type: "none" }
    }
  }
  const single = parallelToolCalls === false ? { disable_parallel_tool_use: true } : {}
  const wanted = (choice: JsonObject) => ({ calls: true, tools: own, tool_choice: { ...choice, ...single } })
  switch (toolChoice?.type) {
    case "required":
      return wanted({ type: "any" })
    case "none":
      return { calls: false, tools: own, tool_choice: { type: "none" } }
    case "tool":
      return wanted({ type: "tool", name: toolChoice.name })
    case "foreign":
      drops.add("tool choice of another dialect")
      return wanted({ type: "auto" })
    case "auto":
      return wanted({ type: "auto" })
    case undefined:
      return parallelToolCalls === false ? wanted({ type: "auto" }) : { calls: true, tools: own }
  }
}

const toolOf = (tool: Tool, drops: Drops): ReadonlyArray<JsonObject> => {
  switch (tool.type) {
    case "function": {
      const { description, name, parameters, strict } = tool
      return [
        {
          name,
          ...(description === undefined ? {} : { description }),
          input_schema: { type: "object", ...parameters },
          ...(strict === true ? { strict } : {})
        }
      ]
    }
    case "custom": {
      if (tool.format !== undefined) drops.add("grammar of custom tools")
      const { description, name } = tool
      return [{ name, ...(description === undefined ? {} : { description }), input_schema: CUSTOM_INPUT }]
    }
    case "foreign": {
      const { dialect, value } = tool
      if (dialect === "anthropic" && typeof value === "object" && value !== null && "type" in value) return [value]
      drops.add("tools of another dialect")
      return []
    }
  }
}

/** A custom tool takes a text; here that is a function with one argument, see `MessageReader`. */
const CUSTOM_INPUT: JsonObject = {
  type: "object",
  properties: { input: { type: "string" } },
  required: ["input"]
}

const formatOf = (
  { format }: ModelRequest,
  drops: Drops
): { readonly format?: JsonObject; readonly instruction: string } => {
  switch (format?.type) {
    case undefined:
    case "text":
      return { instruction: "" }
    case "json":
      drops.add("JSON mode")
      return { instruction: JSON_MODE }
    case "schema":
      drops.add("schema name")
      return { format: { type: "json_schema", schema: format.schema }, instruction: "" }
  }
}

/** This dialect has no mode for JSON without a schema. */
const JSON_MODE = "Answer with one valid JSON object, and with nothing before or after it."

const samplingOf = ({ sampling = {} }: ModelRequest, thinks: boolean, drops: Drops): JsonObject => {
  const { frequencyPenalty, logprobs, presencePenalty, seed, stop, temperature, topK, topLogprobs, topP } = sampling
  if (seed !== undefined) drops.add("seed")
  if ((frequencyPenalty ?? 0) !== 0) drops.add("frequency_penalty")
  if ((presencePenalty ?? 0) !== 0) drops.add("presence_penalty")
  if (logprobs === true || topLogprobs !== undefined) drops.add("logprobs")
  // A stop of white space alone is refused.
  const stops = stop?.filter((each) => each.trim() !== "") ?? []
  if (stops.length < (stop?.length ?? 0)) drops.add("stop")
  const body: { temperature?: number; top_p?: number; top_k?: number; stop_sequences?: ReadonlyArray<string> } = {}
  if (stops.length > 0) body.stop_sequences = stops
  if (thinks) {
    if (temperature !== undefined && temperature !== 1) drops.add("temperature")
    if (topP !== undefined && topP !== 1) drops.add("top_p")
    if (topK !== undefined) drops.add("top_k")
    return body
  }
  // It ends at 1 here, and at 2 in other dialects.
  if ((temperature ?? 0) > 1) drops.add("temperature")
  if (temperature !== undefined) body.temperature = Math.min(temperature, 1)
  if (topK !== undefined) body.top_k = topK
  // Newer models take only one of them.
  if (topP !== undefined && temperature !== undefined && topP !== 1) drops.add("top_p")
  else if (topP !== undefined && temperature === undefined) body.top_p = topP
  return body
}

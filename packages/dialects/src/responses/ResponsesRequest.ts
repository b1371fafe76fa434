import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import type { AnswerFormat, InputItem, ModelRequest, Reasoning, Sampling } from "@llm-saas/domain/ModelRequest"
import { isList, type Mistake, Mistakes, RequestFields } from "../RequestFields.ts"
import { inputOf, instructionsOf, type Referenced } from "./ResponsesInput.ts"
import { toolChoiceOf, toolsOf } from "./ResponsesTools.ts"

/** A body of `POST /v1/responses`. */
export interface ResponsesRequest {
  readonly request: ModelRequest
  /** Whether the answer can be read later. */
  readonly store: boolean
  /** Whether the answer goes on without a reader, and the request is answered at once. */
  readonly background: boolean
}

export type ResponsesDecoded =
  | ({ readonly type: "request" } & ResponsesRequest)
  | { readonly type: "mistake"; readonly mistake: Mistake }

/** What a request takes from earlier answers. */
export interface Earlier {
  /** The input and the output of the answers before it, oldest first. */
  readonly items: ReadonlyArray<InputItem>
  /** Items that its input names by their ids. */
  readonly referenced: Referenced
}

const NOTHING: Earlier = { items: [], referenced: new Map() }

/**
 * Reads a body of Responses. Members, item types and part types that are not known are no mistake: the body goes on unchanged to a provider
 * that speaks the same dialect.
 */
export const decodeResponses = (body: JsonObject, { items, referenced }: Earlier = NOTHING): ResponsesDecoded => {
  const mistakes = new Mistakes()
  const fields = new RequestFields(body, mistakes)
  const model = fields.needed("model")
  const input = inputOf(fields, referenced)
  const tools = toolsOf(fields)
  const toolChoice = toolChoiceOf(fields)
  const parallelToolCalls = fields.flag("parallel_tool_calls")
  const format = formatOf(fields)
  const maxTokens = fields.integer("max_output_tokens", 1)
  const request: ModelRequest = {
    model,
    // Instructions are of this request alone: those of earlier ones are not among its items.
    input: [...instructionsOf(fields), ...items, ...input],
    ...(tools === undefined ? {} : { tools }),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(parallelToolCalls === undefined ? {} : { parallelToolCalls }),
    ...(format === undefined ? {} : { format }),
    ...samplingOf(fields),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...reasoningOf(fields),
    stream: fields.flag("stream") ?? false,
    origin: { dialect: "responses", body }
  }
  const store = fields.flag("store") ?? true
  const background = fields.flag("background") ?? false
  check(fields, { background, empty: input.length + items.length === 0, model, store })
  return mistakes.first === undefined
    ? { type: "request", request, store, background }
    : { type: "mistake", mistake: mistakes.first }
}

/** What is read nowhere else, and what does not fit together. */
const check = (
  fields: RequestFields,
  {
    background,
    empty,
    model,
    store
  }: { readonly background: boolean; readonly empty: boolean; readonly model: string; readonly store: boolean }
): void => {
  const { mistakes } = fields
  if (model === "") mistakes.add("model", "`model` must name a model.")
  for (const name of ["conversation", "prompt"])
    if (fields.has(name)) mistakes.add(name, `\`${name}\` is not supported here. Send the items in \`input\`.`)
  fields.text("previous_response_id")
  fields.text("user")
  fields.text("truncation")
  fields.fields("metadata")
  const include = fields.list("include")
  if (include?.some((each) => typeof each !== "string") === true)
    mistakes.add("include", "`include` must be a list of strings.")
  if (background && !store) mistakes.add("background", "`background` needs an answer that is stored: `store` is false.")
  if (empty) mistakes.add("input", "`input` is missing.")
}

const formatOf = (body: RequestFields): AnswerFormat | undefined => {
  const format = body.fields("text")?.fields("format")
  if (format === undefined) return undefined
  switch (format.needed("type")) {
    case "text":
      return { type: "text" }
    case "json_object":
      return { type: "json" }
    case "json_schema": {
      const description = format.text("description")
      const strict = format.flag("strict")
      const schema = format.fields("schema")?.object
      if (schema === undefined)
        return format.mistakes.add(format.path("schema"), `\`${format.path("schema")}\` is missing.`)
      return {
        type: "schema",
        name: format.text("name") ?? "answer",
        schema,
        ...(strict === undefined ? {} : { strict }),
        ...(description === undefined ? {} : { description })
      }
    }
    default:
      return undefined
  }
}

const samplingOf = (body: RequestFields): Pick<ModelRequest, "sampling"> => {
  const sampling: Sampling = { temperature: body.number("temperature"), topP: body.number("top_p") }
  body.integer("top_logprobs", 0)
  return Object.values(sampling).every((value) => value === undefined) ? {} : { sampling }
}

const reasoningOf = (body: RequestFields): Pick<ModelRequest, "reasoning"> => {
  const reasoning = body.fields("reasoning")
  const found: Reasoning = {
    effort: reasoning?.text("effort"),
    summary: reasoning?.text("summary") ?? reasoning?.text("generate_summary")
  }
  return Object.values(found).every((value) => value === undefined) ? {} : { reasoning: found }
}

/** What a body needs of earlier answers, whether or not the rest of it is right. */
export interface Needs {
  /** The id of the answer before it. */
  readonly previous: string | undefined
  /** Ids of items. */
  readonly items: ReadonlyArray<string>
}

export const needsOf = (body: JsonObject): Needs => {
  const { input, previous_response_id: previous } = body
  return {
    previous: typeof previous === "string" ? previous : undefined,
    items: (isList(input) ? input : []).flatMap(referenceOf)
  }
}

const referenceOf = (item: Json): ReadonlyArray<string> =>
  isJsonObject(item) && item["type"] === "item_reference" && typeof item["id"] === "string" ? [item["id"]] : []

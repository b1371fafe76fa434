import type { JsonObject } from "@llm-saas/domain/Json"
import type { InputItem, ModelRequest, Part } from "@llm-saas/domain/ModelRequest"
import { needsOf } from "./ResponsesRequest.ts"
import { responsesPartOf } from "./ResponsesParts.ts"

/** What of a client's body is ours to say. */
export interface Forwarding {
  /** The upstream's name of the model. */
  readonly model: string
  /** Most tokens of an answer: a request for more, or for no number, asks for these. */
  readonly mostTokens: number | undefined
}

/** Members that are about what is kept, and where the answer goes on: all of that is here. */
const OURS: ReadonlySet<string> = new Set(["background", "previous_response_id"])

/**
 * The body as it is sent to a provider that speaks Responses: unchanged, but for the model and the limit. Answers are kept here and not
 * there, so that the items of earlier ones are sent with it; and it is always streamed.
 */
export const forwardResponses = (request: ModelRequest, { model, mostTokens }: Forwarding): JsonObject => {
  const body = request.origin?.body ?? {}
  const needs = needsOf(body)
  const own = Object.fromEntries(Object.entries(body).filter(([name]) => !OURS.has(name)))
  const asked = body["max_output_tokens"]
  const tokens = typeof asked === "number" ? Math.min(asked, mostTokens ?? asked) : mostTokens
  return {
    ...own,
    model,
    ...(needs.previous === undefined && needs.items.length === 0 ? {} : { input: itemsOf(request, body) }),
    ...(tokens === undefined ? {} : { max_output_tokens: tokens }),
    store: false,
    stream: true
  }
}

/** All items but the instructions, which have a member of their own. */
const itemsOf = ({ input }: ModelRequest, { instructions }: JsonObject): ReadonlyArray<JsonObject> => {
  const custom = new Set(input.flatMap((item) => (item.type === "tool_call" && item.custom === true ? [item.id] : [])))
  const own = Array.isArray(instructions)
    ? instructions.length
    : instructions === undefined || instructions === ""
      ? 0
      : 1
  return input.slice(own).flatMap((item) => responsesItemOf(item, custom))
}

/** An item in the words of Responses; none where it has no words for it. `custom`: the calls of tools that take a text. */
const responsesItemOf = (item: InputItem, custom: ReadonlySet<string>): ReadonlyArray<JsonObject> => {
  switch (item.type) {
    case "message": {
      const [only] = item.parts
      // An item of a tool of the provider.
      if (item.parts.length === 1 && only?.type === "foreign") return partsOf(item.parts, "user")
      const role = item.role === "assistant" ? "assistant" : "user"
      return [{ type: "message", role: item.role, content: partsOf(item.parts, role) }]
    }
    case "tool_call":
      return item.custom === true
        ? [{ type: "custom_tool_call", call_id: item.id, name: item.name, input: item.arguments }]
        : [{ type: "function_call", call_id: item.id, name: item.name, arguments: item.arguments }]
    case "tool_result":
      return [
        {
          type: custom.has(item.id) ? "custom_tool_call_output" : "function_call_output",
          call_id: item.id,
          output: outputOf(item.parts)
        }
      ]
    case "reasoning":
      // Thoughts without their encrypted content are refused where nothing is kept.
      return item.encrypted === undefined
        ? []
        : [{ type: "reasoning", summary: summaryOf(item.text), encrypted_content: item.encrypted }]
  }
}

const summaryOf = (text: string): ReadonlyArray<JsonObject> => (text === "" ? [] : [{ type: "summary_text", text }])

const partsOf = (parts: ReadonlyArray<Part>, role: "user" | "assistant"): ReadonlyArray<JsonObject> =>
  parts.flatMap((part) => {
    const written = responsesPartOf(part, role)
    return written === undefined ? [] : [written]
  })

/** A text alone is a string, as clients send it. */
const outputOf = (parts: ReadonlyArray<Part>): string | ReadonlyArray<JsonObject> => {
  const [only] = parts
  if (parts.length === 0) return ""
  return parts.length === 1 && only?.type === "text" ? only.text : partsOf(parts, "user")
}

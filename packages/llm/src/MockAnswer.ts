import type { FinishReason } from "@llm-saas/domain/Generation"
import { isJsonObject, type Json, type JsonObject } from "@llm-saas/domain/Json"
import { approximateTokens } from "@llm-saas/domain/Message"
import type { ModelPiece } from "@llm-saas/domain/ModelEvent"
import { type ModelRequest, type Part, questionText, type Tool } from "@llm-saas/domain/ModelRequest"
import { exampleOf } from "./MockSchema.ts"
import { answer, numbersOf, piecesOf, topicOf } from "./MockText.ts"

/** What the mock says to a request. */
export interface MockAnswer {
  /** The pieces; each call begins anew. */
  readonly pieces: () => Iterator<ModelPiece, unknown>
  /** Their number. */
  readonly count: number
  readonly finishReason: FinishReason
  /** Tokens of the output; of them thoughts. */
  readonly tokens: number
  readonly reasoning: number
}

type FunctionTool = Extract<Tool, { readonly type: "function" | "custom" }>

/**
 * The mock's answer, the same for the same request. It calls tools that the question names, or all that must be called; answers in the
 * form of a JSON schema; says what images and files it saw; thinks where it is told how much; and else talks for `tokens` tokens.
 */
export const answerTo = (request: ModelRequest, tokens: number): MockAnswer => {
  const question = questionText(request)
  const thoughts = thoughtsOf(request, question)
  const calls = calledTools(request, question)
  if (calls.length > 0) return whole([...thoughts, ...callPieces(calls, question)], "tool_calls", thoughts.length)
  const { format, maxTokens = Number.MAX_SAFE_INTEGER } = request
  if (format !== undefined && format.type !== "text") {
    const value = format.type === "schema" ? exampleOf(format.schema, topicOf(question)) : { answer: topicOf(question) }
    return limited([...thoughts, ...piecesOf(JSON.stringify(value))], maxTokens, thoughts.length, request)
  }
  const before = [...resultsOf(request), ...seenIn(request)]
  if (thoughts.length === 0 && before.length === 0 && isPlain(request)) {
    const count = Math.min(tokens, maxTokens)
    const finishReason = count < tokens ? "length" : "stop"
    return { pieces: () => answer(question, tokens), count, finishReason, tokens: count, reasoning: 0 }
  }
  const text = [...before.flatMap((sentence) => piecesOf(`${sentence} `)), ...answer(question, tokens)]
  return limited([...thoughts, ...text], maxTokens, thoughts.length, request)
}

const isPlain = ({ sampling }: ModelRequest): boolean => sampling?.stop === undefined && (sampling?.choices ?? 1) === 1

const whole = (pieces: ReadonlyArray<ModelPiece>, finishReason: FinishReason, reasoning: number): MockAnswer => ({
  pieces: () => pieces.values(),
  count: pieces.length,
  finishReason,
  tokens: pieces.length,
  reasoning
})

/** Cut at a stop sequence and at the limit, and said as often as there are choices. */
const limited = (
  all: ReadonlyArray<ModelPiece>,
  maxTokens: number,
  reasoning: number,
  { sampling }: ModelRequest
): MockAnswer => {
  const { sequence, pieces } = stopped(all.slice(0, maxTokens), sampling?.stop ?? [])
  const cut = sequence === undefined && all.length > maxTokens
  const finishReason = cut ? "length" : "stop"
  const end: ReadonlyArray<ModelPiece> =
    sequence === undefined ? [] : [{ type: "finish", reason: "stop", stopSequence: sequence }]
  const others = Array.from({ length: (sampling?.choices ?? 1) - 1 }, (_, index) => [
    ...pieces.flatMap((piece): ReadonlyArray<ModelPiece> =>
      typeof piece === "string" ? [{ type: "text", text: piece, choice: index + 1 }] : []
    ),
    { type: "finish", reason: finishReason, choice: index + 1 } as const
  ])
  return whole([...pieces, ...end, ...others.flat()], finishReason, reasoning)
}

/** The pieces before the first stop sequence. A piece may be cut, and a sequence may span pieces. */
const stopped = (all: ReadonlyArray<ModelPiece>, sequences: ReadonlyArray<string>) => {
  const text = all.map((piece) => (typeof piece === "string" ? piece : "")).join("")
  const found = sequences
    .map((sequence) => ({ sequence, at: sequence === "" ? -1 : text.indexOf(sequence) }))
    .filter(({ at }) => at !== -1)
    .sort((one, other) => one.at - other.at)[0]
  if (found === undefined) return { pieces: all, sequence: undefined }
  let left = found.at
  const pieces: Array<ModelPiece> = []
  for (const piece of all) {
    if (typeof piece !== "string") pieces.push(piece)
    else if (left > 0) {
      pieces.push(piece.slice(0, left))
      left -= piece.length
    }
  }
  return { pieces, sequence: found.sequence }
}

/** A sentence of thoughts, with a proof that they are the mock's. */
const thoughtsOf = ({ reasoning }: ModelRequest, question: string): ReadonlyArray<ModelPiece> => {
  const silent = reasoning === undefined || reasoning.effort === "none" || reasoning.effort === "minimal"
  if (silent || (reasoning.effort === undefined && reasoning.budgetTokens === undefined)) return []
  const text = piecesOf(`The question is about ${topicOf(question)}.`)
  return [
    ...text.map((each) => ({ type: "reasoning", text: each }) as const),
    { type: "signature", signature: "bW9jaw==" }
  ]
}

const isFunction = (tool: Tool): tool is FunctionTool => tool.type !== "foreign"

/** The tools to be called now: none once they have been. */
const calledTools = (request: ModelRequest, question: string): ReadonlyArray<FunctionTool> => {
  const { input, parallelToolCalls = true, toolChoice, tools = [] } = request
  const callable = tools.filter(isFunction)
  if (toolChoice?.type === "tool") return callable.filter(({ name }) => name === toolChoice.name).slice(0, 1)
  if (toolChoice?.type === "none" || input.at(-1)?.type === "tool_result") return []
  const named = callable.filter((tool) => isNamed(tool, question.toLowerCase()))
  const calls = named.length > 0 || toolChoice?.type !== "required" ? named : callable.slice(0, 1)
  return parallelToolCalls ? calls : calls.slice(0, 1)
}

/** Whether the question has a word of the tool's name: `get_weather` is named by "weather". */
const isNamed = ({ name }: FunctionTool, question: string): boolean =>
  question.includes(name.toLowerCase())
  || name.split(/[_\W]|(?<=[a-z])(?=[A-Z])/u).some((word) => word.length > 3 && question.includes(word.toLowerCase()))

/** Arguments come in pieces, as a provider's do. */
const callPieces = (calls: ReadonlyArray<FunctionTool>, question: string): ReadonlyArray<ModelPiece> =>
  calls.flatMap((tool, call): ReadonlyArray<ModelPiece> => {
    const custom = tool.type === "custom"
    const text = custom ? topicOf(question) : JSON.stringify(exampleOf(tool.parameters ?? {}, placeIn(question)))
    const begun = { type: "tool_call", call, id: `call_mock_${call + 1}`, name: tool.name, arguments: "" } as const
    return [
      custom ? { ...begun, custom } : begun,
      ...piecesOf(text).map((piece) => ({ type: "tool_call", call, arguments: piece }) as const)
    ]
  })

/** The last word with a capital letter, which is often a place or a name; else the topic. */
const placeIn = (question: string): string =>
  [...question.matchAll(/(?<=[^.!?\s]\s)\p{Lu}[\p{L}-]+/gu)].at(-1)?.[0] ?? topicOf(question)

/** What the tools said, in a sentence each. */
const resultsOf = ({ input }: ModelRequest): ReadonlyArray<string> => {
  const last = input.findLastIndex((item) => item.type !== "tool_result")
  return input.slice(last + 1).flatMap((item) => {
    if (item.type !== "tool_result") return []
    const call = input.find((each) => each.type === "tool_call" && each.id === item.id)
    const name = call?.type === "tool_call" ? call.name : "tool"
    return [`${name} ${item.failed === true ? "failed with" : "says"}: ${textIn(item.parts)}.`]
  })
}

const textIn = (parts: ReadonlyArray<Part>): string =>
  parts
    .flatMap((part) => (part.type === "text" ? [part.text] : []))
    .join(" ")
    .trim()

/** What else than text is in the last message. */
const seenIn = ({ input }: ModelRequest): ReadonlyArray<string> => {
  const last = input.findLast((item) => item.type === "message")
  const seen = last?.type === "message" ? last.parts.flatMap(describe) : []
  return seen.length === 0 ? [] : [`I see ${seen.join(" and ")}.`]
}

const describe = (part: Part): ReadonlyArray<string> => {
  switch (part.type) {
    case "image":
      return [`an image (${sourceOf(part.source)})`]
    case "file":
      return [`a file (${part.name === undefined ? "" : `${part.name}, `}${sourceOf(part.source)})`]
    case "audio":
      return [`a sound (${part.format}, ${bytesIn(part.data)} bytes)`]
    case "text":
    case "refusal":
    case "foreign":
      return []
  }
}

const sourceOf = (source: Extract<Part, { readonly type: "image" }>["source"]): string => {
  switch (source.kind) {
    case "data":
      return `${source.mediaType}, ${bytesIn(source.data)} bytes`
    case "url":
      return "by its address"
    case "id":
      return "by its id"
  }
}

const bytesIn = (base64: string): number => {
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0
  return Math.floor(((base64.length - padding) * 3) / 4)
}

/** Tokens of everything that was sent: texts as we estimate them, 85 for an image, as OpenAI counts a small one, and tools by their text. */
export const inputTokens = ({ format, input, tools }: ModelRequest): number => {
  const parts = input.flatMap((item): ReadonlyArray<Part> => {
    if (item.type === "message" || item.type === "tool_result") return item.parts
    return [{ type: "text", text: item.type === "tool_call" ? item.name + item.arguments : item.text }]
  })
  const texts = parts.map((part) =>
    part.type === "text" || part.type === "refusal" ? approximateTokens(part.text) : 85
  )
  const declared: Json = [...(tools ?? []).map(asJson), ...(format === undefined ? [] : [asJson(format)])]
  return (
    texts.reduce((sum, each) => sum + each, 0)
    + (declared.length === 0 ? 0 : approximateTokens(JSON.stringify(declared)))
  )
}

const asJson = (value: object): JsonObject => (isJsonObject(value) ? value : {})

/** Length of the vectors where a request names none. */
const DIMENSIONS = 256

/** A vector of length 1, the same for the same text. */
export const vectorOf = (input: string | ReadonlyArray<number>, dimensions = DIMENSIONS): ReadonlyArray<number> => {
  const random = numbersOf(typeof input === "string" ? input : input.join(" "))
  const values = Array.from({ length: dimensions }, () => random() * 2 - 1)
  const norm = Math.hypot(...values)
  return values.map((value) => value / norm)
}

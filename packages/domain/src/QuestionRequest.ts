import { isJsonObject, type JsonObject } from "./Json.ts"
import type { AnswerFormat, InputItem, ModelRequest, Part, Tool } from "./ModelRequest.ts"
import { type Attachment, isAudio, type QuestionBody, questionOptions } from "./Question.ts"

/** A question as it is asked. */
export interface AskedBody {
  /** What is shown of it. */
  readonly content: string
  readonly model: string | undefined
  /** Undefined: the text is all of it. */
  readonly request: ModelRequest | undefined
  /** What is kept of it, where there is more than its text and model. */
  readonly body: JsonObject | undefined
}

/** What a question asks of a model. */
export const askedOf = (question: QuestionBody): AskedBody => {
  const { content, conversation_id, model, tool_results = [] } = question
  const shown = content ?? tool_results.map((result) => result.content).join("\n")
  // In the order of names: the same members are the same body in any order.
  const members = Object.entries(question)
    .filter(([name, value]) => MEMBERS.has(name) && value !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
  if (members.every(([name]) => name === "content" || name === "model"))
    return { content: shown, model, request: undefined, body: undefined }
  const body: unknown = Object.fromEntries(members)
  return {
    content: shown,
    model,
    request: requestOf(question, (conversation_id ?? undefined) === undefined),
    body: isJsonObject(body) ? body : undefined
  }
}

const MEMBERS = new Set(["content", ...Object.keys(questionOptions)])

const requestOf = (question: QuestionBody, alone: boolean): ModelRequest => {
  const { max_tokens, model = "", response_format, system, temperature, tool_choice } = question
  const tools = toolsOf(question)
  return {
    model,
    stream: true,
    input: [
      ...(system === undefined ? [] : [textItem("system", system)]),
      ...(alone ? [...messageOf(question), ...callsOf(question), ...resultsOf(question)] : userItems(question))
    ],
    ...(tools.length === 0 ? {} : { tools }),
    ...(tool_choice === undefined
      ? {}
      : {
          toolChoice: typeof tool_choice === "string" ? { type: tool_choice } : { type: "tool", name: tool_choice.name }
        }),
    ...(temperature === undefined ? {} : { sampling: { temperature } }),
    ...(max_tokens === undefined ? {} : { maxTokens: max_tokens }),
    ...(response_format === undefined ? {} : { format: formatOf(response_format) })
  }
}

const formatOf = (format: NonNullable<QuestionBody["response_format"]>): AnswerFormat =>
  typeof format === "string"
    ? { type: format }
    : { type: "schema", name: "answer", ...format, schema: isJsonObject(format.schema) ? format.schema : {} }

/** A text as an item of the input. */
export const textItem = (role: "system" | "user" | "assistant", text: string): InputItem => ({
  type: "message",
  role,
  parts: [{ type: "text", text }]
})

/** What the user's turn adds to a conversation: results of calls come first, as they answer the turn before. */
export const userItems = (question: QuestionBody): ReadonlyArray<InputItem> => [
  ...resultsOf(question),
  ...messageOf(question)
]

export const toolsOf = ({ tools = [] }: QuestionBody): ReadonlyArray<Tool> =>
  tools.map(({ parameters, ...tool }) => ({
    type: "function",
    ...tool,
    ...(isJsonObject(parameters) ? { parameters } : {})
  }))

const messageOf = ({ attachments = [], content }: QuestionBody): ReadonlyArray<InputItem> => {
  const parts: ReadonlyArray<Part> = [
    ...attachments.map(partOf),
    ...(content === undefined ? [] : [{ type: "text", text: content } as const])
  ]
  return parts.length === 0 ? [] : [{ type: "message", role: "user", parts }]
}

const callsOf = ({ tool_results = [] }: QuestionBody): ReadonlyArray<InputItem> =>
  tool_results.map(({ arguments: args = "{}", id, name = "" }) => ({ type: "tool_call", id, name, arguments: args }))

const resultsOf = ({ tool_results = [] }: QuestionBody): ReadonlyArray<InputItem> =>
  tool_results.map(({ content, failed, id }) => ({
    type: "tool_result",
    id,
    parts: [{ type: "text", text: content }],
    ...(failed === undefined ? {} : { failed })
  }))

const partOf = ({ data = "", media_type, name, url }: Attachment): Part => {
  if (isAudio(media_type)) return { type: "audio", data, format: soundOf(media_type) }
  const source =
    url === undefined ? ({ kind: "data", mediaType: media_type, data } as const) : ({ kind: "url", url } as const)
  return media_type.startsWith("image/")
    ? { type: "image", source }
    : { type: "file", source, ...(name === undefined ? {} : { name }) }
}

/** The format of a sound, as models know it. */
const soundOf = (mediaType: string): string => {
  const format = mediaType.slice("audio/".length).replace(/^x-/u, "")
  return format === "mpeg" ? "mp3" : format
}

/** A question as it was kept; undefined: there is none. Only what {@link askedOf} made is read, so its form is not checked. */
export const keptQuestion = (kept: unknown): QuestionBody | undefined => (isKept(kept) ? kept : undefined)

const isKept = (kept: unknown): kept is QuestionBody => isJsonObject(kept)

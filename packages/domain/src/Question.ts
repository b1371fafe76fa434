import { Schema } from "effect"
import { ConversationId, SystemPrompt } from "./Conversation.ts"
import { isJsonObject, type JsonObject } from "./Json.ts"
import { Content } from "./Message.ts"
import { ModelName } from "./Model.ts"
import type { AnswerFormat, InputItem, ModelRequest, Part, Tool } from "./ModelRequest.ts"
import { line, Text } from "./Text.ts"

const PADDING = /={0,2}$/u
const NO_BASE64 = /[^A-Za-z0-9+/]/u

/** Base64 as RFC 4648 §4 has it, with its padding. A pattern over megabytes would overflow its stack; one that looks for a misfit does not. */
const base64 = Schema.String.check(
  Schema.makeFilter(
    (text) =>
      text.length > 0 && text.length % 4 === 0 && !NO_BASE64.test(text.replace(PADDING, ""))
        ? undefined
        : "Expected base64",
    {
      expected: "base64",
      toJsonSchema: () => ({
        contentEncoding: "base64",
        minLength: 4,
        pattern: "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
      })
    }
  )
)

const https = Schema.String.check(
  Schema.makeFilter(
    (text) =>
      text.length <= 4096 && text.startsWith("https://") && URL.canParse(text)
        ? undefined
        : "Expected an address that begins with https://",
    {
      expected: "an address that begins with https://",
      toJsonSchema: () => ({ format: "uri", pattern: "^https://", maxLength: 4096 })
    }
  )
)

const attachmentFields = {
  /** What it is: `image/…` is seen, `audio/…` is heard, anything else is a file. */
  media_type: Schema.String.check(
    Schema.isPattern(/^[a-z]+\/[a-zA-Z0-9][a-zA-Z0-9.+-]{0,99}$/u, { expected: "a media type, such as image/png" })
  ),
  data: Schema.optionalKey(base64),
  /** The model's provider fetches it. */
  url: Schema.optionalKey(https),
  name: Schema.optionalKey(line(200))
}

/** An image, a sound or a file that the question is about: its bytes, or where it is. */
export const Attachment = Schema.Struct(attachmentFields)
  .check(
    Schema.makeFilter(
      ({ data, media_type, url }) => {
        if ((data === undefined) === (url === undefined))
          return { path: ["data"], issue: "Expected either data or url" }
        return url !== undefined && isAudio(media_type)
          ? { path: ["url"], issue: "Expected a sound as data" }
          : undefined
      },
      {
        toJsonSchema: () => ({
          oneOf: [
            { required: ["data"] },
            { required: ["url"], properties: { media_type: { type: "string", pattern: "^(?!audio/)" } } }
          ]
        })
      }
    )
  )
  .annotate({ identifier: "Attachment" })
export type Attachment = typeof Attachment.Type

const isAudio = (mediaType: string): boolean => mediaType.startsWith("audio/")

const ToolName = Schema.String.check(
  Schema.isPattern(/^[a-zA-Z0-9_-]{1,64}$/u, { expected: "1 to 64 letters, digits, _ or -" })
)

/** What JSON is to look like: https://json-schema.org. Models take parts of it, and refuse what they do not take. */
const JsonSchema = Schema.Record(Schema.String, Schema.Unknown)

/** A function that the model may call. The client runs it. `parameters`: JSON Schema of its arguments. */
export const FunctionTool = Schema.Struct({
  name: ToolName,
  description: Schema.optionalKey(Schema.String),
  parameters: Schema.optionalKey(JsonSchema),
  strict: Schema.optionalKey(Schema.Boolean)
}).annotate({ identifier: "FunctionTool" })

/** Some providers put more into it than a name. */
const CallId = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(4096))

/**
 * What the client's tool says to a call of the answer before. In a conversation the call is known by its `id`. Without one, the question is
 * sent again, and `name` and `arguments` are those of the call.
 */
export const ToolResult = Schema.Struct({
  id: CallId,
  content: Text,
  /** The tool failed, and `content` says how. */
  failed: Schema.optionalKey(Schema.Boolean),
  name: Schema.optionalKey(ToolName),
  arguments: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "ToolResult" })
export type ToolResult = typeof ToolResult.Type

const MOST_TOOLS = 128
const MOST_ATTACHMENTS = 50

const atMost = <S extends Schema.Constraint>(schema: S, max: number) =>
  Schema.Array(schema).check(Schema.isMaxLength(max, { expected: `at most ${max} of them` }))

/** What a question may have beside its text and its conversation. */
export const questionOptions = {
  model: Schema.optionalKey(ModelName),
  system: Schema.optionalKey(SystemPrompt),
  temperature: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 2 }))),
  max_tokens: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000_000 }))),
  tools: Schema.optionalKey(atMost(FunctionTool, MOST_TOOLS)),
  tool_choice: Schema.optionalKey(
    Schema.Union([Schema.Literals(["auto", "none", "required"]), Schema.Struct({ name: ToolName })])
  ),
  tool_results: Schema.optionalKey(atMost(ToolResult, MOST_TOOLS)),
  attachments: Schema.optionalKey(atMost(Attachment, MOST_ATTACHMENTS)),
  response_format: Schema.optionalKey(
    Schema.Union([
      Schema.Literals(["text", "json"]),
      Schema.Struct({
        name: Schema.optionalKey(ToolName),
        schema: JsonSchema,
        strict: Schema.optionalKey(Schema.Boolean)
      }).annotate({ identifier: "SchemaFormat" })
    ])
  )
}

/** A question's members. */
export const questionFields = {
  content: Schema.optionalKey(Content),
  conversation_id: Schema.optionalKey(Schema.NullOr(ConversationId)),
  ...questionOptions
}

/** A question as clients send it. */
export type QuestionBody = Schema.Struct.Type<typeof questionFields>

const MISSING = "Missing key"

/** What of a question does not fit together. */
export const questionCheck = Schema.makeFilter(
  (question: QuestionBody): undefined | Schema.FilterIssue => {
    const { content, conversation_id, tool_choice, tool_results = [], tools = [] } = question
    const alone = (conversation_id ?? undefined) === undefined
    if (content === undefined && (alone || tool_results.length === 0)) return { path: ["content"], issue: MISSING }
    if (typeof tool_choice === "object" && !tools.some(({ name }) => name === tool_choice.name))
      return { path: ["tool_choice", "name"], issue: "Expected the name of one of the tools" }
    if (tool_choice === "required" && tools.length === 0) return { path: ["tools"], issue: MISSING }
    const names = tools.map(({ name }) => name)
    const twice = names.findIndex((name, index) => names.indexOf(name) !== index)
    if (twice !== -1) return { path: ["tools", twice, "name"], issue: "Expected a name that no other tool has" }
    const ids = tool_results.map(({ id }) => id)
    const again = ids.findIndex((id, index) => ids.indexOf(id) !== index)
    if (again !== -1) return { path: ["tool_results", again, "id"], issue: "Expected one result for each call" }
    const unnamed = alone ? tool_results.findIndex(({ name }) => name === undefined) : -1
    return unnamed === -1 ? undefined : { path: ["tool_results", unnamed, "name"], issue: MISSING }
  },
  {
    toJsonSchema: () => ({
      allOf: [
        {
          anyOf: [
            { required: ["content"] },
            {
              required: ["conversation_id", "tool_results"],
              properties: {
                conversation_id: { type: "string", format: "uuid" },
                tool_results: { type: "array", minItems: 1 }
              }
            }
          ]
        }
      ]
    })
  }
)

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
  // In the order of names: the same members are the same body, whoever sends them.
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

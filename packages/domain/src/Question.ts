import { Schema } from "effect"
import { ConversationId, SystemPrompt } from "./Conversation.ts"
import { Content } from "./Message.ts"
import { ModelName } from "./Model.ts"
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

/** Whether an attachment is heard. */
export const isAudio = (mediaType: string): boolean => mediaType.startsWith("audio/")

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

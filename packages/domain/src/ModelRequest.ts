import type { Json, JsonObject } from "./Json.ts"

/**
 * The wire formats in which models are asked, by clients and by us: OpenAI's Chat Completions and Responses, and Anthropic's Messages.
 */
export type Dialect = "chat" | "responses" | "anthropic"

/** What is sent to a model, independent of dialects. Undefined members are the model's defaults. */
export interface ModelRequest {
  /** The model as the client names it: the alias of a route. */
  readonly model: string
  /** Instructions, earlier turns and the question, oldest first. */
  readonly input: ReadonlyArray<InputItem>
  readonly tools?: ReadonlyArray<Tool> | undefined
  readonly toolChoice?: ToolChoice | undefined
  readonly parallelToolCalls?: boolean | undefined
  readonly format?: AnswerFormat | undefined
  readonly sampling?: Sampling | undefined
  /** Most tokens of the answer, thoughts included. */
  readonly maxTokens?: number | undefined
  readonly reasoning?: Reasoning | undefined
  /** Whether the answer is asked for piece by piece. */
  readonly stream: boolean
  /** The request as the client sent it. A provider that speaks the same dialect gets it unchanged, but for model and limits. */
  readonly origin?: Origin | undefined
}

/** A request in the client's own words. */
export interface Origin {
  readonly dialect: Dialect
  readonly body: JsonObject
  /** Headers that belong to the dialect and go to a provider that speaks it, such as `anthropic-beta`. Lower case. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** One item of the input, in order. */
export type InputItem = MessageItem | ToolCallItem | ToolResultItem | ReasoningItem

export interface MessageItem {
  readonly type: "message"
  /** `developer` is OpenAI's newer name for `system`. */
  readonly role: "system" | "developer" | "user" | "assistant"
  readonly parts: ReadonlyArray<Part>
  /** The participant's name, which only Chat Completions has. */
  readonly name?: string | undefined
}

/** A call of a tool by the model, in an earlier turn. */
export interface ToolCallItem {
  readonly type: "tool_call"
  readonly id: string
  readonly name: string
  /** JSON text for a function; any text for a custom tool. */
  readonly arguments: string
  readonly custom?: boolean | undefined
}

/** The result that the client sends for a {@link ToolCallItem}. */
export interface ToolResultItem {
  readonly type: "tool_result"
  /** The id of the call. */
  readonly id: string
  readonly parts: ReadonlyArray<Part>
  readonly failed?: boolean | undefined
}

/** Thoughts of an earlier turn, which some models must get back unchanged. */
export interface ReasoningItem {
  readonly type: "reasoning"
  readonly text: string
  /** The provider's proof that the thoughts are its own. */
  readonly signature?: string | undefined
  /** Encrypted thoughts, without a text. */
  readonly encrypted?: string | undefined
}

export type Part =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "refusal"; readonly text: string }
  | { readonly type: "image"; readonly source: Source; readonly detail?: string | undefined }
  | { readonly type: "audio"; readonly data: string; readonly format: string }
  | { readonly type: "file"; readonly source: Source; readonly name?: string | undefined }
  /** A part that only its own dialect knows. A translation leaves it out. */
  | { readonly type: "foreign"; readonly dialect: Dialect; readonly value: Json }

/** Where an image or a file is. `data` is base64. */
export type Source =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "data"; readonly mediaType: string; readonly data: string }
  | { readonly kind: "id"; readonly id: string }

export type Tool =
  | {
      readonly type: "function"
      readonly name: string
      readonly description?: string | undefined
      /** JSON Schema of the arguments. */
      readonly parameters?: JsonObject | undefined
      readonly strict?: boolean | undefined
    }
  | {
      readonly type: "custom"
      readonly name: string
      readonly description?: string | undefined
      readonly format?: Json
    }
  /** A tool of the provider, such as a web search. */
  | { readonly type: "foreign"; readonly dialect: Dialect; readonly value: Json }

export type ToolChoice =
  | { readonly type: "auto" | "none" | "required" }
  | { readonly type: "tool"; readonly name: string; readonly custom?: boolean | undefined }
  | { readonly type: "foreign"; readonly dialect: Dialect; readonly value: Json }

export type AnswerFormat =
  | { readonly type: "text" }
  | { readonly type: "json" }
  | {
      readonly type: "schema"
      readonly name: string
      readonly schema: JsonObject
      readonly strict?: boolean | undefined
      readonly description?: string | undefined
    }

export interface Sampling {
  readonly temperature?: number | undefined
  readonly topP?: number | undefined
  readonly topK?: number | undefined
  readonly seed?: number | undefined
  readonly stop?: ReadonlyArray<string> | undefined
  readonly frequencyPenalty?: number | undefined
  readonly presencePenalty?: number | undefined
  /** Number of answers. */
  readonly choices?: number | undefined
  readonly logprobs?: boolean | undefined
  readonly topLogprobs?: number | undefined
}

export interface Reasoning {
  /** `none` … `xhigh`, as OpenAI names it. */
  readonly effort?: string | undefined
  /** Most tokens of thoughts, as Anthropic counts them. */
  readonly budgetTokens?: number | undefined
  /** Whether thoughts are shown, and how: OpenAI's `summary`, Anthropic's `display`. */
  readonly summary?: string | undefined
}

const texts = (parts: ReadonlyArray<Part>): string =>
  parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n")

/** The text of the question: of the last turn that the client wrote, a message or the results of tools. Empty if it has no text. */
export const questionText = ({ input }: ModelRequest): string => {
  const last = input.findLastIndex(
    (item) => item.type === "tool_call" || (item.type === "message" && item.role !== "user")
  )
  const own = input.slice(last + 1)
  return own
    .flatMap((item) => (item.type === "message" || item.type === "tool_result" ? [texts(item.parts)] : []))
    .filter((text) => text !== "")
    .join("\n")
}

/** A request that is a text alone, with the turns before it. */
export const ofTexts = (
  model: string,
  turns: ReadonlyArray<{ readonly role: "user" | "assistant" | "system"; readonly content: string }>
): ModelRequest => ({
  model,
  stream: true,
  input: turns.map(({ content, role }) => ({ type: "message", role, parts: [{ type: "text", text: content }] }))
})

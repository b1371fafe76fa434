import { Predicate } from "effect"
import { OpenApi } from "effect/http-api"

// Example requests and answers for the documentation of /v1.

const CHAT_ID = "chatcmpl-01975a6f2b417a08bf3e1c2d3e4f5a6b"
const CREATED = 1_795_557_791
const ANSWER = "LangChain is a framework for programs that use language models."

export const chatRequest = {
  model: "gpt-4o-mini",
  messages: [
    { role: "system", content: "Answer in one sentence." },
    { role: "user", content: "What is LangChain?" }
  ]
}

export const chatCompletion = {
  id: CHAT_ID,
  object: "chat.completion",
  created: CREATED,
  model: "gpt-4o-mini",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: ANSWER, refusal: null },
      logprobs: null,
      finish_reason: "stop"
    }
  ],
  usage: { prompt_tokens: 25, completion_tokens: 11, total_tokens: 36 }
}

const chunk = (delta: object, finish_reason: string | null) =>
  `data: ${JSON.stringify({
    id: CHAT_ID,
    object: "chat.completion.chunk",
    created: CREATED,
    model: "gpt-4o-mini",
    choices: [{ index: 0, delta, logprobs: null, finish_reason }]
  })}\n\n`

export const chatChunks =
  chunk({ role: "assistant", content: "LangChain" }, null)
  + chunk({ content: " is a framework." }, null)
  + chunk({}, "stop")
  + "data: [DONE]\n\n"

export const embeddingsRequest = { model: "text-embedding-3-small", input: "What is LangChain?" }

export const embeddings = {
  object: "list",
  data: [{ object: "embedding", index: 0, embedding: [0.0123, -0.0456, 0.0789] }],
  model: "text-embedding-3-small",
  usage: { prompt_tokens: 5, total_tokens: 5 }
}

export const model = { id: "gpt-4o-mini", object: "model", created: CREATED, owned_by: "openai" }

export const models = { object: "list", data: [model] }

export const responseRequest = { model: "gpt-4o-mini", input: "What is LangChain?" }

const RESPONSE_ID = "resp_01975a6f2b417a08bf3e1c2d3e4f5a6b"
const ITEM_ID = "msg_01975a6f2b417a08bf3e1c2d3e4f5a6b00000"

export const response = {
  id: RESPONSE_ID,
  object: "response",
  created_at: CREATED,
  status: "completed",
  background: false,
  error: null,
  incomplete_details: null,
  model: "gpt-4o-mini",
  output: [
    {
      id: ITEM_ID,
      type: "message",
      status: "completed",
      role: "assistant",
      content: [{ type: "output_text", text: ANSWER, annotations: [], logprobs: [] }]
    }
  ],
  usage: {
    input_tokens: 14,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: 11,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 25
  }
}

const numbered = (number: number, type: string, members: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...members, sequence_number: number })}\n\n`

export const responseEvents =
  numbered(0, "response.created", { response: { ...response, status: "in_progress", output: [], usage: null } })
  + numbered(4, "response.output_text.delta", {
    item_id: ITEM_ID,
    output_index: 0,
    content_index: 0,
    logprobs: [],
    delta: ANSWER
  })
  + numbered(8, "response.completed", { response })

export const responseItems = {
  object: "list",
  data: [
    {
      id: "msg_01975a6f2b417a08bf3e1c2d3e4f5a6b10000",
      type: "message",
      role: "user",
      status: "completed",
      content: [{ type: "input_text", text: "What is LangChain?" }]
    }
  ],
  first_id: "msg_01975a6f2b417a08bf3e1c2d3e4f5a6b10000",
  last_id: "msg_01975a6f2b417a08bf3e1c2d3e4f5a6b10000",
  has_more: false
}

export const anthropicRequest = {
  model: "claude-sonnet",
  max_tokens: 1024,
  messages: [{ role: "user", content: "What is LangChain?" }]
}

const message = {
  id: "msg_01975a6f2b417a08bf3e1c2d3e4f5a6b",
  type: "message",
  role: "assistant",
  model: "claude-sonnet",
  content: [{ type: "text", text: ANSWER }],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { input_tokens: 14, output_tokens: 11 }
}

export const anthropicMessage = message

const event = (type: string, data: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`

export const anthropicEvents =
  event("message_start", {
    message: { ...message, content: [], stop_reason: null, usage: { input_tokens: 14, output_tokens: 1 } }
  })
  + event("content_block_start", { index: 0, content_block: { type: "text", text: "" } })
  + event("content_block_delta", { index: 0, delta: { type: "text_delta", text: ANSWER } })
  + event("content_block_stop", { index: 0 })
  + event("message_delta", { delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 11 } })
  + event("message_stop", {})

export const countRequest = { model: "claude-sonnet", messages: [{ role: "user", content: "What is LangChain?" }] }

export const tokenCount = { input_tokens: 14 }

const GENERATION = {
  "X-Generation-Id": {
    description: "The answer's generation: what to follow, read or cancel.",
    schema: { type: "string", format: "uuid" }
  }
}

/** Adds the examples of an answer and of its request. `stream`: the answer may come as these server-sent events. */
export const answered = (answer: unknown, asked?: unknown, stream?: string) =>
  OpenApi.annotations({
    transform: (operation) => {
      const response = operation["responses"]?.[200]
      const content = response?.content?.["application/json"]
      if (content !== undefined) content.example = answer
      if (stream !== undefined && response !== undefined) {
        response.headers = GENERATION
        response.content["text/event-stream"] = {
          schema: { type: "string", description: "Server-sent events, with `stream: true`." },
          example: stream
        }
      }
      const { requestBody } = operation
      if (
        asked !== undefined
        && Predicate.hasProperty(requestBody, "content")
        && Predicate.isObject(requestBody.content)
      )
        for (const media of Object.values(requestBody.content))
          if (Predicate.isObject(media)) Reflect.set(media, "example", asked)
      return operation
    }
  })

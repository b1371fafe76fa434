import type { Conversation } from "@llm-saas/domain/Conversation"
import type { Generation } from "@llm-saas/domain/Generation"
import type { Message } from "@llm-saas/domain/Message"
import { OpenApi } from "effect/http-api"

// What answers look like, for the documentation. A test decodes each with the schema of its endpoint.

const CONVERSATION_ID = "01975a6e-0c8b-7d1e-9a54-5a4f0d3c2b1a"
const USER_ID = "01975a6b-11f0-7c3a-b0a9-2f6f4b7d8e90"
const MESSAGE_ID = "01975a6f-2b40-7e55-8c1d-9d3e6f7a8b2c"
const GENERATION_ID = "01975a6f-2b41-7a08-bf3e-1c2d3e4f5a6b"

export const conversation: typeof Conversation.Encoded = {
  id: CONVERSATION_ID,
  user_id: USER_ID,
  title: "LangChain",
  created_at: "2026-11-24T21:59:00.000Z",
  updated_at: "2026-11-24T22:03:12.000Z"
}

export const message: typeof Message.Encoded = {
  id: MESSAGE_ID,
  conversation_id: null,
  generation_id: GENERATION_ID,
  user_id: USER_ID,
  content: "What is LangChain?",
  response: "LangChain is a framework for programs that use language models.",
  model: "gpt-4o-mini",
  status: "completed",
  finish_reason: "stop",
  failure: null,
  tokens_in: 12,
  tokens_out: 11,
  approx_tokens_in: 5,
  approx_tokens_out: 16,
  latency_ms: 812.4,
  ttft_ms: 243.1,
  created_at: "2026-11-24T22:03:11.000Z"
}

export const generation: typeof Generation.Encoded = {
  id: GENERATION_ID,
  message_id: MESSAGE_ID,
  status: "streaming",
  finish_reason: null,
  failure: null,
  text: "LangChain is a framework",
  seq: 4,
  created_at: "2026-11-24T22:03:11.000Z"
}

const problem = {
  type: "urn:llm-saas:problem:model_failed",
  status: 502,
  title: "The model failed",
  code: "model_failed",
  reason: "model_cut",
  generation_id: GENERATION_ID,
  request_id: "7b3c1f0a-5d0e-4a51-9f62-0f8f7a1e2d3c"
}

const id = (seq: number) => `id: ${GENERATION_ID}:${seq}`

/** Streams, byte for byte. */
export const streams = {
  text: {
    summary: "format=text",
    value: `: keep-alive

${id(1)}
data: LangChain

${id(2)}
data:  is a list:

${id(3)}
data: ${""}
data: - tools

data: [DONE]

`
  },
  json: {
    summary: "format=json",
    value: `${id(0)}
data: {"type":"start","generation_id":"${GENERATION_ID}","message_id":"${MESSAGE_ID}","conversation_id":null,"model":"gpt-4o-mini"}

${id(1)}
data: {"type":"delta","seq":1,"text":"LangChain"}

data: {"type":"usage","tokens_in":12,"tokens_out":1,"approx_tokens_in":5,"approx_tokens_out":3,"latency_ms":812.4}

data: {"type":"end","status":"completed","finish_reason":"stop","message_id":"${MESSAGE_ID}","seq":1}

data: [DONE]

`
  },
  failed: {
    summary: "a failure after the first byte",
    value: `${id(1)}
data: LangChain

event: error
data: ${JSON.stringify(problem)}

`
  }
}

/** Shows what the endpoint answers with `status`. */
export const answers = (status: number, example: unknown) =>
  OpenApi.annotations({
    transform: (operation) => {
      const content = operation["responses"]?.[status]?.content?.["application/json"]
      if (content !== undefined) content.example = example
      return operation
    }
  })

/**
 * A stream as OpenAPI 3.1 can say it: text, with examples. What Effect would write of its own streams, a cause as the data of a failure,
 * is not what is sent here.
 */
export const streamed = OpenApi.annotations({
  transform: (operation) => {
    const response = operation["responses"]?.[200]
    if (response !== undefined) {
      response.description =
        "Server-sent events, one a token; see the description. `data: [DONE]` ends a whole answer, and nothing else does."
      response.headers = {
        "x-generation-id": {
          description: "The answer's generation, where it is known by then: what to resume, follow or cancel.",
          schema: { type: "string", format: "uuid" }
        }
      }
      response.content = { "text/event-stream": { schema: { type: "string" }, examples: streams } }
    }
    return operation
  }
})

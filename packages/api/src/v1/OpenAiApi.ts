import { Forbidden, Unavailable } from "@llm-saas/domain/Refusal"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Access, Authorization } from "../Access.ts"
import { keyHeader } from "../Idempotent.ts"
import { Foreign } from "./Door.ts"
import * as Examples from "./Examples.ts"
import { Anything, maybe, ModelName, open, Tokens, whole, within } from "./Open.ts"
import { embedding, generating, oneModel } from "./Refusals.ts"

const ChatRequest = open({
  model: ModelName,
  messages: Schema.Array(
    open({
      role: Schema.Literals(["developer", "system", "user", "assistant", "tool", "function"]),
      content: Schema.optionalKey(Anything)
    })
  ),
  stream: maybe(Schema.Boolean),
  stream_options: maybe(open({ include_usage: maybe(Schema.Boolean) })),
  max_completion_tokens: maybe(Tokens),
  max_tokens: maybe(Tokens),
  n: maybe(whole(1, 128)),
  temperature: maybe(within(0, 2)),
  top_p: maybe(within(0, 1)),
  stop: Schema.optionalKey(Anything),
  tools: maybe(Schema.Array(Anything)),
  tool_choice: Schema.optionalKey(Anything),
  response_format: Schema.optionalKey(Anything),
  store: maybe(Schema.Boolean)
}).annotate({
  identifier: "ChatCompletionRequest",
  description: "A body of OpenAI's Chat Completions. Members that are not named here go on to the model unchanged."
})

const ChatCompletion = open({
  id: Schema.String,
  object: Schema.Literal("chat.completion"),
  created: Schema.Int,
  model: Schema.String,
  choices: Schema.Array(Anything),
  usage: Schema.optionalKey(Anything)
}).annotate({ identifier: "ChatCompletion" })

const chat = HttpApiEndpoint.post("chat", "/v1/chat/completions", {
  headers: keyHeader,
  payload: ChatRequest,
  success: ChatCompletion,
  error: generating
})
  .annotateMerge(Examples.answered(Examples.chatCompletion, Examples.chatRequest, Examples.chatChunks))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Chat Completions, as OpenAI's SDKs ask them",
      description:
        "With `stream: true` the answer comes as chunks in server-sent events, and ends with `data: [DONE]`; a failure after the first byte is an event with `error`, and no `[DONE]` follows. The id of an answer has the digits of its generation's, which the header `X-Generation-Id` names: it can be followed, read and stopped at `/generations/{id}`, and it is a message of `GET /messages`. With an `Idempotency-Key` a repeated request gets the same answer."
    })
  )

const EmbeddingsRequest = open({
  model: ModelName,
  input: Anything,
  dimensions: maybe(whole(1, 100_000)),
  encoding_format: maybe(Schema.Literals(["float", "base64"]))
}).annotate({
  identifier: "EmbeddingsRequest",
  description: "`input` is a text, a list of texts, a list of tokens, or a list of such lists."
})

const Embeddings = open({
  object: Schema.Literal("list"),
  data: Schema.Array(Anything),
  model: Schema.String,
  usage: Schema.optionalKey(Anything)
}).annotate({ identifier: "Embeddings" })

const embeddings = HttpApiEndpoint.post("embeddings", "/v1/embeddings", {
  payload: EmbeddingsRequest,
  success: Embeddings,
  error: embedding
})
  .annotateMerge(Examples.answered(Examples.embeddings, Examples.embeddingsRequest))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Embeddings, as OpenAI's SDKs ask them",
      description: "Vectors of texts, as numbers or in base64."
    })
  )

const Model = open({ id: Schema.String }).annotate({ identifier: "Model" })

const models = HttpApiEndpoint.get("models", "/v1/models", {
  success: open({ data: Schema.optionalKey(Schema.Array(Anything)) }).annotate({ identifier: "Models" }),
  error: [Forbidden, Unavailable]
})
  .annotateMerge(Examples.answered(Examples.models))
  .annotateMerge(
    OpenApi.annotations({
      summary: "The models that this caller may ask",
      description:
        "In OpenAI's form; in Anthropic's for a client that sends `anthropic-version`, where `limit`, `after_id` and `before_id` page; in Codex's with `client_version` in the query."
    })
  )

const model = HttpApiEndpoint.get("model", "/v1/models/:id", {
  params: { id: ModelName },
  success: Model,
  error: oneModel
})
  .annotateMerge(Examples.answered(Examples.model))
  .annotateMerge(
    OpenApi.annotations({
      summary: "One model",
      description: "A model that the caller's key may not ask answers like one that does not exist."
    })
  )

/** What clients of OpenAI's API call. */
export class OpenAiApi extends HttpApiGroup.make("openai")
  .add(chat, embeddings, models, model)
  .middleware(Authorization)
  .annotateEndpoints(Access, "user")
  .annotateEndpoints(Foreign, true)
  .annotateMerge(
    OpenApi.annotations({
      title: "OpenAI's API",
      description: "For programs made with OpenAI's SDKs: base URL `/v1`. Errors have OpenAI's form."
    })
  ) {}

import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Access, Authorization } from "../Access.ts"
import { keyHeader } from "../Idempotent.ts"
import { Foreign } from "./Door.ts"
import * as Examples from "./Examples.ts"
import { Anything, maybe, ModelName, open, whole, within } from "./Open.ts"
import { counting, generating } from "./Refusals.ts"

const shared = {
  model: ModelName,
  messages: Schema.Array(open({ role: Schema.Literals(["user", "assistant"]), content: Anything })),
  system: Schema.optionalKey(Anything),
  tools: maybe(Schema.Array(Anything)),
  tool_choice: Schema.optionalKey(Anything),
  thinking: Schema.optionalKey(Anything)
}

const MessagesRequest = open({
  ...shared,
  max_tokens: whole(0, 10_000_000),
  stream: maybe(Schema.Boolean),
  temperature: maybe(within(0, 1)),
  top_p: maybe(within(0, 1)),
  top_k: maybe(whole(0, 10_000_000)),
  stop_sequences: maybe(Schema.Array(Anything))
}).annotate({
  identifier: "AnthropicMessagesRequest",
  description: "A body of Anthropic's Messages. Members that are not named here go on to the model unchanged."
})

const MessagesAnswer = open({
  id: Schema.String,
  type: Schema.Literal("message"),
  role: Schema.Literal("assistant"),
  model: Schema.String,
  content: Schema.Array(Anything),
  stop_reason: Schema.NullOr(Schema.String),
  usage: Anything
}).annotate({ identifier: "AnthropicMessage" })

const messages = HttpApiEndpoint.post("messages", "/v1/messages", {
  headers: keyHeader,
  payload: MessagesRequest,
  success: MessagesAnswer,
  error: generating
})
  .annotateMerge(Examples.answered(Examples.anthropicMessage, Examples.anthropicRequest, Examples.anthropicEvents))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Messages, as Anthropic's SDKs ask them",
      description:
        "With `stream: true` the answer comes as Anthropic's events, and ends with `message_stop`; a failure after the first byte is an event named `error`, and no `message_stop` follows. The header `X-Generation-Id` names the answer's generation. The key is sent as `x-api-key` or as a bearer token; `anthropic-version` and `anthropic-beta` go on to a provider that speaks this API."
    })
  )

const count = HttpApiEndpoint.post("countTokens", "/v1/messages/count_tokens", {
  payload: open(shared).annotate({ identifier: "AnthropicCountRequest" }),
  success: open({ input_tokens: Schema.Int }).annotate({ identifier: "AnthropicTokenCount" }),
  error: counting
})
  .annotateMerge(Examples.answered(Examples.tokenCount, Examples.countRequest))
  .annotateMerge(
    OpenApi.annotations({
      summary: "How many tokens a request has",
      description: "As the provider counts them, or an estimate where it does not. Nothing is asked of the model."
    })
  )

/** What clients of Anthropic's API call. */
export class AnthropicApi extends HttpApiGroup.make("anthropic")
  .add(messages, count)
  .middleware(Authorization)
  .annotateEndpoints(Access, "user")
  .annotateEndpoints(Foreign, true)
  .annotateMerge(
    OpenApi.annotations({
      title: "Anthropic's API",
      description: "For programs made with Anthropic's SDKs: base URL `/`. Errors have Anthropic's form."
    })
  ) {}

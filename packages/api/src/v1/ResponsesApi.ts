import { GenerationNotFound } from "@llm-saas/domain/Generation"
import { decimal } from "@llm-saas/domain/Page"
import { Unavailable } from "@llm-saas/domain/Refusal"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Access, Authorization } from "../Access.ts"
import { keyHeader } from "../Idempotent.ts"
import { Foreign } from "./Door.ts"
import * as Examples from "./Examples.ts"
import { Anything, maybe, ModelName, open, text, Tokens, within } from "./Open.ts"
import { counting, following, generating } from "./Refusals.ts"

const asked = {
  model: ModelName,
  input: Schema.optionalKey(Anything),
  instructions: Schema.optionalKey(Anything),
  previous_response_id: maybe(text(200)),
  tools: maybe(Schema.Array(Anything)),
  tool_choice: Schema.optionalKey(Anything),
  parallel_tool_calls: maybe(Schema.Boolean),
  text: Schema.optionalKey(Anything),
  reasoning: Schema.optionalKey(Anything),
  truncation: maybe(text(100))
}

const ResponsesRequest = open({
  ...asked,
  stream: maybe(Schema.Boolean),
  background: maybe(Schema.Boolean),
  store: maybe(Schema.Boolean),
  max_output_tokens: maybe(Tokens),
  temperature: maybe(within(0, 2)),
  top_p: maybe(within(0, 1)),
  include: maybe(Schema.Array(text(200))),
  metadata: Schema.optionalKey(Anything),
  user: maybe(text(10_000))
}).annotate({
  identifier: "ResponsesRequest",
  description:
    "A body of OpenAI's Responses. Members that are not named here go on to a provider that speaks Responses."
})

const Response = open({
  id: Schema.String,
  object: Schema.Literal("response"),
  created_at: Schema.Int,
  status: Schema.String,
  model: Schema.String,
  output: Schema.Array(Anything),
  error: Schema.optionalKey(Anything),
  usage: Schema.optionalKey(Anything)
}).annotate({ identifier: "Response" })

/** An id as clients have it. One that cannot be right answers like one that does not exist. */
const params = { id: text(200) }

const create = HttpApiEndpoint.post("create", "/v1/responses", {
  headers: keyHeader,
  payload: ResponsesRequest,
  success: Response,
  error: generating
})
  .annotateMerge(Examples.answered(Examples.response, Examples.responseRequest, Examples.responseEvents))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Responses, as OpenAI's SDKs and Codex ask them",
      description:
        "With `stream: true` the answer comes as events with a `sequence_number`, and ends with `response.completed`, `response.incomplete` or `response.failed`. With `background: true` it goes on without a reader, and the request is answered at once. `previous_response_id` continues an answer: its input, its output and those of the answers before it come before the new input. An answer with `store: false` cannot be read later. The id of a response has the digits of its generation's, which the header `X-Generation-Id` names."
    })
  )

const get = HttpApiEndpoint.get("get", "/v1/responses/:id", {
  params,
  query: {
    stream: Schema.optionalKey(Schema.Literals(["true", "false"])),
    starting_after: Schema.optionalKey(decimal({ minimum: 0, maximum: 2_147_483_647 }))
  },
  success: Response,
  error: following
})
  .annotateMerge(Examples.answered(Examples.response, undefined, Examples.responseEvents))
  .annotateMerge(
    OpenApi.annotations({
      summary: "A response, or its events",
      description:
        "How far it is, with what there is of its output. With `stream=true` its events, those behind `starting_after`, also while it runs and whichever process runs it: the numbers are the same. The model is not asked again."
    })
  )

const cancel = HttpApiEndpoint.post("cancel", "/v1/responses/:id/cancel", {
  params,
  success: Response,
  error: [GenerationNotFound, Unavailable]
})
  .annotateMerge(Examples.answered({ ...Examples.response, status: "cancelled" }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Stop a response",
      description:
        "What came so far is kept. One that ended already stays as it is; one that runs at another process ends within seconds."
    })
  )

const remove = HttpApiEndpoint.delete("remove", "/v1/responses/:id", {
  params,
  success: open({
    id: Schema.String,
    object: Schema.Literal("response"),
    deleted: Schema.Boolean
  }).annotate({ identifier: "DeletedResponse" }),
  error: [GenerationNotFound, Unavailable]
})
  .annotateMerge(Examples.answered({ id: Examples.response.id, object: "response", deleted: true }))
  .annotateMerge(
    OpenApi.annotations({
      summary: "Delete a response",
      description:
        "Its input and output are gone at once. One that runs is stopped. Responses that continued it cannot be continued."
    })
  )

const inputItems = HttpApiEndpoint.get("inputItems", "/v1/responses/:id/input_items", {
  params,
  query: {
    limit: Schema.optionalKey(decimal({ minimum: 1, maximum: 100 })),
    order: Schema.optionalKey(Schema.Literals(["asc", "desc"])),
    after: Schema.optionalKey(text(200))
  },
  success: open({
    object: Schema.Literal("list"),
    data: Schema.Array(Anything),
    has_more: Schema.Boolean
  }).annotate({ identifier: "ResponseItems" }),
  error: [GenerationNotFound, Unavailable]
})
  .annotateMerge(Examples.answered(Examples.responseItems))
  .annotateMerge(
    OpenApi.annotations({
      summary: "The input of a response",
      description: "The items of its own request, newest first; not those of the responses before it."
    })
  )

const inputTokens = HttpApiEndpoint.post("inputTokens", "/v1/responses/input_tokens", {
  payload: open(asked).annotate({ identifier: "ResponsesCountRequest" }),
  success: open({ object: Schema.Literal("response.input_tokens"), input_tokens: Schema.Int }).annotate({
    identifier: "ResponsesTokenCount"
  }),
  error: [...counting, GenerationNotFound]
})
  .annotateMerge(Examples.answered({ object: "response.input_tokens", input_tokens: 14 }, Examples.responseRequest))
  .annotateMerge(
    OpenApi.annotations({
      summary: "How many tokens a request has",
      description: "As the provider counts them, or an estimate where it does not. Nothing is asked of the model."
    })
  )

/** OpenAI's Responses. */
export class ResponsesApi extends HttpApiGroup.make("responses")
  .add(create, get, cancel, remove, inputItems, inputTokens)
  .middleware(Authorization)
  .annotateEndpoints(Access, "user")
  .annotateEndpoints(Foreign, true)
  .annotateMerge(
    OpenApi.annotations({
      title: "OpenAI's Responses",
      description: "For programs made with OpenAI's SDKs, and for Codex: base URL `/v1`. A response is a generation."
    })
  ) {}

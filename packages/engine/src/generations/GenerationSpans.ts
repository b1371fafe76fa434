import type { GenerationId } from "@llm-saas/domain/Generation"
import type { AttemptRow } from "@llm-saas/domain/Attempt"
import type { GenerationRecord } from "@llm-saas/domain/GenerationRecord"

/** The input for the spans of a generation that ended. Null: lost with its process. Times are in milliseconds since 1970. */
export interface EndedGeneration extends Pick<
  GenerationRecord,
  | "tenant_id"
  | "user_id"
  | "conversation_id"
  | "source"
  | "provider"
  | "model"
  | "response_model"
  | "status"
  | "finish_reason"
  | "failure"
  | "tokens_in"
  | "tokens_out"
  | "created_at"
  | "admitted_at"
  | "first_token_at"
> {
  readonly generation_id: GenerationId
  readonly request_id: string | null
  readonly started_at: number | null
  readonly model_ended_at: number | null
  readonly ended_at: number
  readonly calls: ReadonlyArray<EndedCall>
}

/** One call of a provider. */
export type EndedCall = Pick<
  AttemptRow,
  | "number"
  | "provider"
  | "model"
  | "key_source"
  | "http_status"
  | "failure"
  | "tokens_in"
  | "tokens_out"
  | "started_at"
  | "ended_at"
>

/** Calls that have a span; an answer with more is one that failed again and again. */
const CALLS = 10

export type Attributes = Readonly<Record<string, string | number | ReadonlyArray<string>>>

/** One span of a generation. All are children of the first, the request, but for calls, which are children of the model. */
export interface GenerationSpan {
  readonly part: "request" | "admission" | "question" | "model" | "call" | "answer"
  readonly name: string
  readonly kind: "internal" | "client"
  readonly start: number
  readonly end: number
  /** Why it failed. */
  readonly error: string | undefined
  readonly attributes: Attributes
  readonly events: ReadonlyArray<{ readonly name: string; readonly at: number; readonly attributes: Attributes }>
}

/**
 * A generation as OpenTelemetry spans: the request, the wait for its turn, storing the question, the model with each call of a provider,
 * storing the answer. A part that
 * was not reached, or was lost with its process, is absent. Attributes follow the conventions for generative models
 * (https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/), and hold none of the text.
 */
export const spansOf = (generation: EndedGeneration): readonly [GenerationSpan, ...ReadonlyArray<GenerationSpan>] => {
  const { admitted_at, created_at, ended_at, first_token_at, model_ended_at, source, started_at } = generation
  const error =
    generation.status === "failed" || generation.status === "interrupted"
      ? (generation.failure ?? generation.status)
      : undefined
  const internal = { kind: "internal", error: undefined, attributes: {}, events: [] } as const
  return [
    {
      part: "request",
      name: source,
      kind: "internal",
      start: created_at,
      end: ended_at,
      error,
      attributes: {
        "tenant.id": generation.tenant_id,
        "user.id": generation.user_id,
        "generation.id": generation.generation_id,
        "generation.status": generation.status,
        ...(generation.conversation_id === null ? {} : { "session.id": generation.conversation_id }),
        ...(generation.request_id === null ? {} : { "request.id": generation.request_id })
      },
      events: []
    },
    { ...internal, part: "admission", name: "admission", start: created_at, end: admitted_at },
    ...(started_at === null
      ? []
      : ([
          { ...internal, part: "question", name: "persistence (question)", start: admitted_at, end: started_at },
          {
            part: "model",
            name: `chat ${generation.model}`,
            kind: "client",
            start: started_at,
            end: model_ended_at ?? ended_at,
            error,
            attributes: {
              "gen_ai.operation.name": "chat",
              "gen_ai.provider.name": generation.provider,
              "gen_ai.request.model": generation.model,
              "gen_ai.response.model": generation.response_model ?? generation.model,
              ...(generation.finish_reason === null
                ? {}
                : { "gen_ai.response.finish_reasons": [generation.finish_reason] }),
              ...(generation.tokens_in === null ? {} : { "gen_ai.usage.input_tokens": generation.tokens_in }),
              ...(generation.tokens_out === null ? {} : { "gen_ai.usage.output_tokens": generation.tokens_out }),
              ...(error === undefined ? {} : { "error.type": error })
            },
            events:
              first_token_at === null
                ? []
                : [
                    {
                      name: "first token",
                      at: first_token_at,
                      attributes: { ttft_ms: tenths(first_token_at - created_at) }
                    }
                  ]
          }
        ] as const)),
    ...(started_at === null
      ? []
      : generation.calls.slice(0, CALLS).map((call) => callSpan(call, model_ended_at ?? ended_at))),
    ...(model_ended_at === null
      ? []
      : [{ ...internal, part: "answer" as const, name: "persistence (answer)", start: model_ended_at, end: ended_at }])
  ]
}

/** `end`: when the model ended, for a call that was lost with its process. */
const callSpan = (call: EndedCall, end: number): GenerationSpan => ({
  part: "call",
  name: `call ${call.number} of ${call.provider}`,
  kind: "client",
  start: call.started_at,
  end: Math.max(call.started_at, call.ended_at ?? end),
  error: call.failure ?? undefined,
  attributes: {
    "gen_ai.provider.name": call.provider,
    "gen_ai.request.model": call.model,
    "llm_saas.key_source": call.key_source,
    ...(call.http_status === null ? {} : { "http.response.status_code": call.http_status }),
    ...(call.tokens_in === null ? {} : { "gen_ai.usage.input_tokens": call.tokens_in }),
    ...(call.tokens_out === null ? {} : { "gen_ai.usage.output_tokens": call.tokens_out }),
    ...(call.failure === null ? {} : { "error.type": call.failure })
  },
  events: []
})

/** Milliseconds to a tenth. */
export const tenths = (milliseconds: number): number => Math.round(milliseconds * 10) / 10

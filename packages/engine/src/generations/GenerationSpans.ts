import type { GenerationId, GenerationStatus, Source } from "@llm-saas/domain/Generation"
import type { TenantId } from "@llm-saas/domain/Tenant"
import type { UserId } from "@llm-saas/domain/User"

/** What is known of a generation that ended, as its spans need it. Times are in milliseconds since 1970. */
export interface Facts {
  readonly generation_id: GenerationId
  readonly tenant_id: TenantId
  readonly user_id: UserId
  readonly conversation_id: string | null
  readonly request_id: string | null
  readonly source: Source
  readonly provider: string
  readonly model: string
  readonly response_model: string | null
  readonly status: GenerationStatus
  readonly finish_reason: string | null
  readonly failure: string | null
  readonly tokens_in: number | null
  readonly tokens_out: number | null
  readonly created_at: number
  readonly admitted_at: number
  readonly started_at: number | null
  readonly first_token_at: number | null
  readonly model_ended_at: number | null
  readonly ended_at: number
}

export type Attributes = Readonly<Record<string, string | number | ReadonlyArray<string>>>

/** Something that happened within a generation. All of them are children of the first, the request. */
export interface GenerationSpan {
  readonly part: "request" | "admission" | "question" | "model" | "answer"
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
 * A generation as OpenTelemetry tells it: the request, the wait for its turn, storing the question, the model, storing the answer. A part
 * that was not reached, or that its process took with it, is absent. Attributes are those of the conventions for generative models
 * (https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/), and hold nothing of what was said.
 */
export const spansOf = (facts: Facts): readonly [GenerationSpan, ...ReadonlyArray<GenerationSpan>] => {
  const { admitted_at, created_at, ended_at, first_token_at, model_ended_at, source, started_at } = facts
  const error =
    facts.status === "failed" || facts.status === "interrupted" ? (facts.failure ?? facts.status) : undefined
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
        "tenant.id": facts.tenant_id,
        "user.id": facts.user_id,
        "generation.id": facts.generation_id,
        "generation.status": facts.status,
        ...(facts.conversation_id === null ? {} : { "session.id": facts.conversation_id }),
        ...(facts.request_id === null ? {} : { "request.id": facts.request_id })
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
            name: `chat ${facts.model}`,
            kind: "client",
            start: started_at,
            end: model_ended_at ?? ended_at,
            error,
            attributes: {
              "gen_ai.operation.name": "chat",
              "gen_ai.provider.name": facts.provider,
              "gen_ai.request.model": facts.model,
              "gen_ai.response.model": facts.response_model ?? facts.model,
              ...(facts.finish_reason === null ? {} : { "gen_ai.response.finish_reasons": [facts.finish_reason] }),
              ...(facts.tokens_in === null ? {} : { "gen_ai.usage.input_tokens": facts.tokens_in }),
              ...(facts.tokens_out === null ? {} : { "gen_ai.usage.output_tokens": facts.tokens_out }),
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
    ...(model_ended_at === null
      ? []
      : [{ ...internal, part: "answer" as const, name: "persistence (answer)", start: model_ended_at, end: ended_at }])
  ]
}

/** Milliseconds to a tenth. */
export const tenths = (milliseconds: number): number => Math.round(milliseconds * 10) / 10

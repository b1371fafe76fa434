import type { Final } from "@llm-saas/database/GenerationStore"
import type { TraceContext } from "@llm-saas/domain/TraceContext"
import { Context, Effect, Exit, Metric, Option, Tracer } from "effect"
import type { RunState } from "./GenerationRecord.ts"
import type { RunningGeneration } from "./RunningGeneration.ts"
import { type Facts, type GenerationSpan, spansOf } from "./GenerationSpans.ts"

// What operators watch of answers: counts and distributions, and spans for whoever traces. No label has a tenant or a user in it: there
// are too many of them for a metric, and whose answers they were is nobody's business there.

const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]

const answers = Metric.counter("llm_generations_total", {
  description: "Answers that ended, by door and how they ended.",
  incremental: true
})
const firstToken = Metric.histogram("llm_first_token_seconds", {
  description: "From the request's arrival to the first token.",
  boundaries: SECONDS
})
const duration = Metric.histogram("llm_generation_seconds", {
  description: "From the request's arrival to the last token.",
  boundaries: SECONDS
})
const tokens = Metric.counter("llm_tokens_total", {
  description: "Tokens in and out, as the provider counted them, or as we estimate.",
  incremental: true
})
const tokensIn = Metric.withAttributes(tokens, { direction: "in" })
const tokensOut = Metric.withAttributes(tokens, { direction: "out" })

/** Counts an answer that ended, and tells a tracer of it, where there is one that exports. `now` in ms. */
export const observe = Effect.fnUntraced(function* (live: RunningGeneration, run: RunState, final: Final, now: number) {
  yield* Metric.update(Metric.withAttributes(answers, { source: run.source, status: final.status }), 1)
  yield* Metric.update(duration, (final.modelEndedAt - run.arrivedAt) / 1000)
  if (final.firstTokenAt !== null) yield* Metric.update(firstToken, (final.firstTokenAt - run.arrivedAt) / 1000)
  yield* Metric.update(tokensIn, final.tokensIn ?? run.approxTokensIn)
  yield* Metric.update(tokensOut, final.tokensOut ?? final.approxTokensOut)
  const tracer = yield* Tracer.Tracer
  if (tracer !== Tracer.nativeTracer && run.parent?.sampled !== false) emit(tracer, run, factsOf(live, run, final, now))
})

/** The span an answer belongs under, where there is a tracer that exports: it carries on the caller's trace. */
export const currentSpan: Effect.Effect<Tracer.AnySpan | undefined> = Effect.withFiber((fiber) =>
  Effect.succeed(
    fiber.getRef(Tracer.Tracer) === Tracer.nativeTracer
      ? undefined
      : Context.getOrUndefined(fiber.context, Tracer.ParentSpan)
  )
)

/** A span as the headers of W3C's trace context name it. */
export const contextOf = ({ spanId, traceId }: Tracer.AnySpan): TraceContext => ({ traceId, parentSpanId: spanId })

const factsOf = (live: RunningGeneration, run: RunState, final: Final, now: number): Facts => ({
  generation_id: live.generationId,
  tenant_id: live.tenantId,
  user_id: live.userId,
  conversation_id: run.conversationId,
  request_id: run.requestId,
  source: run.source,
  provider: run.provider,
  model: run.model,
  response_model: final.responseModel,
  status: final.status,
  finish_reason: final.finishReason,
  failure: final.failure,
  tokens_in: final.tokensIn,
  tokens_out: final.tokensOut,
  created_at: run.arrivedAt,
  admitted_at: run.admittedAt,
  started_at: final.startedAt,
  first_token_at: final.firstTokenAt,
  model_ended_at: final.modelEndedAt,
  ended_at: now
})

const emit = (tracer: Tracer.Tracer, run: RunState, facts: Facts) => {
  const [first, ...rest] = spansOf(facts)
  const root = begin(tracer, first, run.parent)
  for (const span of rest) end(begin(tracer, span, root), span)
  end(root, first)
}

const begin = (tracer: Tracer.Tracer, span: GenerationSpan, parent: Tracer.AnySpan | undefined): Tracer.Span => {
  const begun = tracer.span({
    name: span.name,
    parent: Option.fromUndefinedOr(parent),
    annotations: Context.empty(),
    links: [],
    startTime: nanoseconds(span.start),
    kind: span.kind,
    root: parent === undefined,
    sampled: true
  })
  for (const [key, value] of Object.entries(span.attributes)) begun.attribute(key, value)
  for (const event of span.events) begun.event(event.name, nanoseconds(event.at), event.attributes)
  return begun
}

const end = (begun: Tracer.Span, { end: at, error }: GenerationSpan) =>
  begun.end(nanoseconds(at), error === undefined ? Exit.void : Exit.fail(error))

const nanoseconds = (milliseconds: number) => BigInt(Math.round(milliseconds * 1000)) * 1000n

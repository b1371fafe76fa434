import type { GenerationRecord } from "@llm-saas/domain/GenerationRecord"
import type { TraceContext } from "@llm-saas/domain/TraceContext"
import { nanosecondsOf } from "@llm-saas/domain/Time"
import { Context, Effect, Exit, Metric, Option, Tracer } from "effect"
import { type EndedCall, type EndedGeneration, type GenerationSpan, spansOf } from "./GenerationSpans.ts"

// Metrics of answers for operators, and spans for tracing. No label contains a tenant or a user: that would be too many series, and
// operators need not see whose answers they were.

const BUCKETS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]

const answers = Metric.counter("llm_generations_total", {
  description: "Answers that ended, by source and how they ended.",
  incremental: true
})
const firstToken = Metric.histogram("llm_first_token_seconds", {
  description: "From the request's arrival to the first token.",
  boundaries: BUCKETS_SECONDS
})
const duration = Metric.histogram("llm_generation_seconds", {
  description: "From the request's arrival to the last token.",
  boundaries: BUCKETS_SECONDS
})
const tokens = Metric.counter("llm_tokens_total", {
  description: "Tokens in and out, as the provider counted them, or as we estimate.",
  incremental: true
})
const tokensIn = Metric.withAttributes(tokens, { direction: "in" })
const tokensOut = Metric.withAttributes(tokens, { direction: "out" })

/** Counts an answer that ended at `now` (ms), and exports its spans where a tracer is configured. */
export const observe = (
  record: GenerationRecord,
  calls: ReadonlyArray<EndedCall>,
  parent: Tracer.AnySpan | undefined,
  now: number
): Effect.Effect<void> =>
  Effect.withFiber(({ context }) => {
    const metrics = metricsOf(context)
    answersOf(record.source, record.status).updateUnsafe(1, metrics)
    duration.updateUnsafe((record.model_ended_at - record.created_at) / 1000, metrics)
    if (record.first_token_at !== null)
      firstToken.updateUnsafe((record.first_token_at - record.created_at) / 1000, metrics)
    tokensIn.updateUnsafe(record.tokens_in ?? record.approx_tokens_in, metrics)
    tokensOut.updateUnsafe(record.tokens_out ?? record.approx_tokens_out, metrics)
    const tracer = Context.get(context, Tracer.Tracer)
    if (tracer !== Tracer.nativeTracer && parent?.sampled !== false)
      emit(tracer, parent, { ...record, generation_id: record.id, ended_at: now, calls })
    return Effect.void
  })

/** What a metric reads of the services. One with attributes copies the services that it is given: all of the process, three times an answer. */
const metricsOf = (context: Context.Context<never>): Context.Context<never> =>
  Context.make(Metric.MetricRegistry, Context.get(context, Metric.MetricRegistry)).pipe(
    Context.add(Metric.CurrentMetricAttributes, Context.get(context, Metric.CurrentMetricAttributes))
  )

/** Making one for each answer took as long as counting. There are a few dozen. */
const answersOf = (source: string, status: string) => {
  const name = `${source} ${status}`
  const known = counted.get(name)
  if (known !== undefined) return known
  const made = Metric.withAttributes(answers, { source, status })
  counted.set(name, made)
  return made
}
const counted = new Map<string, typeof answers>()

/** The parent for an answer's spans, where a tracer exports: it continues the caller's trace. */
export const currentSpan: Effect.Effect<Tracer.AnySpan | undefined> = Effect.withFiber((fiber) =>
  Effect.succeed(
    fiber.getRef(Tracer.Tracer) === Tracer.nativeTracer
      ? undefined
      : Context.getOrUndefined(fiber.context, Tracer.ParentSpan)
  )
)

/** A span in the terms of W3C's trace context headers. */
export const contextOf = ({ spanId, traceId }: Tracer.AnySpan): TraceContext => ({ traceId, parentSpanId: spanId })

const emit = (tracer: Tracer.Tracer, parent: Tracer.AnySpan | undefined, generation: EndedGeneration) => {
  const [first, ...rest] = spansOf(generation)
  const root = begin(tracer, first, parent)
  const calls = rest.filter(({ part }) => part === "call")
  for (const span of rest) {
    if (span.part === "call") continue
    const begun = begin(tracer, span, root)
    if (span.part === "model") for (const call of calls) end(begin(tracer, call, begun), call)
    end(begun, span)
  }
  end(root, first)
}

const begin = (tracer: Tracer.Tracer, span: GenerationSpan, parent: Tracer.AnySpan | undefined): Tracer.Span => {
  const begun = tracer.span({
    name: span.name,
    parent: Option.fromUndefinedOr(parent),
    annotations: Context.empty(),
    links: [],
    startTime: nanosecondsOf(span.start),
    kind: span.kind,
    root: parent === undefined,
    sampled: true
  })
  for (const [key, value] of Object.entries(span.attributes)) begun.attribute(key, value)
  for (const event of span.events) begun.event(event.name, nanosecondsOf(event.at), event.attributes)
  return begun
}

const end = (begun: Tracer.Span, { end: at, error }: GenerationSpan) =>
  begun.end(nanosecondsOf(at), error === undefined ? Exit.void : Exit.fail(error))

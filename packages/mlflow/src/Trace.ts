import type { TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import { nanosecondsOf } from "@llm-saas/domain/Time"
import { type Written, writtenIn } from "@llm-saas/domain/Written"
import { type Attributes, type GenerationSpan, spansOf } from "@llm-saas/engine/generations/GenerationSpans"
import { tokensOf } from "@llm-saas/engine/generations/Tokens"
import { DateTime } from "effect"
import { type ContentPolicy, filter } from "./Content.ts"
import { traceName } from "./Run.ts"
import { referring } from "./References.ts"

// A record as a trace of MLflow, in OTLP's JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). The tests pin it.

/** The body of `POST /v1/traces`. */
export const traceOf = (
  record: TrackingRecord,
  options: { readonly service: string; readonly runId: string | null; readonly content: ContentPolicy }
) => {
  const spans = spansOf(record)
  const root = spanId(record, 0)
  const model = spanId(
    record,
    spans.findIndex(({ part }) => part === "model")
  )
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf({ "service.name": options.service }) },
        scopeSpans: [
          {
            scope: { name: "llm-saas" },
            spans: spans.map((span, index) => ({
              traceId: record.trace_id,
              spanId: spanId(record, index),
              // If its root has a parent, MLflow shows a trace as unfinished and without tags: the caller's span is a tag instead.
              ...(index === 0 ? {} : { parentSpanId: span.part === "call" ? model : root }),
              name: span.name,
              kind: KIND[span.kind],
              startTimeUnixNano: nanoseconds(span.start),
              endTimeUnixNano: nanoseconds(span.end),
              attributes: attributesOf({ ...span.attributes, ...beside(span, record, options) }),
              events: span.events.map((event) => ({
                name: event.name,
                timeUnixNano: nanoseconds(event.at),
                attributes: attributesOf(event.attributes)
              })),
              status: span.error === undefined ? { code: 1 } : { code: 2, message: span.error }
            }))
          }
        ]
      }
    ]
  }
}

/** Attributes and tags with names defined by MLflow. */
const beside = (
  span: GenerationSpan,
  record: TrackingRecord,
  { content, runId }: { readonly runId: string | null; readonly content: ContentPolicy }
): Attributes => {
  switch (span.part) {
    case "request":
      return {
        "mlflow.spanType": "CHAIN",
        "mlflow.traceTag.mlflow.traceName": record.source,
        "mlflow.traceTag.tenant_id": record.tenant_id,
        "mlflow.traceTag.source": record.source,
        "mlflow.traceTag.generation_id": record.generation_id,
        ...(runId === null ? {} : { "mlflow.traceTag.run_id": runId }),
        ...(record.caller_trace_id === null
          ? {}
          : { "mlflow.traceTag.traceparent": `00-${record.caller_trace_id}-${record.caller_span_id}-01` }),
        ...said(record, content)
      }
    case "model":
      return { "mlflow.spanType": "CHAT_MODEL", ...usage(record), ...cost(record), ...said(record, content) }
    case "call":
      return { "mlflow.spanType": "LLM" }
    case "admission":
    case "question":
    case "answer":
      return { "mlflow.spanType": "TASK" }
  }
}

/** Question and answer in the format of OpenAI's chat, which MLflow shows as a chat; a request of another dialect in its own. */
const said = (record: TrackingRecord, policy: ContentPolicy): Attributes => {
  const question = filter(policy, record.content)
  const answer = filter(policy, record.response)
  const { calls, thoughts } = policy === "off" ? NOTHING : writtenIn(entriesOf(record))
  const shown = (text: string) => filter(policy, text) ?? ""
  const message = {
    role: "assistant",
    content: answer === "" ? null : answer,
    ...(thoughts === "" ? {} : { reasoning_content: shown(thoughts) }),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map(({ args, id, name }) => ({
            id,
            type: "function",
            function: { name, arguments: shown(args) }
          }))
        })
  }
  const spoke = (answer !== null && answer !== "") || calls.length > 0 || thoughts !== ""
  return {
    ...(question === null
      ? {}
      : {
          "mlflow.spanInputs":
            // Redacting the text of a body would not leave JSON: the question alone is shown then.
            (policy === "full" && record.request !== null ? referring(record.request) : undefined)
            ?? JSON.stringify({ messages: [{ role: "user", content: question }] })
        }),
    ...(spoke
      ? {
          "mlflow.spanOutputs": JSON.stringify({
            choices: [{ index: 0, message, finish_reason: record.finish_reason }]
          })
        }
      : {})
  }
}

const NOTHING: Written = { calls: [], thoughts: "" }

const entriesOf = ({ log, token_lengths }: TrackingRecord): ReadonlyArray<string> =>
  log === null ? [] : tokensOf(log, token_lengths ?? [])

/** As the provider counted; else our estimate, marked as such. */
const usage = (record: TrackingRecord): Attributes => {
  const input = record.tokens_in ?? record.approx_tokens_in
  const output = record.tokens_out ?? record.approx_tokens_out ?? 0
  const estimated = record.tokens_in === null || record.tokens_out === null
  return {
    "mlflow.chat.tokenUsage": JSON.stringify({
      input_tokens: input,
      output_tokens: output,
      total_tokens: input + output
    }),
    ...(estimated ? { "llm_saas.tokens": "estimated" } : {})
  }
}

/** Without a price of ours, MLflow uses its own prices for the models it knows. */
const cost = ({ cost_usd }: TrackingRecord): Attributes =>
  cost_usd === null ? {} : { "mlflow.llm.cost": JSON.stringify({ total_cost: cost_usd }) }

const KIND = { internal: 1, client: 3 } as const

/** Stable, so that a trace sent twice has the same spans: the random end of the generation's id, and the span's index. */
const spanId = ({ generation_id }: TrackingRecord, index: number) =>
  `${generation_id.replaceAll("-", "").slice(-15)}${index.toString(16)}`

const nanoseconds = (milliseconds: number) => String(nanosecondsOf(milliseconds))

const attributesOf = (attributes: Attributes) =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: valueOf(value) }))

const valueOf = (value: Attributes[string]) =>
  typeof value === "string"
    ? { stringValue: value }
    : typeof value === "number"
      ? Number.isInteger(value)
        ? { intValue: String(value) }
        : { doubleValue: value }
      : { arrayValue: { values: value.map((each) => ({ stringValue: each })) } }

/** A user's rating as an assessment of the trace. Without times MLflow would show 1970. */
export const assessmentOf = (
  record: TrackingRecord,
  opinion: TrackingRecord["feedback"][number],
  content: ContentPolicy
) => {
  const at = DateTime.formatIso(DateTime.makeUnsafe(opinion.at))
  const rationale = filter(content, opinion.comment)
  return {
    assessment: {
      assessment_name: ASSESSMENT,
      trace_id: traceName(record.trace_id),
      source: { source_type: "HUMAN", source_id: opinion.user_id },
      create_time: at,
      last_update_time: at,
      feedback: { value: opinion.rating },
      ...(rationale === null ? {} : { rationale })
    }
  }
}

/** The name of our assessments. */
export const ASSESSMENT = "user_rating"

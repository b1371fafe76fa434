import type { TrackingRecord } from "@llm-saas/database/TrackingOutbox"
import { tenths } from "@llm-saas/engine/generations/GenerationSpans"

// A record as a run of MLflow. docs/mlflow.md describes it; the tests pin it.

interface Pair {
  readonly key: string
  readonly value: string
}
interface Metric {
  readonly key: string
  readonly value: number
  readonly timestamp: number
  readonly step: number
}

/** MLflow's name for a trace. */
export const traceName = (traceId: string) => `tr-${traceId}`

/** The body of `runs/create`. */
export const createRun = (record: TrackingRecord, experimentId: string, service: string) => ({
  experiment_id: experimentId,
  run_name: `${record.source} ${record.generation_id.slice(-12)}`,
  start_time: Math.trunc(record.created_at),
  tags: [
    ...pairs({
      tenant_id: record.tenant_id,
      source: record.source,
      generation_id: record.generation_id,
      trace_id: traceName(record.trace_id),
      "mlflow.user": record.user_id,
      "mlflow.source.name": service
    }),
    ...(record.failure === null ? [] : pairs({ "mlflow.note.content": `${record.status}: ${record.failure}` }))
  ]
})

/** Params and metrics: the body of `runs/log-batch`. Repeating it changes nothing. */
export const logBatch = (record: TrackingRecord, runId: string, environment: string) => ({
  run_id: runId,
  params: paramsOf(record, environment),
  metrics: metricsOf(record)
})

export const paramsOf = (record: TrackingRecord, environment: string): ReadonlyArray<Pair> =>
  pairs({
    model_name: record.response_model ?? record.model,
    prompt_length: String(record.prompt_length),
    tenant_id: record.tenant_id,
    user_id: record.user_id,
    environment
  })

/** Lengths are in characters (code points), times from the request's arrival. A value the provider does not report has no metric. */
export const metricsOf = (record: TrackingRecord): ReadonlyArray<Metric> => {
  const timestamp = Math.trunc(record.ended_at)
  const values: Readonly<Record<string, number | null>> = {
    latency_ms: tenths((record.model_ended_at ?? record.ended_at) - record.created_at),
    response_length: record.response_length ?? 0,
    approx_tokens_in: record.approx_tokens_in,
    approx_tokens_out: record.approx_tokens_out ?? 0,
    ttft_ms: record.first_token_at === null ? null : tenths(record.first_token_at - record.created_at),
    tokens_in: record.tokens_in,
    tokens_out: record.tokens_out,
    cost_usd: record.cost_usd
  }
  return Object.entries(values).flatMap(([key, value]) => (value === null ? [] : [{ key, value, timestamp, step: 0 }]))
}

/** The run's end: the body of `runs/update`. Repeating it changes nothing. */
export const endRun = (record: TrackingRecord, runId: string) => ({
  run_id: runId,
  status: statusOf(record),
  end_time: Math.trunc(record.ended_at)
})

export const statusOf = ({ status }: TrackingRecord): "FINISHED" | "FAILED" | "KILLED" => {
  switch (status) {
    case "completed":
      return "FINISHED"
    case "failed":
      return "FAILED"
    case "cancelled":
    case "interrupted":
    // Neither has a record: it has not ended.
    case "streaming":
      return "KILLED"
  }
}

const pairs = (values: Readonly<Record<string, string>>): ReadonlyArray<Pair> =>
  Object.entries(values).map(([key, value]) => ({ key, value }))

import type { Actor } from "@llm-saas/domain/Actor"
import { MlflowServer } from "@llm-saas/testing/MlflowServer"
import { Effect, Schema } from "effect"

// Reads MLflow's content through its API.

const Pairs = Schema.Array(Schema.Struct({ key: Schema.String, value: Schema.Union([Schema.String, Schema.Number]) }))

const Run = Schema.Struct({
  info: Schema.Struct({
    run_id: Schema.String,
    run_name: Schema.String,
    status: Schema.String,
    start_time: Schema.Number,
    end_time: Schema.optionalKey(Schema.Number)
  }),
  data: Schema.Struct({
    params: Schema.optionalKey(Pairs),
    metrics: Schema.optionalKey(Pairs),
    tags: Schema.optionalKey(Pairs)
  })
})
const Runs = Schema.Struct({
  runs: Schema.optionalKey(Schema.Array(Run)),
  next_page_token: Schema.optionalKey(Schema.String)
})

const Assessment = Schema.Struct({
  assessment_name: Schema.String,
  source: Schema.Struct({ source_type: Schema.String, source_id: Schema.String }),
  feedback: Schema.Struct({ value: Schema.Number }),
  rationale: Schema.optionalKey(Schema.String),
  create_time: Schema.String
})

const Trace = Schema.Struct({
  trace_id: Schema.String,
  state: Schema.String,
  request_preview: Schema.optionalKey(Schema.String),
  response_preview: Schema.optionalKey(Schema.String),
  trace_metadata: Schema.Record(Schema.String, Schema.String),
  tags: Schema.Record(Schema.String, Schema.String),
  assessments: Schema.optionalKey(Schema.Array(Assessment))
})
const Traces = Schema.Struct({
  traces: Schema.optionalKey(Schema.Array(Trace)),
  next_page_token: Schema.optionalKey(Schema.String)
})

/** A value of OTLP in protobuf's JSON. */
const Value = Schema.Struct({
  key: Schema.String,
  // Absent if it is null.
  value: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown))
})
const Span = Schema.Struct({
  name: Schema.String,
  span_id: Schema.String,
  parent_span_id: Schema.optionalKey(Schema.String),
  attributes: Schema.Array(Value),
  events: Schema.optionalKey(Schema.Array(Schema.Struct({ name: Schema.String, time_unix_nano: Schema.Number })))
})
const Whole = Schema.Struct({ trace: Schema.Struct({ trace_info: Trace, spans: Schema.Array(Span) }) })
const Experiment = Schema.Struct({ experiment: Schema.Struct({ experiment_id: Schema.String }) })

const ask = <A>(schema: Schema.ConstraintCodec<A, unknown>, method: "GET" | "POST", path: string, body?: unknown) =>
  MlflowServer.use((server) =>
    Effect.flatMap(server.ask(method, path, body), (answer) => Effect.orDie(Schema.decodeUnknownEffect(schema)(answer)))
  )

export const experimentNamed = (name: string) =>
  Effect.map(
    ask(Experiment, "GET", `/api/2.0/mlflow/experiments/get-by-name?experiment_name=${name}`),
    ({ experiment }) => experiment.experiment_id
  )
export const experimentOf = ({ tenantId }: Actor["Service"]) => experimentNamed(`llm-inference/${tenantId}`)

/** All pages of a list. */
const pages = <A>(
  page: (
    token: string | undefined
  ) => Effect.Effect<readonly [ReadonlyArray<A>, string | undefined], never, MlflowServer>
) =>
  Effect.gen(function* () {
    const rows: Array<A> = []
    let token: string | undefined
    do {
      const [more, next] = yield* page(token)
      rows.push(...more)
      token = next
    } while (token !== undefined && token !== "")
    return rows
  })

const object = (pairs: typeof Pairs.Type | undefined): Readonly<Record<string, string | number>> =>
  Object.fromEntries((pairs ?? []).map(({ key, value }) => [key, value]))

export const runsOf = (experiment: string, filter?: string) =>
  pages((page_token) =>
    Effect.map(
      ask(Runs, "POST", "/api/2.0/mlflow/runs/search", {
        experiment_ids: [experiment],
        max_results: 1000,
        filter,
        page_token
      }),
      ({ next_page_token, runs }) =>
        [
          (runs ?? []).map(({ data, info }) => ({
            ...info,
            params: object(data.params),
            metrics: object(data.metrics),
            tags: object(data.tags)
          })),
          next_page_token
        ] as const
    )
  )

export const tracesOf = (experiment: string, filter?: string) =>
  pages((page_token) =>
    Effect.map(
      ask(Traces, "POST", "/api/3.0/mlflow/traces/search", {
        locations: [{ type: "MLFLOW_EXPERIMENT", mlflow_experiment: { experiment_id: experiment } }],
        max_results: 500,
        filter,
        page_token
      }),
      ({ next_page_token, traces }) => [traces ?? [], next_page_token] as const
    )
  )

/** A trace with its spans; attributes as they were sent. */
export const traceOf = (id: string) =>
  Effect.map(ask(Whole, "GET", `/api/3.0/mlflow/traces/get?trace_id=${id}`), ({ trace }) => ({
    ...trace.trace_info,
    spans: trace.spans.map((span) => ({
      ...span,
      attributes: Object.fromEntries(span.attributes.map(({ key, value }) => [key, plain(value)]))
    }))
  }))

const List = Schema.Struct({ values: Schema.optionalKey(Schema.Array(Schema.Record(Schema.String, Schema.Unknown))) })
const Map_ = Schema.Struct({ values: Schema.optionalKey(Schema.Array(Value)) })
const plain = (value: Readonly<Record<string, unknown>> = {}): unknown => {
  const [kind = "", inner] = Object.entries(value)[0] ?? []
  if (kind === "array_value") return (Schema.decodeUnknownSync(List)(inner).values ?? []).map(plain)
  if (kind === "kvlist_value")
    return Object.fromEntries(
      (Schema.decodeUnknownSync(Map_)(inner).values ?? []).map((entry) => [entry.key, plain(entry.value)])
    )
  return inner
}

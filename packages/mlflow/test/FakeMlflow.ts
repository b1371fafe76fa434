import { Effect, Schema, type Scope } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"

/** The fate of a request. Undefined: a normal answer. */
export type Fate =
  | { readonly status: number; readonly body: string; readonly headers?: Record<string, string> }
  /** The connection is cut before the request is carried out. */
  | "cut"
  /** The request is carried out, and the connection is cut before the answer. */
  | "done, then cut"
  /** The connection is cut, and the request is carried out when the next one of its kind arrives. */
  | "cut, then done"
  /** There is never an answer. */
  | "hang"
  | undefined

/** A received request. */
export interface Arrived {
  readonly method: string
  readonly path: string
  readonly body: Record<string, unknown>
  readonly text: string
  readonly headers: IncomingMessage["headers"]
}

/** The part of MLflow that we use, in memory. `mood` decides each request's fate. */
export interface FakeMlflow {
  readonly url: string
  readonly requests: Array<Arrived>
  /** Runs by generation, with their status. */
  readonly runs: Map<string, Array<{ readonly id: string; logged: boolean; status: string }>>
  /** By trace id: how often the trace was sent. */
  readonly traces: Map<string, number>
  mood: (request: Arrived) => Fate
  version: string
  /** Closes the port and cuts the connections. */
  readonly stop: Effect.Effect<void>
  readonly start: Effect.Effect<void>
}

const Tags = Schema.Array(Schema.Struct({ key: Schema.String, value: Schema.String }))
const Create = Schema.decodeUnknownSync(Schema.Struct({ tags: Tags }))
const Spans = Schema.decodeUnknownSync(
  Schema.Struct({
    resourceSpans: Schema.Array(
      Schema.Struct({
        scopeSpans: Schema.Array(Schema.Struct({ spans: Schema.Array(Schema.Struct({ traceId: Schema.String })) }))
      })
    )
  })
)

export const make: Effect.Effect<FakeMlflow, never, Scope.Scope> = Effect.gen(function* () {
  const gone = { status: 404, body: '{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"no"}' }
  let made = 0
  const stuck: Array<Arrived> = []
  const runs: FakeMlflow["runs"] = new Map()
  const traces: FakeMlflow["traces"] = new Map()
  const experiments = new Map<string, string>()
  const assessments = new Map<string, Array<unknown>>()
  const runById = (id: unknown) => [...runs.values()].flat().find((run) => run.id === id)

  const act = ({ body, method, path }: Arrived): { readonly status: number; readonly body: string } => {
    const ok = (value: unknown) => ({ status: 200, body: JSON.stringify(value) })
    const url = new URL(path, "http://x")
    const [, traceId = ""] = /^\/api\/3\.0\/mlflow\/traces\/tr-([0-9a-f]{32})/u.exec(url.pathname) ?? []
    switch (`${method} ${url.pathname.replace(/tr-[0-9a-f]{32}/u, "tr-:id")}`) {
      case "GET /version":
        return { status: 200, body: fake.version }
      case "GET /api/2.0/mlflow/experiments/get-by-name": {
        const id = experiments.get(url.searchParams.get("experiment_name") ?? "")
        return id === undefined ? gone : ok({ experiment: { experiment_id: id, lifecycle_stage: "active" } })
      }
      case "POST /api/2.0/mlflow/experiments/create":
        experiments.set(String(body["name"]), String(experiments.size + 1))
        return ok({ experiment_id: String(experiments.size) })
      case "POST /api/2.0/mlflow/runs/create": {
        const generation = Create(body).tags.find(({ key }) => key === "generation_id")?.value ?? ""
        const run = { id: `run-${++made}`, logged: false, status: "RUNNING" }
        runs.set(generation, [...(runs.get(generation) ?? []), run])
        return ok({ run: { info: { run_id: run.id } } })
      }
      case "POST /api/2.0/mlflow/runs/search": {
        const [, generation = ""] = /'(.*)'/u.exec(String(body["filter"])) ?? []
        const found = (runs.get(generation) ?? []).map(({ id }) => ({ info: { run_id: id } }))
        return ok(found.length === 0 ? {} : { runs: found })
      }
      case "POST /api/2.0/mlflow/runs/log-batch": {
        const run = runById(body["run_id"])
        if (run === undefined) return gone
        run.logged = true
        return ok({})
      }
      case "POST /api/2.0/mlflow/runs/update": {
        const run = runById(body["run_id"])
        if (run === undefined) return gone
        run.status = String(body["status"])
        return ok({})
      }
      case "POST /api/2.0/mlflow/runs/delete": {
        for (const [generation, of] of runs)
          runs.set(
            generation,
            of.filter(({ id }) => id !== body["run_id"])
          )
        return ok({})
      }
      case "POST /v1/traces": {
        const id = Spans(body).resourceSpans[0]?.scopeSpans[0]?.spans[0]?.traceId ?? ""
        traces.set(id, (traces.get(id) ?? 0) + 1)
        return { status: 200, body: "" }
      }
      case "POST /api/2.0/mlflow/traces/link-to-run":
        return ok({})
      case "GET /api/3.0/mlflow/traces/tr-:id":
        return traces.has(traceId)
          ? ok({ trace: { trace_info: { assessments: assessments.get(traceId) ?? [] } } })
          : gone
      case "POST /api/3.0/mlflow/traces/tr-:id/assessments":
        assessments.set(traceId, [{ assessment_id: "a-1", ...Object(body["assessment"]) }])
        return ok({})
      default:
        return { status: 404, body: "Not Found" }
    }
  }

  const answer = (request: IncomingMessage, response: ServerResponse, text: string) => {
    const arrived: Arrived = {
      method: request.method ?? "",
      path: request.url ?? "",
      text,
      body: text === "" ? {} : JSON.parse(text),
      headers: request.headers
    }
    fake.requests.push(arrived)
    for (const old of stuck.splice(0))
      if (old.path === arrived.path) act(old)
      else stuck.push(old)
    const fate = fake.mood(arrived)
    if (fate === "hang") return
    if (fate === "cut" || fate === "cut, then done") {
      if (fate === "cut, then done") stuck.push(arrived)
      request.socket.destroy()
      return
    }
    const { body, headers, status } =
      typeof fate === "object" ? { headers: {}, ...fate } : { headers: {}, ...act(arrived) }
    if (fate === "done, then cut") request.socket.destroy()
    else response.writeHead(status, { "content-type": "application/json", ...headers }).end(body)
  }

  const server = createServer((request, response) => {
    let text = ""
    request.on("data", (chunk) => (text += chunk))
    request.on("end", () => answer(request, response, text))
  })
  const listen = (port: number) =>
    Effect.callback<number>((resume) => {
      server.listen(port, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    })
  const stop = Effect.callback<void>((resume) => {
    if (!server.listening) return resume(Effect.void)
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })
  const port = yield* listen(0)
  yield* Effect.addFinalizer(() => stop)
  const fake: FakeMlflow = {
    url: `http://127.0.0.1:${port}`,
    requests: [],
    runs,
    traces,
    mood: () => undefined,
    version: "3.17.2",
    stop,
    start: Effect.asVoid(listen(port))
  }
  return fake
})

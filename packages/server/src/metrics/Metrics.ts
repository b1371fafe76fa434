import { Deferred, Effect, Layer, Redacted, Schema } from "effect"
import { PrometheusMetrics } from "effect/observability"
import cluster from "node:cluster"
import { timingSafeEqual } from "node:crypto"
import type { IncomingMessage } from "node:http"
import { Settings } from "../config/Settings.ts"
import { StartupFailed } from "../process/Startup.ts"
import { merge, type Part } from "./Exposition.ts"
import { gauge, total } from "./Gauge.ts"
import { loopDelay } from "./LoopDelay.ts"

const { createServer } = process.getBuiltinModule("node:http")

/** Milliseconds a worker has to report its metrics. */
const PATIENCE_MS = 1000

const PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"

/**
 * `GET /metrics` on `METRICS_PORT`, separate from the public port, and behind `METRICS_TOKEN` if there is one. With several workers this
 * process asks each and merges their answers.
 */
export const MetricsLayer = Layer.effectDiscard(
  Effect.gen(function* () {
    const { METRICS_HOST, METRICS_PORT, METRICS_TOKEN } = yield* Settings
    if (METRICS_PORT === undefined) return
    yield* aboutProcess
    if (cluster.isWorker) return yield* answerPrimary
    const services = yield* Effect.context<never>()
    const server = createServer((request, response) => {
      if (request.method !== "GET" || request.url?.split("?")[0] !== "/metrics") {
        response.writeHead(404).end()
      } else if (METRICS_TOKEN !== undefined && !isAllowed(request, METRICS_TOKEN)) {
        response.writeHead(401, { "www-authenticate": "Bearer" }).end()
      } else {
        Effect.runCallbackWith(services)(allProcesses, {
          onExit: (exit) =>
            exit._tag === "Success"
              ? response.writeHead(200, { "content-type": PROMETHEUS, "cache-control": "no-store" }).end(exit.value)
              : response.writeHead(500).end()
        })
      }
    })
    server.maxConnections = 50
    yield* Effect.acquireRelease(
      Effect.callback<void, StartupFailed>((resume) => {
        server.once("error", ({ message }) =>
          resume(Effect.fail(new StartupFailed({ message: `METRICS_PORT ${METRICS_PORT} cannot be used: ${message}` })))
        )
        server.listen(METRICS_PORT, METRICS_HOST, () => resume(Effect.void))
      }),
      () =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    )
  })
)

const isAllowed = (request: IncomingMessage, token: Redacted.Redacted): boolean => {
  const given = Buffer.from(request.headers.authorization ?? "")
  const wanted = Buffer.from(`Bearer ${Redacted.value(token)}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

/** Metrics of every process. */
const aboutProcess = Effect.gen(function* () {
  yield* gauge("process_resident_memory_bytes", "Resident memory.", () => process.memoryUsage.rss())
  yield* total("process_cpu_seconds_total", "CPU time of user and system.", () => {
    const { system, user } = process.cpuUsage()
    return (system + user) / 1e6
  })
  yield* gauge("process_uptime_seconds", "Since when it runs.", () => process.uptime())
  yield* loopDelay
})

const own = PrometheusMetrics.format()

/** This process and its workers. */
const allProcesses = Effect.gen(function* () {
  const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined)
  if (workers.length === 0) return yield* own
  const parts = yield* Effect.forEach(
    workers,
    (worker) => {
      const asked = Deferred.makeUnsafe<string>()
      const hear = (message: unknown) => {
        if (isAnswer(message)) Deferred.doneUnsafe(asked, Effect.succeed(message.metrics))
      }
      worker.on("message", hear)
      worker.send(QUESTION, () => {})
      return Deferred.await(asked).pipe(
        Effect.timeoutOption(PATIENCE_MS),
        Effect.map((answer): Part => ({
          text: answer._tag === "Some" ? answer.value : "",
          label: `worker="${worker.id}"`
        })),
        Effect.ensuring(Effect.sync(() => worker.off("message", hear)))
      )
    },
    { concurrency: "unbounded" }
  )
  return merge([{ text: yield* own, label: undefined }, ...parts])
})

const QUESTION = "llm-saas metrics"
const isAnswer = Schema.is(Schema.Struct({ metrics: Schema.String }))

const answerPrimary = Effect.gen(function* () {
  const services = yield* Effect.context<never>()
  const hear = (message: unknown) => {
    if (message !== QUESTION) return
    Effect.runCallbackWith(services)(own, {
      onExit: (exit) => void (exit._tag === "Success" && process.send?.({ metrics: exit.value }))
    })
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => process.on("message", hear)),
    () => Effect.sync(() => process.off("message", hear))
  )
})

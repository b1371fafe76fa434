import { Clock, Deferred, Effect, Fiber, Layer, Redacted, type Scope } from "effect"
import cluster from "node:cluster"
import type { Readable } from "node:stream"
import { announce } from "./Banner.ts"
import { JobsLogin, logins, type Logins } from "../Database.ts"
import { LogLines } from "../logging/LogLines.ts"
import { MailerLayer } from "../mail/Mailer.ts"
import { MetricsLayer } from "../metrics/Metrics.ts"
import { Settings } from "../config/Settings.ts"
import { onSecondSignal } from "./Signals.ts"
import { StartupFailed } from "./Startup.ts"
import { TrackingLayer } from "../tracking/Tracker.ts"

/** A worker, as its parent process sees it. */
export interface WorkerProcess {
  readonly pid: number
  /** Its port, as soon as it listens. */
  readonly listening: Effect.Effect<number>
  /** Why it ended, such as `code 1` or `SIGKILL`. */
  readonly ended: Effect.Effect<string>
}

/** Milliseconds before a worker that died is replaced. Doubles with each early death, up to a limit. */
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 30_000
/** Milliseconds after which a worker's death no longer counts as early. */
const GROWN_UP_MS = 60_000

/**
 * Keeps `count` workers running while the scope is open. Returns the port when the first one listens; only then are the others started,
 * so that an error which keeps all from starting is reported once. From then on every worker that dies is replaced, while the rest go on
 * serving.
 */
export const supervise = Effect.fnUntraced(function* (
  count: number,
  start: Effect.Effect<WorkerProcess, never, Scope.Scope>
): Effect.fn.Return<number, StartupFailed, Scope.Scope> {
  const up = yield* Deferred.make<number>()

  const run = Effect.gen(function* () {
    const worker = yield* start
    const serves = Effect.flatMap(worker.listening, (port) =>
      Effect.andThen(Effect.logInfo(`worker ${worker.pid} serves`), Deferred.succeed(up, port))
    )
    yield* Effect.forkScoped(serves)
    return { pid: worker.pid, reason: yield* worker.ended }
  }).pipe(Effect.scoped)

  const place = Effect.gen(function* () {
    let wait = FIRST_WAIT_MS
    while (true) {
      const born = yield* Clock.monotonicTimeNanos
      const { pid, reason } = yield* run
      if (!(yield* Deferred.isDone(up))) {
        return yield* new StartupFailed({ message: `the first worker ended (${reason}) before it served` })
      }
      if (Number((yield* Clock.monotonicTimeNanos) - born) / 1e6 >= GROWN_UP_MS) wait = FIRST_WAIT_MS
      yield* Effect.logWarning(`worker ${pid} ended (${reason}); another one starts in ${wait / 1000} s`)
      yield* Effect.sleep(wait)
      wait = Math.min(wait * 2, LONGEST_WAIT_MS)
    }
  })

  const others = Effect.andThen(Deferred.await(up), Effect.replicateEffect(place, count - 1, CONCURRENT))
  const running = yield* Effect.forkScoped(Effect.all([place, others], CONCURRENT))
  return yield* Effect.raceFirst(Deferred.await(up), Effect.andThen(Fiber.join(running), Effect.never))
})

const CONCURRENT = { concurrency: "unbounded", discard: true } as const

/** Whether this process was started by {@link fork}. */
export const isWorker = cluster.isWorker

/**
 * Starts this program as a worker that shares our port and has these logins. When the scope closes it is told to stop, and killed after
 * `patienceMs` or if we are told to stop a second time. Its log goes to `write`, in whole lines: processes that share one pipe
 * would write into each other's lines.
 */
export const fork = (
  database: Logins,
  patienceMs: number,
  write: (lines: string) => void
): Effect.Effect<WorkerProcess, never, Scope.Scope> =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<string>()
    const listening = yield* Deferred.make<number>()
    const worker = yield* Effect.acquireRelease(
      Effect.sync(() => {
        cluster.setupPrimary({ stdio: ["ignore", "pipe", "inherit", "ipc"] })
        return cluster.fork(environment(database))
      }),
      (worker) =>
        Effect.gen(function* () {
          yield* onSecondSignal(() => worker.process.kill("SIGKILL"))
          worker.process.kill("SIGTERM")
          yield* Effect.timeoutOption(Deferred.await(ended), patienceMs)
          worker.process.kill("SIGKILL")
          yield* Deferred.await(ended)
        }).pipe(Effect.scoped)
    )
    worker.once("listening", ({ port }) => Deferred.doneUnsafe(listening, Effect.succeed(port)))
    // Waits for the last output: `exit` may come before it.
    worker.process.once("close", (code, signal) => Deferred.doneUnsafe(ended, Effect.succeed(signal ?? `code ${code}`)))
    worker.once("error", (error) => Deferred.doneUnsafe(ended, Effect.succeed(error.message)))
    if (worker.process.stdout !== null) forward(worker.process.stdout, write)
    return { pid: worker.process.pid ?? 0, listening: Deferred.await(listening), ended: Deferred.await(ended) }
  })

/** Forwards whole lines. */
const forward = (output: Readable, write: (lines: string) => void) => {
  let rest = ""
  output.setEncoding("utf8")
  output.on("data", (text: string) => {
    const end = text.lastIndexOf("\n") + 1
    if (end > 0) write(rest + text.slice(0, end))
    rest = end > 0 ? text.slice(end) : rest + text
  })
  output.once("close", () => {
    if (rest !== "") write(`${rest}\n`)
  })
}

/** A worker's database variables: only the logins determined here, and nothing else that could select a database. */
const environment = ({ api, jobs }: Logins) => ({
  DATABASE_URL: Redacted.value(api),
  DATABASE_JOBS_URL: jobs === undefined ? "" : Redacted.value(jobs),
  ...(process.stdout.isTTY === true ? { FORCE_COLOR: "1" } : {}),
  ...Object.fromEntries(
    ["URL_FILE", "JOBS_URL_FILE", "ADMIN_URL", "ADMIN_URL_FILE"].map((rest) => [`DATABASE_${rest}`, ""])
  )
})

/**
 * Several processes on one port, for a machine with several cores. This one prepares the database once for all, sends the workers'
 * records to MLflow and the mails, and serves nothing itself. If it is killed the workers end too: each ends when its channel to us closes.
 */
export const WorkersLayer = Layer.effectDiscard(
  Effect.gen(function* () {
    const { SHUTDOWN_SECONDS, WORKERS } = yield* Settings
    const { write } = yield* LogLines
    yield* Layer.build(MetricsLayer)
    const database = yield* logins
    const worker = fork(database, SHUTDOWN_SECONDS * 1000 + CLEANING_UP_MS, write)
    yield* announce(yield* supervise(WORKERS, worker))
    yield* Layer.build(
      Layer.provide(Layer.merge(TrackingLayer, MailerLayer), Layer.succeed(JobsLogin, { url: database.jobs }))
    )
  })
)

/** Milliseconds a worker has to end after the last request. */
const CLEANING_UP_MS = 5000

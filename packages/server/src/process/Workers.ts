import { Clock, Deferred, Effect, Fiber, Layer, Redacted, type Scope } from "effect"
import cluster from "node:cluster"
import type { Readable } from "node:stream"
import { announce } from "./Banner.ts"
import { JobsLogin, logins, type Logins } from "../Database.ts"
import { LogLines } from "../logging/LogLines.ts"
import { MetricsLayer } from "../metrics/Metrics.ts"
import { Settings } from "../config/Settings.ts"
import { onSecondSignal } from "./Signals.ts"
import { StartupFailed } from "./Startup.ts"
import { TrackingLayer } from "../tracking/Tracker.ts"

/** A process that serves, as the one that started it sees it. */
export interface WorkerProcess {
  readonly pid: number
  /** Its port, as soon as it listens. */
  readonly listening: Effect.Effect<number>
  /** What it ended of, such as `code 1` or `SIGKILL`. */
  readonly ended: Effect.Effect<string>
}

/** Milliseconds: the wait before a worker that died is replaced. It doubles with each that dies young, up to a limit. */
const FIRST_WAIT = 250
const LONGEST_WAIT = 30_000
/** Milliseconds after which a worker has not died young. */
const GROWN_UP = 60_000

/**
 * Keeps `count` workers running for as long as the scope is open. Returns the port when the first one listens; the others are started
 * then, so that what keeps one from starting, which keeps all from it, is said once. From then on a worker that dies is replaced,
 * however often: the rest go on serving meanwhile.
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
    let wait = FIRST_WAIT
    while (true) {
      const born = yield* Clock.monotonicTimeNanos
      const { pid, reason } = yield* run
      if (!(yield* Deferred.isDone(up))) {
        return yield* new StartupFailed({ message: `the first worker ended (${reason}) before it served` })
      }
      if (Number((yield* Clock.monotonicTimeNanos) - born) / 1e6 >= GROWN_UP) wait = FIRST_WAIT
      yield* Effect.logWarning(`worker ${pid} ended (${reason}); another one starts in ${wait / 1000} s`)
      yield* Effect.sleep(wait)
      wait = Math.min(wait * 2, LONGEST_WAIT)
    }
  })

  const others = Effect.andThen(Deferred.await(up), Effect.replicateEffect(place, count - 1, CONCURRENT))
  const running = yield* Effect.forkScoped(Effect.all([place, others], CONCURRENT))
  return yield* Effect.raceFirst(Deferred.await(up), Effect.andThen(Fiber.join(running), Effect.never))
})

const CONCURRENT = { concurrency: "unbounded", discard: true } as const

/** Whether this process is one that {@link fork} started. */
export const isWorker = cluster.isWorker

/**
 * This program once more, as a process that shares our port and has these logins. When the scope closes it is told to stop, and killed
 * if it has not after `patience` milliseconds, or if we are told to stop a second time. Its log goes to `write`, in whole lines: of
 * several processes that write to one pipe, some would write into the middle of another's.
 */
export const fork = (
  database: Logins,
  patience: number,
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
          yield* Effect.timeoutOption(Deferred.await(ended), patience)
          worker.process.kill("SIGKILL")
          yield* Deferred.await(ended)
        }).pipe(Effect.scoped)
    )
    worker.once("listening", ({ port }) => Deferred.doneUnsafe(listening, Effect.succeed(port)))
    // With its last words: `exit` may come before them.
    worker.process.once("close", (code, signal) => Deferred.doneUnsafe(ended, Effect.succeed(signal ?? `code ${code}`)))
    worker.once("error", (error) => Deferred.doneUnsafe(ended, Effect.succeed(error.message)))
    if (worker.process.stdout !== null) forward(worker.process.stdout, write)
    return { pid: worker.process.pid ?? 0, listening: Deferred.await(listening), ended: Deferred.await(ended) }
  })

/** Hands whole lines on. */
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

/** What a worker hears of the database is what was found out here, and nothing else that could say where it is. */
const environment = ({ api, jobs }: Logins) => ({
  DATABASE_URL: Redacted.value(api),
  DATABASE_JOBS_URL: jobs === undefined ? "" : Redacted.value(jobs),
  ...(process.stdout.isTTY === true ? { FORCE_COLOR: "1" } : {}),
  ...Object.fromEntries(
    ["URL_FILE", "JOBS_URL_FILE", "ADMIN_URL", "ADMIN_URL_FILE"].map((rest) => [`DATABASE_${rest}`, ""])
  )
})

/**
 * Several processes on one port, for a machine with several cores. This one prepares the database, once for all, sends to MLflow
 * what the others answered, and serves nothing itself. Killed, it takes the workers with it: each ends when its channel to us does.
 */
export const WorkersLayer = Layer.effectDiscard(
  Effect.gen(function* () {
    const { SHUTDOWN_SECONDS, WORKERS } = yield* Settings
    const { write } = yield* LogLines
    yield* Layer.build(MetricsLayer)
    const database = yield* logins
    const worker = fork(database, SHUTDOWN_SECONDS * 1000 + CLEANING_UP, write)
    yield* announce(yield* supervise(WORKERS, worker))
    yield* Layer.build(Layer.provide(TrackingLayer, Layer.succeed(JobsLogin, { url: database.jobs })))
  })
)

/** Milliseconds a worker has to end beyond those of the requests in flight. */
const CLEANING_UP = 5000

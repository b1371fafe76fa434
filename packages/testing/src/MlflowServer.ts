import { Context, Duration, Effect, Layer, Option, Schedule, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { environment, type Found, output } from "./VirtualEnvironment.ts"

/** The MLflow that tests run against. */
export const MLFLOW = "3.17.2"

/** A real `mlflow server`, on loopback, with its own SQLite file. */
export class MlflowServer extends Context.Service<
  MlflowServer,
  {
    readonly url: string
    /** Kills it, as a crash would. */
    readonly kill: Effect.Effect<void>
    /** Restarts it on its port with its file, and waits until it answers. */
    readonly start: Effect.Effect<void>
    /** Calls its API; dies with the answer unless the status is 200. */
    readonly ask: (method: "GET" | "POST", path: string, body?: unknown) => Effect.Effect<unknown>
  }
>()("@llm-saas/testing/MlflowServer") {
  static readonly layer = (python: string) =>
    Layer.effect(
      MlflowServer,
      Effect.suspend(() => serve(python))
    )
}

/** A Python with the pinned MLflow. */
export const find: Effect.Effect<Found> = environment({ name: `mlflow-${MLFLOW}`, requirement: `mlflow==${MLFLOW}` })

/** The output of a script with MLflow's own Python client; dies if the script fails. */
export const python = (
  interpreter: string,
  script: string,
  env: Readonly<Record<string, string>>
): Effect.Effect<string> =>
  Effect.flatMap(output(interpreter, ["-c", script], env), (printed) =>
    Option.isSome(printed) ? Effect.succeed(printed.value) : Effect.die(new Error("the script failed"))
  )

const freePort = Effect.callback<number>((resume) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const address = probe.address()
    probe.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

const spawnServer = (python: string, directory: string, port: number) =>
  spawn(
    python,
    [
      "-m",
      "mlflow",
      "server",
      "--host=127.0.0.1",
      `--port=${port}`,
      "--workers=1",
      `--backend-store-uri=sqlite:///${join(directory, "mlflow.db")}`,
      `--artifacts-destination=${join(directory, "artifacts")}`
    ],
    {
      cwd: directory,
      // A process group of its own: its workers are killed with it.
      detached: true,
      env: {
        ...process.env,
        // A dozen background workers that tracking does not need.
        MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false",
        MLFLOW_DISABLE_TELEMETRY: "true",
        DO_NOT_TRACK: "true"
      },
      stdio: ["ignore", "pipe", "pipe"]
    }
  )

const serve = (python: string): Effect.Effect<MlflowServer["Service"], never, Scope.Scope> =>
  Effect.gen(function* () {
    const port = yield* freePort
    const url = `http://127.0.0.1:${port}`
    const directory = mkdtempSync(join(tmpdir(), "llm-saas-mlflow-"))
    yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(directory, { recursive: true, force: true })))
    let child: ChildProcess | undefined
    let log = ""

    const launch = Effect.sync(() => {
      const server = spawnServer(python, directory, port)
      const keep = (chunk: Buffer) => (log = `${log}${chunk.toString()}`.slice(-20_000))
      server.stdout.on("data", keep)
      server.stderr.on("data", keep)
      child = server
    })

    const kill = Effect.callback<void>((resume) => {
      const server = child
      child = undefined
      if (server?.pid === undefined || server.exitCode !== null) return resume(Effect.void)
      server.once("exit", () => resume(Effect.void))
      try {
        process.kill(-server.pid, "SIGKILL")
      } catch {
        resume(Effect.void)
      }
    })

    const request = (method: string, path: string, body?: unknown) =>
      Effect.tryPromise((signal) =>
        fetch(`${url}${path}`, {
          method,
          signal,
          headers: { "content-type": "application/json" },
          ...(body === undefined ? {} : { body: JSON.stringify(body) })
        }).then((response) => response.text().then((text) => ({ status: response.status, text })))
      )

    const start = launch.pipe(
      Effect.andThen(
        request("GET", "/health").pipe(
          Effect.retry({
            schedule: Schedule.spaced("200 millis"),
            while: () => child?.exitCode === null
          }),
          Effect.timeout(Duration.minutes(3)),
          Effect.catch(() => Effect.die(new Error(`mlflow server does not start: ${log}`)))
        )
      ),
      Effect.asVoid
    )
    yield* Effect.addFinalizer(() => kill)
    yield* start

    return MlflowServer.of({
      url,
      kill,
      start,
      ask: (method, path, body) =>
        Effect.flatMap(Effect.orDie(request(method, path, body)), ({ status, text }) =>
          status === 200
            ? Effect.sync(() => JSON.parse(text || "null"))
            : Effect.die(new Error(`${method} ${path}: ${status} ${text.slice(0, 1000)}`))
        )
    })
  })

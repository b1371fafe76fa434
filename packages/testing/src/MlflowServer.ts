import { Context, Duration, Effect, Layer, Option, Schedule, type Scope } from "effect"
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { homedir, tmpdir } from "node:os"
import { join } from "node:path"

/** The MLflow that tests run against. */
export const MLFLOW = "3.17.2"

/** Where a Python with MLflow is, or why there is none. */
export type Found = { readonly python: string } | { readonly missing: string }

/** A real `mlflow server`, on loopback, with a SQLite file of its own. */
export class MlflowServer extends Context.Service<
  MlflowServer,
  {
    readonly url: string
    /** Kills it, as a crash would. */
    readonly kill: Effect.Effect<void>
    /** Starts it again on its port, with what its file still has, and waits until it answers. */
    readonly start: Effect.Effect<void>
    /** Asks its API; dies, with the answer, unless it is 200. */
    readonly ask: (method: "GET" | "POST", path: string, body?: unknown) => Effect.Effect<unknown>
  }
>()("@llm-saas/testing/MlflowServer") {
  static readonly layer = (python: string) =>
    Layer.effect(
      MlflowServer,
      Effect.suspend(() => serve(python))
    )
}

/**
 * A virtual environment with the pinned MLflow, in the machine's cache: made once, with uv in ten seconds where pip takes two minutes.
 * Two test runs at once build one each, and the first to finish is kept.
 */
export const find: Effect.Effect<Found> = Effect.gen(function* () {
  const base = process.env["PYTHON"] || "python3"
  const version = yield* output(base, [
    "-c",
    "import sys, venv, ensurepip; print(f'{sys.version_info[0]}.{sys.version_info[1]}')"
  ])
  if (Option.isNone(version)) return { missing: `no ${base} that makes virtual environments (PYTHON names another)` }
  const minor = version.value.trim()
  const cache = writable(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache")) ?? tmpdir()
  const home = join(cache, "llm-saas", `mlflow-${MLFLOW}-python${minor}-${process.platform}-${process.arch}`)
  const pythonIn = (directory: string) =>
    process.platform === "win32" ? join(directory, "Scripts", "python.exe") : join(directory, "bin", "python")
  if (existsSync(join(home, READY))) return { python: pythonIn(home) }

  yield* Effect.logInfo(`installing MLflow ${MLFLOW} for the tests into ${home} (once) …`)
  const draft = `${home}.${randomUUID().slice(0, 8)}`
  const python = pythonIn(draft)
  const built = yield* output(base, ["-m", "venv", draft]).pipe(
    Effect.flatMap((made) =>
      Option.isNone(made)
        ? Effect.succeed(made)
        : Effect.flatMap(installed(python, "uv"), (uv) =>
            Option.isSome(uv)
              ? output(python, ["-m", "uv", "pip", "install", "--quiet", "--python", python, `mlflow==${MLFLOW}`])
              : installed(python, `mlflow==${MLFLOW}`)
          )
    )
  )
  return yield* Effect.sync((): Found => {
    if (Option.isNone(built)) {
      rmSync(draft, { recursive: true, force: true })
      return { missing: `no MLflow ${MLFLOW} to be had from PyPI` }
    }
    writeFileSync(join(draft, READY), "")
    try {
      renameSync(draft, home)
    } catch {
      // Another run was first.
      rmSync(draft, { recursive: true, force: true })
    }
    return { python: pythonIn(home) }
  })
})

const installed = (python: string, what: string) =>
  output(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", what])

const READY = ".ready"

const writable = (directory: string): string | undefined => {
  try {
    mkdirSync(join(directory, "llm-saas"), { recursive: true })
    return directory
  } catch {
    return undefined
  }
}

/** What MLflow's own client, in Python, prints of a script; dies where that fails. */
export const python = (
  interpreter: string,
  script: string,
  env: Readonly<Record<string, string>>
): Effect.Effect<string> =>
  Effect.flatMap(output(interpreter, ["-c", script], env), (printed) =>
    Option.isSome(printed) ? Effect.succeed(printed.value) : Effect.die(new Error("the script failed"))
  )

/** What a program prints; nothing if it cannot be run or fails. Ten minutes are enough for PyPI on a bad day. */
const output = (program: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
  Effect.callback<Option.Option<string>>((resume) => {
    const child = execFile(
      program,
      args,
      { timeout: 600_000, maxBuffer: 50_000_000, env: { ...process.env, PIP_NO_WARN_SCRIPT_LOCATION: "1", ...env } },
      (error, stdout) => resume(Effect.succeed(error === null ? Option.some(stdout) : Option.none()))
    )
    return Effect.sync(() => child.kill())
  })

const freePort = Effect.callback<number>((resume) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const address = probe.address()
    probe.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

const serve = (python: string): Effect.Effect<MlflowServer["Service"], never, Scope.Scope> =>
  Effect.gen(function* () {
    const port = yield* freePort
    const url = `http://127.0.0.1:${port}`
    const directory = mkdtempSync(join(tmpdir(), "llm-saas-mlflow-"))
    yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(directory, { recursive: true, force: true })))
    let child: ChildProcess | undefined
    let log = ""

    const launch = Effect.sync(() => {
      const server = spawn(
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
            // A dozen background workers that have nothing to do with tracking.
            MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false",
            MLFLOW_DISABLE_TELEMETRY: "true",
            DO_NOT_TRACK: "true"
          },
          stdio: ["ignore", "pipe", "pipe"]
        }
      )
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

import { Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { createServer } from "node:net"
import { fileURLToPath } from "node:url"

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url))

// Node's compile cache speeds up the start; it is no setting of the program.
const INHERITED = {
  PATH: process.env["PATH"],
  NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
  // Tests must not write to the developer's own MLflow.
  MLFLOW_TRACKING_URI: "off"
}

/** How a process ended: by itself, with a code, or by a signal. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A program as a separate process. It is stopped and awaited when the scope closes. */
export interface Process {
  readonly child: ChildProcess
  /** Everything it has written so far. */
  readonly output: () => { readonly stdout: string; readonly stderr: string }
  /** Completes when the pattern has been written, to standard output or standard error; dies if the process ends without. */
  readonly says: (pattern: RegExp) => Effect.Effect<string>
  readonly ended: Effect.Effect<Ending>
}

export const freePort = Effect.callback<number>((resume) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const address = probe.address()
    probe.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

/** Starts `main.ts` with only these variables. */
export const start = (env: Record<string, string>, options: { readonly cwd?: string } = {}) =>
  spawned(process.execPath, [MAIN], env, options.cwd)

/** Starts any program. `input`: its standard input. */
export const spawned = (
  program: string,
  args: ReadonlyArray<string>,
  env: Record<string, string>,
  cwd?: string,
  input?: string
) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => listen(spawn(program, args, { cwd, env: { ...INHERITED, ...env } }), input)),
      ({ child, ended }) => Effect.suspend(() => (child.kill("SIGTERM"), ended))
    ),
    (each): Process => each
  )

const listen = (child: ReturnType<typeof spawn>, input?: string): Process => {
  let stdout = ""
  let stderr = ""
  const heard = new Set<() => void>()
  const hear = () => {
    for (const each of heard) each()
  }
  child.stdin?.end(input)
  child.stdout?.on("data", (chunk) => ((stdout += chunk), hear()))
  child.stderr?.on("data", (chunk) => ((stderr += chunk), hear()))
  // After `close` nothing more is written.
  const end = new Promise<Ending>((resolve) => child.once("close", (code, signal) => resolve({ code, signal })))
  void end.then(hear)
  const isOver = () => (child.exitCode !== null || child.signalCode !== null) && child.stdout?.closed !== false
  return {
    child,
    output: () => ({ stdout, stderr }),
    ended: Effect.promise(() => end),
    says: (pattern) =>
      Effect.callback((resume) => {
        const look = () => {
          const found = pattern.exec(stdout) ?? pattern.exec(stderr)
          if (found !== null) resume(Effect.succeed(found[0]))
          else if (isOver()) resume(Effect.die(new Error(`it ended with ${child.exitCode}: ${stdout}${stderr}`)))
        }
        heard.add(look)
        look()
        return Effect.sync(() => heard.delete(look))
      })
  }
}

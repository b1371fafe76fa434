import { type ChildProcess, spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { createServer } from "node:net"

/** A server under test: a process of its own, so that its CPU is its own. */
export interface Served {
  readonly name: string
  readonly port: number
  readonly pid: number
  readonly stop: () => Promise<void>
}

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
      .once("error", reject)
      .listen(0, "127.0.0.1", () => {
        const address = probe.address()
        probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
      })
  })

/** Tenths of a second until a server must answer. LiteLLM takes 20 s on a busy machine. */
const PATIENCE = 1200

// As `npm start` has it: what Node compiled once it does not compile, or keep the compiler for, again.
const INHERITED = {
  PATH: process.env["PATH"],
  NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
  // The benchmark must not write to the developer's own MLflow.
  MLFLOW_TRACKING_URI: "off"
}

/** Starts `script` with Node, or another `program`, on a free port and waits until it answers `health`. */
export const serve = async (
  name: string,
  script: string,
  env: Record<string, string>,
  {
    flags = [],
    health = "/health",
    program = process.execPath
  }: { readonly program?: string; readonly flags?: ReadonlyArray<string>; readonly health?: string } = {}
): Promise<Served> => {
  const port = await freePort()
  const child: ChildProcess = spawn(program, [...flags, script], {
    env: { ...INHERITED, ...env, HOST: "127.0.0.1", PORT: String(port) },
    stdio: ["ignore", "ignore", "inherit"]
  })
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  for (let attempt = 0; child.exitCode === null; attempt++) {
    const answered = await fetch(`http://127.0.0.1:${port}${health}`).then(
      (response) => response.ok,
      () => false
    )
    if (answered) break
    if (attempt > PATIENCE) throw new Error(`${name} did not answer`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  if (child.exitCode !== null || child.pid === undefined) throw new Error(`${name} ended with ${child.exitCode}`)
  const stop = () => {
    child.kill("SIGTERM")
    return exited
  }
  return { name, port, pid: child.pid, stop }
}

/** CPU microseconds that the process's threads have used, as the scheduler counts them (proc_pid_schedstat(5); Linux only). */
export const cpuMicros = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const [nanoseconds] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")
    return sum + Number(nanoseconds) / 1000
  }, 0)

/**
 * CPU microseconds that the processes of a PostgreSQL server have used. `server` is the id of its first process. Processes that ended
 * are not counted: its connections stay open while something is measured.
 */
export const postgresCpuMicros = (server: number): number =>
  readFileSync(`/proc/${server}/task/${server}/children`, "utf8")
    .split(" ")
    .filter((pid) => pid.trim() !== "")
    .reduce((sum, pid) => {
      try {
        return sum + cpuMicros(Number(pid))
      } catch {
        return sum
      }
    }, cpuMicros(server))

/** Resident memory in megabytes (Linux only). */
export const residentMegabytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024

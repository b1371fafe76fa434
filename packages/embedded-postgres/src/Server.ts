import { Effect } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { connect, createServer } from "node:net"
import { join } from "node:path"
import type { Binaries } from "./Binaries.ts"
import { pause, run, windows } from "./Command.ts"
import { EmbeddedPostgresFailed } from "./EmbeddedPostgresFailed.ts"
import type { ClusterDirectory } from "./ClusterDirectory.ts"
import * as PidFile from "./PidFile.ts"
import { contents } from "./Processes.ts"
import { others, type Lease } from "./Leases.ts"

/** A server that accepts connections. */
export interface Running {
  readonly pid: number
  readonly port: number
}

export interface ServerOptions {
  /** Tried first; if it is taken, another free port is used. */
  readonly port: number | undefined
  /** Settings of `postgresql.conf`, for this run. */
  readonly settings: Readonly<Record<string, string | number>>
}

type State =
  | { readonly _tag: "Stopped" }
  | { readonly _tag: "Changing" }
  | { readonly _tag: "Running"; readonly server: Running }

const accepts = (port: number) =>
  Effect.callback<boolean>((resume) => {
    const socket = connect(port, "127.0.0.1")
    const answer = (yes: boolean) => {
      socket.destroy()
      resume(Effect.succeed(yes))
    }
    socket.once("connect", () => answer(true))
    socket.once("error", () => answer(false))
  })

const freePort = (wanted: number) =>
  Effect.callback<number>((resume) => {
    const probe = createServer()
    probe.once("error", () => resume(Effect.succeed(0)))
    probe.listen(wanted, "127.0.0.1", () => {
      const address = probe.address()
      probe.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
    })
  })

const state = Effect.fnUntraced(function* (cluster: ClusterDirectory) {
  const file = yield* PidFile.serverOf(cluster.data)
  switch (file._tag) {
    case "Absent":
      return { _tag: "Stopped" } satisfies State
    case "Garbage":
      return { _tag: "Changing" } satisfies State
    case "Names": {
      const { pid, port, ready } = file
      return ready && (yield* accepts(port))
        ? ({ _tag: "Running", server: { pid, port } } satisfies State)
        : ({ _tag: "Changing" } satisfies State)
    }
  }
})

const pgCtl = (cluster: ClusterDirectory, binaries: Binaries, args: ReadonlyArray<string>) =>
  run(binaries.program("pg_ctl"), [...args, "-D", cluster.data, "-w"], {
    account: cluster.account,
    cwd: cluster.directory,
    silent: true
  })

const tail = (cluster: ClusterDirectory) =>
  existsSync(cluster.log) ? readFileSync(cluster.log, "utf8").trim().split("\n").slice(-5).join("\n") : ""

/** Stops the server; open sessions end and their transactions are rolled back. A temporary server skips the checkpoint. */
export const stop = Effect.fnUntraced(function* (cluster: ClusterDirectory, binaries: Binaries) {
  if ((yield* state(cluster))._tag === "Stopped") return
  const gently = yield* pgCtl(cluster, binaries, ["stop", "-m", cluster.temporary ? "immediate" : "fast", "-t", "30"])
  if (gently.code !== 0) yield* pgCtl(cluster, binaries, ["stop", "-m", "immediate", "-t", "10"])
})

/** The port of the last run, so that a saved connection URL keeps working. */
const lastPort = (cluster: ClusterDirectory) => {
  const port = Number(/"-p" "(\d{1,5})"/u.exec(contents(join(cluster.data, "postmaster.opts")) ?? "")?.[1])
  return port > 0 && port < 65_536 ? port : undefined
}

const start = Effect.fnUntraced(function* (cluster: ClusterDirectory, binaries: Binaries, options: ServerOptions) {
  const wanted = options.port ?? lastPort(cluster)
  const port = (wanted === undefined ? 0 : yield* freePort(wanted)) || (yield* freePort(0))
  const settings = {
    listen_addresses: "127.0.0.1",
    lc_messages: "C",
    log_timezone: "UTC",
    // Loopback with a password is the only way in.
    ...(windows ? {} : { unix_socket_directories: "" }),
    ...options.settings
  }
  const line = Object.entries(settings).map(([name, value]) =>
    windows ? `-c ${name}=${value}` : `-c ${name}='${value}'`
  )
  return yield* pgCtl(cluster, binaries, [
    "start",
    "-t",
    "60",
    "-l",
    cluster.log,
    "-o",
    [`-p ${port}`, ...line].join(" ")
  ])
})

/**
 * The running server: another program's, or a new one of ours. A server left by a killed process is stopped first: its guardian may be
 * about to stop it, and it runs with old settings.
 */
export const ensure = Effect.fnUntraced(function* (
  cluster: ClusterDirectory,
  binaries: Binaries,
  options: ServerOptions,
  lease: Lease
) {
  let failures = 0
  let ours = false
  for (let waits = 0; waits < 600; waits++) {
    const now = yield* state(cluster)
    switch (now._tag) {
      case "Running": {
        if (ours || (yield* others(cluster, lease))) return now.server
        yield* Effect.logInfo("Stopping a PostgreSQL that an earlier run left behind")
        yield* stop(cluster, binaries)
        break
      }
      case "Changing": {
        yield* pause(100)
        break
      }
      case "Stopped": {
        const { code } = yield* start(cluster, binaries, options)
        ours = code === 0
        if (ours) break
        // A port taken meanwhile, a dying predecessor whose shared memory is still attached, or another program starting the same data.
        failures++
        if (failures === 5) {
          return yield* new EmbeddedPostgresFailed({
            message: `PostgreSQL did not start. The end of ${cluster.log}:\n${tail(cluster)}`
          })
        }
        yield* pause(300 * failures)
        break
      }
    }
  }
  return yield* new EmbeddedPostgresFailed({
    message: `PostgreSQL in ${cluster.data} neither runs nor stops: its postmaster.pid names a process that does not become ready. See ${cluster.log}`
  })
})

import { Effect } from "effect"
import { existsSync, readFileSync, rmSync } from "node:fs"
import { connect, createServer } from "node:net"
import { join } from "node:path"
import type { Binaries } from "./Binaries.ts"
import { pause, run, windows } from "./Command.ts"
import { attempt, EmbeddedPostgresFailed } from "./EmbeddedPostgresFailed.ts"
import type { Home } from "./Home.ts"
import { alive, commandLine } from "./Processes.ts"
import { others, type User } from "./Users.ts"

/** A server that accepts connections. */
export interface Running {
  readonly pid: number
  readonly port: number
}

export interface ServerOptions {
  /** Tried first; another free port is used when it is taken. */
  readonly port: number | undefined
  /** Settings of `postgresql.conf`, for this run of the server. */
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

// postmaster.pid: pid, data directory, start time, port, socket directory, listen address, shared memory key, status.
const state = Effect.fnUntraced(function* (home: Home) {
  const file = join(home.data, "postmaster.pid")
  const lines = yield* attempt("reading postmaster.pid", () =>
    existsSync(file) ? readFileSync(file, "utf8").split("\n") : []
  )
  const pid = Math.abs(Number(lines[0]))
  if (lines.length === 0 || !alive(pid)) return { _tag: "Stopped" } satisfies State
  const command = commandLine(pid)
  if (command !== undefined && !command.includes("postgres")) {
    // The machine or the container was restarted, and the number is somebody else's now. PostgreSQL would refuse to start.
    yield* attempt("removing a stale postmaster.pid", () => rmSync(file, { force: true }))
    return { _tag: "Stopped" } satisfies State
  }
  const port = Number(lines[3])
  return lines[7]?.trim() === "ready" && (yield* accepts(port))
    ? ({ _tag: "Running", server: { pid, port } } satisfies State)
    : ({ _tag: "Changing" } satisfies State)
})

const pgCtl = (home: Home, binaries: Binaries, args: ReadonlyArray<string>) =>
  run(binaries.program("pg_ctl"), [...args, "-D", home.data, "-w"], {
    account: home.account,
    cwd: home.directory,
    silent: true
  })

const tail = (home: Home) =>
  existsSync(home.log) ? readFileSync(home.log, "utf8").trim().split("\n").slice(-5).join("\n") : ""

/** Stops the server: sessions are ended and their transactions rolled back. A temporary one is not worth a checkpoint. */
export const stop = Effect.fnUntraced(function* (home: Home, binaries: Binaries) {
  if ((yield* state(home))._tag === "Stopped") return
  const gently = yield* pgCtl(home, binaries, ["stop", "-m", home.temporary ? "immediate" : "fast", "-t", "30"])
  if (gently.code !== 0) yield* pgCtl(home, binaries, ["stop", "-m", "immediate", "-t", "10"])
})

/** The port of the last run, so that a noted connection line keeps working. */
const lastPort = (home: Home) => {
  const options = join(home.data, "postmaster.opts")
  const port = existsSync(options) ? /"-p" "(\d+)"/u.exec(readFileSync(options, "utf8"))?.[1] : undefined
  return port === undefined ? undefined : Number(port)
}

const start = Effect.fnUntraced(function* (home: Home, binaries: Binaries, options: ServerOptions) {
  const wanted = options.port ?? lastPort(home)
  const port = (wanted === undefined ? 0 : yield* freePort(wanted)) || (yield* freePort(0))
  const settings = {
    listen_addresses: "127.0.0.1",
    lc_messages: "C",
    log_timezone: "UTC",
    // Loopback with a password is the only door.
    ...(windows ? {} : { unix_socket_directories: "" }),
    ...options.settings
  }
  const line = Object.entries(settings).map(([name, value]) =>
    windows ? `-c ${name}=${value}` : `-c ${name}='${value}'`
  )
  return yield* pgCtl(home, binaries, ["start", "-t", "60", "-l", home.log, "-o", [`-p ${port}`, ...line].join(" ")])
})

/**
 * The running server: one that somebody else runs, or our own. What a killed process left behind is stopped first, because its
 * guardian may be about to stop it anyway, and because its settings are of another day.
 */
export const ensure = Effect.fnUntraced(function* (home: Home, binaries: Binaries, options: ServerOptions, user: User) {
  let failures = 0
  let ours = false
  for (let waits = 0; waits < 600; waits++) {
    const now = yield* state(home)
    switch (now._tag) {
      case "Running": {
        if (ours || (yield* others(home, user))) return now.server
        yield* Effect.logInfo("Stopping a PostgreSQL that an earlier run left behind")
        yield* stop(home, binaries)
        break
      }
      case "Changing": {
        yield* pause(100)
        break
      }
      case "Stopped": {
        const { code } = yield* start(home, binaries, options)
        ours = code === 0
        if (ours) break
        // A port taken in between, a dying predecessor whose memory is still attached, another program starting the same data.
        failures++
        if (failures === 5) {
          return yield* new EmbeddedPostgresFailed({
            message: `PostgreSQL did not start. The end of ${home.log}:\n${tail(home)}`
          })
        }
        yield* pause(300 * failures)
        break
      }
    }
  }
  return yield* new EmbeddedPostgresFailed({
    message: `PostgreSQL in ${home.data} neither runs nor stops; see ${home.log}`
  })
})

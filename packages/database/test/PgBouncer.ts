import { Effect, Redacted, type Scope } from "effect"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** `apt-get install pgbouncer`, or a program named by PGBOUNCER. */
const PROGRAM = process.env["PGBOUNCER"] ?? "pgbouncer"

const [, major, minor] =
  /PgBouncer (\d+)\.(\d+)/u.exec(spawnSync(PROGRAM, ["--version"], { encoding: "utf8" }).stdout ?? "") ?? []

/** Its version, such as 1.24; undefined where there is none. */
export const version = major === undefined ? undefined : `${major}.${minor}`

/** From 1.21 on it tracks the prepared statements of a server connection. */
export const followsPrepared = Number(major) > 1 || Number(minor) >= 21

const freePort = Effect.callback<number>((resume) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const address = probe.address()
    probe.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

const accepts = (port: number, child: ChildProcess) =>
  Effect.callback<void>((resume) => {
    const attempt = () => {
      if (child.exitCode !== null) return resume(Effect.die(new Error(`PgBouncer ended with ${child.exitCode}`)))
      const socket = connect(port, "127.0.0.1")
      socket.once("connect", () => (socket.destroy(), resume(Effect.void)))
      socket.once("error", () => setTimeout(attempt, 20))
    }
    attempt()
  })

/**
 * A PgBouncer in transaction mode in front of the server of `url`, for as long as the scope is open. It has `connections` to the
 * server for each login, however many come in.
 */
export const pooled = (
  url: Redacted.Redacted,
  connections: number,
  settings: Readonly<Record<string, string | number>> = {}
): Effect.Effect<Redacted.Redacted, never, Scope.Scope> =>
  Effect.gen(function* () {
    const server = new URL(Redacted.value(url))
    const port = yield* freePort
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "llm-saas-pgbouncer-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true }))
    )
    const ini = {
      listen_addr: "127.0.0.1",
      listen_port: port,
      unix_socket_dir: "",
      pool_mode: "transaction",
      default_pool_size: connections,
      max_client_conn: 500,
      auth_type: "scram-sha-256",
      auth_file: join(directory, "users"),
      ...(followsPrepared ? { max_prepared_statements: 200 } : {}),
      ...settings
    }
    const lines = Object.entries(ini).map(([name, value]) => `${name} = ${value}`)
    const database = `* = host=${server.hostname} port=${server.port}`
    writeFileSync(join(directory, "ini"), ["[databases]", database, "[pgbouncer]", ...lines, ""].join("\n"))
    writeFileSync(join(directory, "users"), `"${server.username}" "${decodeURIComponent(server.password)}"\n`)
    // It does not run as root, and the user it becomes must be able to read this.
    chmodSync(directory, 0o755)
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(PROGRAM, ["--quiet", ...(process.getuid?.() === 0 ? ["--user", "nobody"] : []), join(directory, "ini")], {
          stdio: "ignore"
        })
      ),
      (child) =>
        Effect.callback<void>((resume) => {
          if (child.exitCode !== null) return resume(Effect.void)
          child.once("exit", () => resume(Effect.void))
          child.kill("SIGKILL")
        })
    )
    yield* accepts(port, child)
    server.port = String(port)
    return Redacted.make(server.href)
  })

import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { PgConnection } from "@effect/sql-pg"
import { Effect, Exit, Redacted, Scope } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Binaries from "../src/embedded/Binaries.ts"
import * as EmbeddedPostgres from "../src/EmbeddedPostgres.ts"

const query = (url: Redacted.Redacted, sql: string) =>
  Effect.scoped(Effect.flatMap(PgConnection.make({ url }), (connection) => connection.query(sql))).pipe(
    Effect.map((result) => result.rows)
  )

const emptyDirectory = () => {
  const path = mkdtempSync(join(tmpdir(), "llm-saas-test-"))
  // As root the server runs as another user, who has to get here.
  chmodSync(path, 0o755)
  return path
}

const directory = Effect.acquireRelease(Effect.sync(emptyDirectory), (path) =>
  Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** A stopped cluster; each test gets a copy, because making one takes a second. */
let made = ""
beforeAll(() => {
  made = emptyDirectory()
  return Effect.runPromise(Effect.asVoid(Effect.scoped(EmbeddedPostgres.make({ directory: made }))))
})
afterAll(() => rmSync(made, { recursive: true, force: true }))

const cluster = Effect.tap(directory, (path) => Effect.sync(() => spawnSync("cp", ["-a", `${made}/.`, path])))

const postmaster = (dataDir: string) => Number(readFileSync(join(dataDir, "postmaster.pid"), "utf8").split("\n")[0])

const isAlive = (pid: number) => spawnSync("kill", ["-0", String(pid)]).status === 0

const taken = Effect.acquireRelease(
  Effect.callback<Server>((resume) => {
    const server = createServer().listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
).pipe(
  Effect.map((server) => {
    const address = server.address()
    return typeof address === "object" && address !== null ? address.port : 0
  })
)

/** Waits for what another process does, without a fixed time. */
const eventually = (what: string, condition: () => boolean) =>
  Effect.callback<void>((resume) => {
    const started = performance.now()
    const timer = setInterval(() => {
      if (condition()) resume(Effect.void)
      else if (performance.now() - started > 15_000) resume(Effect.die(new Error(`never: ${what}`)))
    }, 20)
    return Effect.sync(() => clearInterval(timer))
  })

const SERVES = fileURLToPath(new URL("serves-postgres.ts", import.meta.url))

/** Another program that uses the cluster of `path` until it is killed. */
const program = (path: string) =>
  Effect.acquireRelease(
    Effect.callback<{
      readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
      readonly dataDir: string
      readonly url: Redacted.Redacted
    }>((resume) => {
      const child = spawn(process.execPath, [SERVES, path], { stdio: ["ignore", "pipe", "inherit"] })
      const ended = new Promise<void>((done) => child.once("exit", () => done()))
      const kill = (signal: NodeJS.Signals) => Effect.promise(() => (child.kill(signal), ended))
      child.stdout.once("data", (line: Buffer) => {
        const { dataDir, url } = JSON.parse(line.toString())
        resume(Effect.succeed({ kill, dataDir, url: Redacted.make(url) }))
      })
      child.once("exit", (code) => resume(Effect.die(new Error(`ended with ${code}`))))
    }),
    ({ kill }) => kill("SIGKILL")
  )

describe("the embedded PostgreSQL", () => {
  it.live(
    "is a PostgreSQL with UTF-8, English messages and a password, on loopback only, that leaves nothing behind",
    () =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const server = yield* Scope.provide(EmbeddedPostgres.make(), scope)
        const pid = postmaster(server.dataDir)
        const [row] = yield* query(
          server.url,
          `select current_setting('server_encoding') as encoding, current_setting('lc_messages') as messages,
          current_setting('listen_addresses') as addresses, current_setting('unix_socket_directories') as sockets,
          current_setting('max_connections')::int >= 100 as connections, upper('naïve') || lower('ÅÉ') as letters,
          datlocprovider::text as provider, datlocale as locale, current_setting('TimeZone') as zone from pg_database where datname = 'postgres'`
        )
        assert.deepStrictEqual(row, {
          encoding: "UTF8",
          messages: "C",
          addresses: "127.0.0.1",
          sockets: "",
          connections: true,
          letters: "NAÏVEåé",
          provider: "b",
          locale: "C.UTF-8",
          zone: "UTC"
        })
        const stranger = new URL(Redacted.value(server.url))
        stranger.password = "wrong"
        const refused = yield* Effect.flip(query(Redacted.make(stranger.href), "select 1"))
        assert.strictEqual(refused.reason._tag, "AuthenticationError")

        yield* Scope.close(scope, Exit.void)
        assert.isFalse(existsSync(join(server.dataDir, "..")))
        yield* eventually("the server ends", () => !isAlive(pid))
      })
  )

  it.live("keeps data, password and port between runs, by major version", () =>
    Effect.gen(function* () {
      const path = yield* cluster
      const first = yield* Effect.scoped(
        Effect.gen(function* () {
          const server = yield* EmbeddedPostgres.make({ directory: path })
          yield* query(server.url, "create table kept as select 'here' as what")
          return server
        })
      )
      const second = yield* EmbeddedPostgres.make({ directory: path })
      assert.strictEqual(Redacted.value(second.url), Redacted.value(first.url))
      assert.deepStrictEqual(yield* query(second.url, "select what from kept"), [{ what: "here" }])
      assert.deepStrictEqual(readdirSync(path), ["postgres-18"])
      assert.strictEqual(statSync(join(path, "postgres-18")).mode & 0o777, 0o700)
      assert.strictEqual(statSync(join(path, "postgres-18", "password")).mode & 0o777, 0o600)
    })
  )

  it.live("takes another port when the wanted one is taken", () =>
    Effect.gen(function* () {
      const wanted = yield* taken
      const server = yield* EmbeddedPostgres.make({ directory: yield* cluster, port: wanted })
      assert.notStrictEqual(server.port, wanted)
      assert.deepStrictEqual(yield* query(server.url, "select 1 as one"), [{ one: 1 }])
    })
  )

  it.live("is shared by programs that use the same data, and stops with the last of them", () =>
    Effect.gen(function* () {
      const path = yield* cluster
      const other = yield* program(path)
      const pid = postmaster(other.dataDir)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const server = yield* EmbeddedPostgres.make({ directory: path })
          assert.strictEqual(postmaster(server.dataDir), pid)
          yield* other.kill("SIGTERM")
          assert.deepStrictEqual(yield* query(server.url, "select 1 as one"), [{ one: 1 }])
        })
      )
      yield* eventually("the server ends", () => !isAlive(pid))
    })
  )

  it.live("starts once when several programs start at once on nothing", () =>
    Effect.gen(function* () {
      const path = yield* directory
      const programs = yield* Effect.all([program(path), program(path), program(path)], { concurrency: "unbounded" })
      assert.strictEqual(new Set(programs.map(({ url }) => Redacted.value(url))).size, 1)
      for (const { url } of programs) assert.deepStrictEqual(yield* query(url, "select 1 as one"), [{ one: 1 }])
    })
  )

  it.live("does not outlive a killed program", () =>
    Effect.gen(function* () {
      const path = yield* cluster
      const killed = yield* program(path)
      const pid = postmaster(killed.dataDir)
      yield* killed.kill("SIGKILL")
      yield* eventually("the server ends", () => !isAlive(pid))
    })
  )

  it.live("comes back with its data after program and server were killed", () =>
    Effect.gen(function* () {
      const path = yield* cluster
      const killed = yield* program(path)
      yield* query(killed.url, "create table kept as select 'here' as what")
      yield* killed.kill("SIGKILL")
      spawnSync("kill", ["-9", String(postmaster(killed.dataDir))])
      const server = yield* EmbeddedPostgres.make({ directory: path })
      assert.deepStrictEqual(yield* query(server.url, "select what from kept"), [{ what: "here" }])
    })
  )

  it.live("starts although a stranger got the number of the server of before the reboot", () =>
    Effect.gen(function* () {
      const path = yield* cluster
      const dataDir = join(path, "postgres-18", "pgdata")
      writeFileSync(
        join(dataDir, "postmaster.pid"),
        [process.pid, dataDir, 1, 5432, "", "127.0.0.1", "", "ready   ", ""].join("\n")
      )
      const server = yield* EmbeddedPostgres.make({ directory: path })
      assert.notStrictEqual(postmaster(dataDir), process.pid)
      assert.deepStrictEqual(yield* query(server.url, "select 1 as one"), [{ one: 1 }])
    })
  )

  it.live("says so when the log explains why it does not start", () =>
    Effect.gen(function* () {
      const failed = yield* Effect.flip(
        EmbeddedPostgres.make({ directory: yield* cluster, settings: { shared_buffers: "nonsense" } })
      )
      assert.include(failed.message, 'invalid value for parameter "shared_buffers"')
    })
  )

  it.live("says what to do where there is none for the platform", () =>
    Effect.gen(function* () {
      const failed = yield* Effect.flip(Binaries.find({}, { platform: "sunos", arch: "sparc" }))
      assert.include(failed.message, "no embedded PostgreSQL for sunos-sparc")
      assert.include(failed.message, "DATABASE_URL")
    })
  )
})

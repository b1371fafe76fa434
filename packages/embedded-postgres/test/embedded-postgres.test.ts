import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { PgConnection } from "@effect/sql-pg"
import { Effect, Exit, Redacted, Scope } from "effect"
import * as fc from "fast-check"
import { spawn, spawnSync } from "node:child_process"
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Binaries from "../src/Binaries.ts"
import * as PidFile from "../src/PidFile.ts"
import * as EmbeddedPostgres from "../src/EmbeddedPostgres.ts"

const query = (url: Redacted.Redacted, sql: string) =>
  Effect.scoped(Effect.flatMap(PgConnection.make({ url }), (connection) => connection.query(sql))).pipe(
    Effect.map((result) => result.rows)
  )

const emptyDirectory = () => {
  const path = mkdtempSync(join(tmpdir(), "llm-saas-test-"))
  // As root the server runs as another user, which needs access to this directory.
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

/** Polls for the effect of another process. */
const eventually = (what: string, condition: () => boolean) =>
  Effect.callback<void>((resume) => {
    const started = performance.now()
    const timer = setInterval(() => {
      const met = condition()
      if (!met && performance.now() - started <= 60_000) return
      clearInterval(timer)
      resume(met ? Effect.void : Effect.die(new Error(`never: ${what}`)))
    }, 20)
    return Effect.sync(() => clearInterval(timer))
  })

/** Guardians of a cluster that run. */
const guardians = (users: string) =>
  spawnSync("ps", ["-A", "-ww", "-o", "args"], { encoding: "utf8" }).stdout.split(users).length - 1

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

  it.live("outlives a killed program that others use it beside, and not the last of them", () =>
    Effect.gen(function* () {
      const path = yield* cluster
      const killed = yield* program(path)
      const other = yield* program(path)
      const pid = postmaster(killed.dataDir)
      const users = join(path, "postgres-18", "users")
      assert.strictEqual(readdirSync(users).length, 2)
      yield* killed.kill("SIGKILL")
      // The guardian removes the file, and decides.
      yield* eventually("the guardian is done", () => readdirSync(users).length === 1 && guardians(users) === 1)
      assert.deepStrictEqual(yield* query(other.url, "select 1 as one"), [{ one: 1 }])
      yield* other.kill("SIGKILL")
      yield* eventually("the server ends", () => !isAlive(pid))
    })
  )

  it.live("comes back with its data after program and server were killed", () =>
    Effect.gen(function* () {
      const path = yield* cluster
      const killed = yield* program(path)
      yield* query(killed.url, "create table kept as select 'here' as what")
      const before = postmaster(killed.dataDir)
      yield* killed.kill("SIGKILL")
      spawnSync("kill", ["-9", String(before)])
      const server = yield* EmbeddedPostgres.make({ directory: path })
      assert.deepStrictEqual(yield* query(server.url, "select what from kept"), [{ what: "here" }])
    })
  )

  it.live("starts although another process got the pid that the server had before the reboot", () =>
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

  it.live(
    "starts whatever a crash, a full disk or a careless copy left in postmaster.pid, and says what it removed",
    () =>
      Effect.gen(function* () {
        const path = yield* cluster
        const file = join(path, "postgres-18", "pgdata", "postmaster.pid")
        // Another process that looks like a server, but works elsewhere.
        const stranger = yield* Effect.acquireRelease(
          Effect.sync(() => spawn("sleep", ["60"], { argv0: "postgres", stdio: "ignore" })),
          (child) => Effect.sync(() => child.kill())
        )
        const garbage: ReadonlyArray<string | Buffer> = [
          "",
          "\n\n\n",
          Buffer.from([0, 255, 1, 254, 10, 13, 0]),
          "-",
          "0",
          "99999999999999999999999",
          "1e3\n",
          "4242 4242\n/elsewhere\n",
          `${stranger.pid}\n${join(path, "postgres-18", "pgdata")}\n1\n5432\n\n127.0.0.1\n\nready   \n`,
          `${process.pid}`,
          "x".repeat(100_000)
        ]
        for (const text of garbage) {
          writeFileSync(file, text)
          yield* Effect.scoped(
            Effect.gen(function* () {
              const server = yield* EmbeddedPostgres.make({ directory: path })
              assert.deepStrictEqual(yield* query(server.url, "select 1 as one"), [{ one: 1 }])
            })
          )
          assert.isFalse(existsSync(file))
        }
      }).pipe(Effect.scoped),
    120_000
  )

  it.live("names a postmaster.pid that cannot be a server's in one line, and leaves it", () =>
    Effect.gen(function* () {
      const path = yield* cluster
      const file = join(path, "postgres-18", "pgdata", "postmaster.pid")
      const made: ReadonlyArray<readonly [program: string, ...args: ReadonlyArray<string>]> = [
        ["mkdir", file],
        ["mkfifo", file],
        ["ln", "-s", "/nowhere/at/all", file]
      ]
      for (const [program, ...args] of made) {
        assert.strictEqual(spawnSync(program, args).status, 0)
        const { message } = yield* Effect.flip(EmbeddedPostgres.make({ directory: path }))
        assert.match(
          message,
          /postmaster\.pid is not what PostgreSQL wrote: it is no file\. If no PostgreSQL runs .*remove it/u
        )
        assert.notInclude(message, "\n")
        assert.isTrue(readdirSync(join(path, "postgres-18", "pgdata")).includes("postmaster.pid"))
        rmSync(file, { recursive: true })
      }
      // What else a directory of data has may be garbage too.
      writeFileSync(join(path, "postgres-18", "pgdata", "postmaster.opts"), Buffer.from([0, 255, 34, 45, 112]))
      writeFileSync(join(path, "postgres-18", "leaving"), Buffer.from([0, 255]))
      writeFileSync(join(path, "postgres-18", "users", "1-nonsense"), "")
      const server = yield* EmbeddedPostgres.make({ directory: path })
      assert.deepStrictEqual(yield* query(server.url, "select 1 as one"), [{ one: 1 }])
    }).pipe(Effect.scoped)
  )

  it("reads of postmaster.pid a number of a process or nothing, whatever is in it", () => {
    const file = fc.array(fc.oneof(fc.string({ unit: "binary" }), fc.integer().map(String), fc.constant("ready   ")))
    fc.assert(
      fc.property(file, (lines) => {
        const found = PidFile.parse(lines.join("\n"))
        if (found._tag === "Names") assert.isTrue(Number.isSafeInteger(found.pid) && found.pid > 0)
        else assert.strictEqual(found._tag, "Garbage")
      })
    )
    assert.deepStrictEqual(PidFile.parse("42\n/data\n1\n5433\n\n127.0.0.1\n1 2\nready   \n"), {
      _tag: "Names",
      pid: 42,
      port: 5433,
      ready: true
    })
  })

  it.live("works in a directory of any name, except for characters that pg_ctl's shell would interpret", () =>
    Effect.gen(function* () {
      const path = yield* directory
      const odd = join(path, "a b#c?d%20e'f é;&(")
      const server = yield* EmbeddedPostgres.make({ directory: odd })
      assert.deepStrictEqual(yield* query(server.url, "select 1 as one"), [{ one: 1 }])
      assert.include(server.dataDir, odd)
      for (const name of ["$HOME", "`id`", 'say "x"', "back\\slash"]) {
        const { message } = yield* Effect.flip(EmbeddedPostgres.make({ directory: join(path, name) }))
        assert.match(message, /shell would read.*DATA_DIR/u)
        assert.notInclude(message, "\n")
      }
    }).pipe(Effect.scoped)
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

import { assert, describe, it, layer } from "@effect/vitest"
import * as Databases from "@llm-saas/database/backup/Databases"
import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Effect, Fiber, Redacted } from "effect"
import { spawnSync } from "node:child_process"
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createServer, type Server } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { open, parse, read } from "./http/Serving.ts"
import { freePort, spawned, start } from "./Process.ts"
import { Running } from "./Running.ts"

const SECRET_KEY = "vN3wQm0Zk8JtYx5Lr2PbHs7Dc4Fg9Ua1Ee6Oi0XqRz"
const ENCRYPTION_KEY = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k="
/** Milliseconds. Whole programs are started here, on machines that may be busy with other things. */
const PATIENCE = 90_000
const CLEAN = { code: 0, signal: null }
const RUN = fileURLToPath(new URL("../../../scripts/run.mjs", import.meta.url))

const directory = Effect.acquireRelease(
  Effect.sync(() => {
    const path = mkdtempSync(join(tmpdir(), "llm-saas-test-"))
    // As root PostgreSQL runs as another user, which needs access to this directory.
    chmodSync(path, 0o755)
    return path
  }),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

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

const isAlive = (pid: number) => spawnSync("kill", ["-0", String(pid)]).status === 0

/** Polls for the effect of another process. */
const eventually = (what: string, condition: () => boolean) =>
  Effect.callback<void>((resume) => {
    const started = performance.now()
    const timer = setInterval(() => {
      if (condition()) resume(Effect.void)
      else if (performance.now() - started > 60_000) resume(Effect.die(new Error(`never: ${what}`)))
    }, 20)
    return Effect.sync(() => clearInterval(timer))
  })

it.live("a production that cannot start says why as JSON lines, development as text", () =>
  Effect.gen(function* () {
    const cwd = yield* directory
    const production = yield* start({ APP_ENV: "production", PORT: "none" }, { cwd })
    assert.deepStrictEqual(yield* production.ended, { code: 1, signal: null })
    const lines = production.output().stderr.trimEnd().split("\n")
    const entries = lines.map((line): Record<string, unknown> => JSON.parse(line))
    for (const { level, message, time } of entries) {
      assert.strictEqual(level, "error")
      assert.match(String(time), /^\d{4}-\d\d-\d\dT/u)
      assert.match(String(message), /^PORT is not usable/u)
    }
    const development = yield* start({ APP_ENV: "test", PORT: "none" }, { cwd })
    assert.deepStrictEqual(yield* development.ended, { code: 1, signal: null })
    assert.match(development.output().stderr, /^PORT is not usable: expected a port, 0 to 65535\n$/u)
  }).pipe(Effect.scoped)
)

describe("told to stop", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    layer(Running.layer, { timeout: "120 seconds" })(`by ${signal}`, (it) => {
      it.effect(
        "it finishes the request in flight, takes no other, and ends well",
        () =>
          Effect.gen(function* () {
            const { port, process } = yield* Running
            const body = JSON.stringify({ name: "In flight" })
            const idle = yield* open(port)
            const busy = yield* open(port)
            const answer = yield* Effect.forkChild(read(busy))
            busy.write(
              `POST /create-tenant HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nexpect: 100-continue\r\n\r\n`
            )
            // Sent once the request has reached its handler, which now waits for the body.
            yield* read(busy, (text) => text.includes("100 Continue"))
            process.child.kill(signal)
            assert.strictEqual(yield* read(idle), "", "idle connections end first")
            busy.write(body)
            const text = (yield* Fiber.join(answer)).replace("HTTP/1.1 100 Continue\r\n\r\n", "")
            const { headers, status } = parse(text)
            assert.deepStrictEqual([status, headers["connection"]], [201, "close"])
            assert.deepStrictEqual(yield* process.ended, CLEAN)
            assert.strictEqual(process.output().stderr, "")
            assert.match(process.output().stdout, /201 POST {3}\/create-tenant/)
          }),
        PATIENCE
      )
    })
  }

  it.effect(
    "npm start leaves nothing running: no server, no PostgreSQL, no guardian",
    () =>
      Effect.gen(function* () {
        const data = yield* directory
        const port = yield* freePort
        const home = yield* directory
        const npm = yield* spawned(process.execPath, [RUN, "start"], { HOME: home, DATA_DIR: data, PORT: String(port) })
        yield* npm.says(/running on http:\/\/localhost/)
        const mine = () =>
          spawnSync("ps", ["-eo", "pid,args"], { encoding: "utf8" })
            .stdout.split("\n")
            .filter((line) => line.includes(data))
        const postmaster = Number(readFileSync(join(data, "postgres-18/pgdata/postmaster.pid"), "utf8").split("\n")[0])
        assert.isTrue(isAlive(postmaster))
        assert.isAtLeast(mine().length, 2)
        npm.child.kill("SIGTERM")
        assert.deepStrictEqual(yield* npm.ended, CLEAN)
        // Reaped by pg_ctl, and then by the process that adopted them.
        yield* eventually("PostgreSQL and its guardian end", () => !isAlive(postmaster) && mine().length === 0)
        assert.isFalse(existsSync(join(data, "postgres-18/pgdata/postmaster.pid")), "a clean shutdown of PostgreSQL")
      }),
    PATIENCE
  )

  it.effect(
    "while it starts, it stops",
    () =>
      Effect.gen(function* () {
        const data = yield* directory
        const program = yield* start({ DATA_DIR: data, PORT: "0" })
        yield* eventually("the secret key is made", () => existsSync(join(data, "secret-key")))
        program.child.kill("SIGTERM")
        assert.deepStrictEqual(yield* program.ended, CLEAN)
        assert.strictEqual(program.output().stderr, "")
        const left = spawnSync("ps", ["-eo", "args"], { encoding: "utf8" }).stdout
        assert.notInclude(left, `${data}/postgres-18/pgdata`)
      }),
    PATIENCE
  )
})

/** Starts the program, which must end with code 1 and one line for each of the patterns on standard error, and nothing else. */
const refuses = (variables: Record<string, string>, ...lines: ReadonlyArray<RegExp>) =>
  Effect.gen(function* () {
    const cwd = yield* directory
    const program = yield* start({ HOST: "127.0.0.1", PORT: "0", ...variables }, { cwd })
    assert.deepStrictEqual(yield* program.ended, { code: 1, signal: null })
    const { stderr, stdout } = program.output()
    // In production each line is a JSON object.
    const said = stderr
      .trimEnd()
      .split("\n")
      .map((line) => (line.startsWith("{") ? String(JSON.parse(line).message) : line))
    assert.strictEqual(said.length, lines.length, stderr)
    for (const [n, pattern] of lines.entries()) assert.match(said[n] ?? "", pattern)
    for (const secret of ["hunter2", SECRET_KEY]) assert.notInclude(stderr + stdout, secret)
    return stdout
  }).pipe(Effect.scoped)

layer(TestDatabase.layer, { timeout: "120 seconds" })("cannot start", (it) => {
  it.effect(
    "with a port that is taken: one line says so",
    () =>
      Effect.gen(function* () {
        const { apiUrl } = yield* TestDatabase
        const port = String(yield* taken)
        yield* refuses(
          { SECRET_KEY, DATABASE_URL: Redacted.value(apiUrl), PORT: port },
          new RegExp(`^port ${port} is in use: stop what uses it, or set PORT to another one$`)
        )
      }),
    PATIENCE
  )

  it.effect(
    "with a database that cannot be reached, or does not let it in: one line says which",
    () =>
      Effect.gen(function* () {
        const { apiUrl } = yield* TestDatabase
        const url = (change: (url: URL) => void) => {
          const made = new URL(Redacted.value(apiUrl))
          change(made)
          return { SECRET_KEY, DATABASE_URL: made.href }
        }
        const dead = String(yield* freePort)
        yield* refuses(
          url((to) => (to.port = dead)),
          new RegExp(
            `^the database cannot be used: PostgreSQL at \\S+:${dead} is not running: the connection was refused$`
          )
        )
        yield* refuses(
          url((to) => (to.password = "hunter2")),
          /^the database cannot be used: password authentication failed for user "llm_api"$/
        )
        yield* refuses(
          url((to) => (to.pathname = "/no_such_database")),
          /^the database cannot be used: .*no_such_database/
        )
      }),
    PATIENCE
  )

  it.effect(
    "with broken variables: one line each",
    () =>
      refuses(
        { APP_ENV: "test", PORT: "0x10", DEBUG: "hunter2", DATABASE_URL: "hunter2" },
        /^DEBUG is not usable: expected true or false$/,
        /^PORT is not usable: expected a port, 0 to 65535$/,
        /^DATABASE_URL is not usable: expected a URL such as/
      ),
    PATIENCE
  )
})

layer(TestDatabase.layer, { timeout: "120 seconds" })("production does not start", (it) => {
  const production = Effect.map(TestDatabase, ({ apiUrl }) => ({
    APP_ENV: "production",
    SECRET_KEY,
    ENCRYPTION_KEY,
    DATABASE_URL: Redacted.value(apiUrl)
  }))

  it.effect(
    "with a weak key",
    () =>
      Effect.gen(function* () {
        const good = yield* production
        yield* Effect.forEach(
          ["short", "change-me-change-me-change-me-change-me"],
          (weak) =>
            refuses({ ...good, SECRET_KEY: weak }, /^SECRET_KEY is not usable: expected at least 32 random bytes/),
          { concurrency: 2, discard: true }
        )
      }),
    PATIENCE
  )

  it.effect(
    "with a login that could bypass row-level security",
    () =>
      Effect.gen(function* () {
        const { adminUrl } = yield* TestDatabase
        yield* refuses(
          { ...(yield* production), DATABASE_URL: Redacted.value(adminUrl) },
          /^DATABASE_URL logs in as \S+, which (?:is a superuser|has BYPASSRLS|may create roles).* could bypass row-level security: use llm_api$/
        )
      }),
    PATIENCE
  )

  it.effect(
    "with a schema that is newer than the program, has other functions, or is older",
    () =>
      Effect.gen(function* () {
        const { adminUrl } = yield* TestDatabase
        const good = yield* production
        const owner = (sql: string) => Databases.execute(adminUrl, sql)
        yield* owner(
          "insert into meta.migrations (version, name, checksum, breaking) values (9000, 'of_tomorrow', 'x', false)"
        )
        yield* refuses(
          good,
          /^the database's schema \(version 9000\) is newer than this program \(\d+\): run a newer program$/
        )
        yield* owner("delete from meta.migrations where version = 9000")
        yield* owner("update meta.repeatables set hash = 'x'")
        yield* refuses(
          good,
          /^the database has every migration of this program \(version \d+\), but other functions, policies or grants: run `npm run db:migrate`$/
        )
        yield* owner("delete from meta.migrations")
        yield* refuses(
          good,
          /^the database's schema \(version 0\) is not this program's \(\d+\): run `npm run db:migrate`$/
        )
      }),
    PATIENCE
  )
})

layer(Running.with({ APP_ENV: "production", SECRET_KEY, TENANT_CREATION: "open" }), { timeout: "120 seconds" })(
  "production's log",
  (it) => {
    it.effect(
      "is one JSON object a line, says who asked for what and how it went, and holds no secret",
      () =>
        Effect.gen(function* () {
          const { process, send } = yield* Running
          const made = yield* send("POST", "/create-tenant", { json: { name: "Logged" } })
          const tenant = String(made.body["id"])
          const credentials = { email: "alice@logged.test", password: "correct horse battery" }
          const user = yield* send("POST", "/register", { json: { ...credentials, tenant_id: tenant } })
          const form = { username: credentials.email, password: credentials.password }
          const login = yield* send("POST", "/login", { form })
          const token = String(login.body["access_token"])
          yield* send("POST", "/login", { form: { ...form, password: "wrong-hunter2" } })
          yield* send("POST", "/register", {
            headers: { "content-type": "application/json" },
            body: '{"password":"half'
          })
          yield* send("GET", "/me", { token, headers: { "x-request-id": "the-one" } })
          yield* send("GET", `/me?access_token=${token}`, { token: `${token}x` })
          process.child.kill("SIGTERM")
          assert.deepStrictEqual(yield* process.ended, CLEAN)

          const { stderr, stdout } = process.output()
          for (const secret of [
            SECRET_KEY,
            token,
            "correct horse",
            "hunter2",
            "half",
            "alice@",
            "postgres://",
            "argon2"
          ]) {
            assert.notInclude(stdout + stderr, secret)
          }
          const entries: ReadonlyArray<Record<string, unknown>> = stdout
            .trimEnd()
            .split("\n")
            .map((line) => JSON.parse(line))
          // The operator is told that the answers are made up.
          assert.isTrue(entries.some(({ message }) => /mock model is in production/u.test(String(message))))
          assert.deepStrictEqual(
            entries.filter(({ message }) => message === "request").map(({ route, status }) => `${status} ${route}`),
            ["201 /create-tenant", "201 /register", "200 /login", "401 /login", "400 /register", "200 /me", "400 /me"]
          )
          const { client, duration_ms, time, ...me } = entries.find((entry) => entry["request_id"] === "the-one") ?? {}
          assert.deepStrictEqual(me, {
            level: "info",
            message: "request",
            request_id: "the-one",
            tenant,
            user: user.body["id"],
            method: "GET",
            route: "/me",
            status: 200
          })
          assert.strictEqual(client, "127.0.0.1")
          assert.isTrue(typeof duration_ms === "number" && !Number.isNaN(Date.parse(String(time))))
        }),
      PATIENCE
    )
  }
)

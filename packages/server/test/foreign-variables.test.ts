import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Console, Effect, FileSystem } from "effect"
import { join } from "node:path"
import { pointingInside } from "../src/process/ContainerLoopback.ts"
import { withDollar } from "../src/config/DotEnv.ts"
import { withoutForeign } from "../src/config/ForeignVariables.ts"
import { settings } from "../src/config/Settings.ts"
import { VARIABLES } from "../src/config/Variables.ts"

/** Settings as this environment and this `.env` give them, and what was said on standard error. */
const read = Effect.fn(function* (environment: Record<string, string>, file = "") {
  const fs = yield* FileSystem.FileSystem
  const path = join(yield* fs.makeTempDirectoryScoped(), ".env")
  yield* fs.writeFileString(path, file)
  const said: Array<string> = []
  const result = yield* withoutForeign(settings, {
    path,
    environment,
    names: Object.keys(VARIABLES),
    isDevelopment: Effect.map(VARIABLES.APP_ENV, (value) => value === "development")
  }).pipe(
    Effect.provideService(Console.Console, { ...globalThis.console, error: (line: string) => void said.push(line) }),
    Effect.result
  )
  return { said: said.join("\n"), result }
})

/** What shells, conda, notebooks, frameworks and orchestrators put into an environment. */
const FOREIGN = {
  DEBUG: "release",
  HOST: "x86_64-conda-linux-gnu",
  PORT: "tcp://10.0.0.1:80",
  LOG_LEVEL: "verbose",
  WORKERS: "auto",
  MLFLOW_TRACKING_URI: "databricks",
  DATABASE_URL: "sqlite:///./test.db",
  OPENAI_BASE_URL: "http://me:hunter2@localhost/v1",
  ALLOWED_ORIGINS: "*",
  METRICS_PORT: "tcp://10.0.0.2:9464"
}

describe("another program's variables", () => {
  it.effect("are named and ignored in development, without their values", () =>
    Effect.gen(function* () {
      const { result, said } = yield* read(FOREIGN)
      if (result._tag === "Failure") return assert.fail(result.failure.message)
      const found = result.success
      assert.deepStrictEqual([found.HOST, found.PORT, found.DEBUG, found.WORKERS], ["127.0.0.1", 8000, false, 1])
      assert.isUndefined(found.DATABASE_URL)
      for (const [name, value] of Object.entries(FOREIGN)) {
        assert.match(said, new RegExp(`^${name} is not usable: expected .*ignored`, "mu"))
        if (value.length > 4) assert.notInclude(said, value)
      }
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.effect("leave what .env says in force", () =>
    Effect.gen(function* () {
      const { result, said } = yield* read({ PORT: "none", HOST: "my-laptop" }, "PORT=4711\nHOST=::1")
      if (result._tag === "Failure") return assert.fail(result.failure.message)
      assert.deepStrictEqual([result.success.PORT, result.success.HOST], [4711, "::1"])
      assert.strictEqual(said.split("\n").length, 2)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.effect("do not open the port to the network by the machine's name", () =>
    Effect.gen(function* () {
      for (const HOST of ["my-laptop", "my-laptop.local", "aarch64-conda-linux-gnu", "arm64-apple-darwin20.0.0"]) {
        const { result } = yield* read({ HOST })
        assert.strictEqual(result._tag === "Success" ? result.success.HOST : result.failure.message, "127.0.0.1")
      }
      for (const HOST of ["localhost", "0.0.0.0", "::"]) {
        const { result, said } = yield* read({ HOST })
        assert.strictEqual(result._tag === "Success" ? result.success.HOST : result.failure.message, HOST)
        assert.strictEqual(said, "")
      }
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.effect("are no excuse for what is broken in .env, for APP_ENV, or in production", () =>
    Effect.gen(function* () {
      const messageOf = ({ result }: Effect.Success<ReturnType<typeof read>>) =>
        result._tag === "Failure" ? result.failure.message : "it was taken"
      assert.match(messageOf(yield* read({ DEBUG: "release" }, "PORT=none")), /^PORT is not usable/u)
      assert.match(messageOf(yield* read({ DATABASE_URL: "postgers://me@db/app" })), /^DATABASE_URL is not usable/u)
      assert.match(messageOf(yield* read({ APP_ENV: "prod" })), /^APP_ENV is not usable/u)
      assert.match(messageOf(yield* read({ APP_ENV: "production", DEBUG: "release" })), /^DEBUG is not usable/mu)
      assert.match(messageOf(yield* read({ DEBUG: "release" }, "APP_ENV=production")), /^DEBUG is not usable/mu)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})

it.effect("a $ that docker compose would read otherwise is named", () =>
  Effect.gen(function* () {
    const text = `SECRET_KEY=a$b\nOPENAI_API_KEY='a$b'\nexport LLM_MODEL="x\${Y}"\n# HOST=$HOST\nPORT=1 # $5\nOTHER=$x\n  APP_NAME = $`
    assert.deepStrictEqual(withDollar(text, Object.keys(VARIABLES)), ["SECRET_KEY", "LLM_MODEL", "APP_NAME"])
    assert.include((yield* read({}, "LLM_MODEL=a$b")).said, "LLM_MODEL in .env has a $")
  }).pipe(Effect.provide(NodeFileSystem.layer))
)

it("an address that is the container itself is named", () => {
  const at = (MLFLOW_TRACKING_URI: string, OPENAI_BASE_URL?: string) =>
    pointingInside({ MLFLOW_TRACKING_URI, OPENAI_BASE_URL })
  assert.deepStrictEqual(at("http://127.0.0.1:5001", "http://localhost:11434/v1"), [
    "MLFLOW_TRACKING_URI",
    "OPENAI_BASE_URL"
  ])
  assert.deepStrictEqual(at("http://[::1]:5001"), ["MLFLOW_TRACKING_URI"])
  assert.deepStrictEqual(at("off", "http://host.docker.internal:11434/v1"), [])
  assert.deepStrictEqual(at("http://mlflow:5000", "https://localhost.example.com/v1"), [])
})

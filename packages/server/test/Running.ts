import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Context, Effect, Layer, Redacted } from "effect"
import { spawn } from "node:child_process"
import { createServer } from "node:net"
import { fileURLToPath } from "node:url"

/** An answer, read whole. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url))

const freePort = Effect.callback<number>((resume) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const address = probe.address()
    probe.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

/** The program as a process of its own, on a database of its own. */
export class Running extends Context.Service<
  Running,
  {
    readonly port: number
    readonly send: (
      method: string,
      path: string,
      options?: {
        readonly token?: string
        readonly json?: unknown
        readonly form?: Record<string, string>
        readonly headers?: Record<string, string>
        readonly body?: string | Uint8Array<ArrayBuffer>
      }
    ) => Effect.Effect<Answer>
  }
>()("test/Running") {
  static readonly layer = Layer.effect(
    Running,
    Effect.gen(function* () {
      const { apiUrl } = yield* TestDatabase
      const port = yield* freePort
      const child = yield* Effect.acquireRelease(
        Effect.sync(() =>
          spawn(process.execPath, [MAIN], {
            env: {
              PATH: process.env["PATH"],
              APP_ENV: "test",
              HOST: "127.0.0.1",
              PORT: String(port),
              DATABASE_URL: Redacted.value(apiUrl),
              SECRET_KEY: "0123456789abcdefghijklmnopqrstuvwxyzABCDEF",
              ALLOWED_ORIGINS: '["https://app.acme.test"]'
            },
            stdio: ["ignore", "pipe", "pipe"]
          })
        ),
        (child) =>
          Effect.callback<void>((resume) => {
            if (child.exitCode !== null) return resume(Effect.void)
            child.once("exit", () => resume(Effect.void))
            child.kill("SIGTERM")
          })
      )
      yield* Effect.callback<void>((resume) => {
        let said = ""
        const hear = (chunk: Buffer) => {
          said += chunk.toString()
          if (said.includes("running on") || said.includes("serves on")) resume(Effect.void)
        }
        child.stdout.on("data", hear)
        child.stderr.on("data", hear)
        child.once("exit", (code) => resume(Effect.die(new Error(`the program ended with ${code}: ${said}`))))
      })
      return Running.of({
        port,
        send: (method, path, { body, form, headers, json, token } = {}) =>
          Effect.promise(async () => {
            const sent =
              json !== undefined
                ? JSON.stringify(json)
                : form !== undefined
                  ? new URLSearchParams(form).toString()
                  : body
            const type =
              json !== undefined
                ? "application/json"
                : form !== undefined
                  ? "application/x-www-form-urlencoded"
                  : undefined
            const response = await fetch(`http://127.0.0.1:${port}${path}`, {
              method,
              ...(sent === undefined ? {} : { body: sent }),
              headers: {
                ...(type === undefined ? {} : { "content-type": type }),
                ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
                ...headers
              }
            })
            const text = await response.text()
            return {
              status: response.status,
              headers: response.headers,
              body: text.startsWith("{") ? JSON.parse(text) : {}
            }
          })
      })
    })
  ).pipe(Layer.provideMerge(TestDatabase.layer))
}

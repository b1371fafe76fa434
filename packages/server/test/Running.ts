import { TestDatabase } from "@llm-saas/testing/TestDatabase"
import { Context, Effect, Layer, Redacted } from "effect"
import { freePort, type Process, start } from "./Process.ts"

/** An answer, read whole. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

/** Asks a server on loopback. */
export type Send = (
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

/** Of the programs that tests run. */
export const SECRET_KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEF"

/** The program as a process of its own, on a database of its own. */
export class Running extends Context.Service<
  Running,
  {
    readonly port: number
    readonly process: Process
    readonly send: Send
  }
>()("test/Running") {
  /** With `variables` beside, or instead of, the usual ones. */
  static readonly with = (variables: Record<string, string>) =>
    Layer.provideMerge(
      Layer.effect(
        Running,
        Effect.suspend(() => running(variables))
      ),
      TestDatabase.layer
    )

  static readonly layer = Running.with({})
}

/** One process of the program, on the file's database. */
export const running = (variables: Record<string, string>) =>
  Effect.gen(function* () {
    const { apiUrl } = yield* TestDatabase
    const port = yield* freePort
    const running = yield* start({
      APP_ENV: "test",
      HOST: "127.0.0.1",
      PORT: String(port),
      DATABASE_URL: Redacted.value(apiUrl),
      SECRET_KEY,
      ENCRYPTION_KEY: "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=",
      ALLOWED_ORIGINS: '["https://app.acme.test"]',
      ...variables
    })
    yield* running.says(/running on|serves on/)
    return Running.of({
      port,
      process: running,
      send: sender(port)
    })
  })

export const sender =
  (port: number): Send =>
  (method, path, { body, form, headers, json, token } = {}) =>
    Effect.promise(async () => {
      const sent =
        json !== undefined ? JSON.stringify(json) : form !== undefined ? new URLSearchParams(form).toString() : body
      const type =
        json !== undefined ? "application/json" : form !== undefined ? "application/x-www-form-urlencoded" : undefined
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        redirect: "manual",
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

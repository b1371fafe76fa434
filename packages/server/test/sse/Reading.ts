import { Effect } from "effect"
import { documented } from "../Documented.ts"
import { type ClientRequest, type IncomingMessage, request as open } from "node:http"

/** An answer that is read as it comes. */
export interface Reading {
  readonly status: number
  readonly headers: IncomingMessage["headers"]
  /** Waits until what came so far is enough; fails the test if the answer ends before. */
  readonly until: (enough: (text: string) => boolean) => Effect.Effect<string>
  /** Waits for the end: everything, and whether the answer came to its end or was cut. */
  readonly end: Effect.Effect<{ readonly text: string; readonly whole: boolean }>
  /** Closes the connection. */
  readonly leave: () => void
}

export interface Sending {
  /** Sent as the bearer token. */
  readonly token?: string
  readonly json?: unknown
  readonly headers?: Record<string, string>
}

/** Sends a request; completes when the headers of the answer are there. The connection ends with the scope. */
export const sendTo = (port: number, method: string, path: string, { headers, json, token }: Sending = {}) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<readonly [ClientRequest, IncomingMessage]>((resume) => {
        const request = open({
          port,
          host: "127.0.0.1",
          method,
          path,
          agent: false,
          headers: {
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(json === undefined ? {} : { "content-type": "application/json" }),
            ...headers
          }
        })
        request.once("response", (response) =>
          resume(
            Effect.as(
              Effect.sync(() => documented(method, path, response.statusCode ?? 0)),
              [request, response] as const
            )
          )
        )
        request.once("error", (error) => resume(Effect.die(error)))
        request.end(json === undefined ? undefined : JSON.stringify(json))
        return Effect.sync(() => request.destroy())
      }),
      ([request]) => Effect.sync(() => request.destroy())
    ),
    ([request, response]) => reading(request, response)
  )

const reading = (request: ClientRequest, response: IncomingMessage): Reading => {
  let text = ""
  const watchers = new Set<() => void>()
  const look = () => {
    for (const watcher of watchers) watcher()
  }
  response.setEncoding("utf8")
  response.on("data", (chunk: string) => {
    text += chunk
    look()
  })
  response.on("error", () => {})
  response.on("close", look)
  request.on("error", () => {})
  const watch = <A>(ready: () => Effect.Effect<A> | undefined) =>
    Effect.callback<A>((resume) => {
      const watcher = () => {
        const result = ready()
        if (result === undefined) return
        watchers.delete(watcher)
        resume(result)
      }
      watchers.add(watcher)
      watcher()
    })
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    until: (enough) =>
      watch(() =>
        enough(text)
          ? Effect.succeed(text)
          : response.closed
            ? Effect.die(new Error(`it ended before: ${JSON.stringify(text)}`))
            : undefined
      ),
    end: watch(() => (response.closed ? Effect.succeed({ text, whole: response.complete }) : undefined)),
    leave: () => void request.destroy()
  }
}

/** The answer whole, as JSON. */
export const json = (answer: Reading) =>
  Effect.map(answer.end, ({ text }): Readonly<Record<string, unknown>> => (text === "" ? {} : JSON.parse(text)))

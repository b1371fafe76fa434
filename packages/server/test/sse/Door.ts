import { Authorization } from "@llm-saas/api/Access"
import { ConversationsApi } from "@llm-saas/api/ConversationsApi"
import { RequestSchema } from "@llm-saas/api/Failures"
import { GenerationsApi } from "@llm-saas/api/GenerationsApi"
import { MessagesApi } from "@llm-saas/api/MessagesApi"
import { Actor } from "@llm-saas/domain/Actor"
import { Unauthenticated } from "@llm-saas/domain/Refusal"
import { TenantId } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"
import type { GenerationOptions } from "@llm-saas/engine/Generations"
import { engine } from "@llm-saas/testing/Workshop"
import { Context, Effect, Layer, Redacted } from "effect"
import { HttpServer } from "effect/http"
import { HttpApi, HttpApiBuilder } from "effect/http-api"
import { type ClientRequest, type IncomingMessage, request as open } from "node:http"
import { ConversationsHandlers } from "../../src/handlers/conversations.ts"
import { GenerationsHandlers } from "../../src/handlers/generations.ts"
import { MessagesHandlers } from "../../src/handlers/messages.ts"
import { RequestSchemaLayer } from "../../src/http/Decoding.ts"
import { HttpOptions } from "../../src/http/HttpOptions.ts"
import { serve } from "../../src/http/HttpServe.ts"
import { LogLines } from "../../src/http/LogLines.ts"
import { LogOptions } from "../../src/http/LogOptions.ts"
import { Logs } from "../../src/http/Logs.ts"
import { noteActor } from "../../src/http/RequestRecord.ts"

/** The part of the contract that asks, under the whole one's name: its handlers are the program's own. */
class AskingApi extends HttpApi.make("llm-saas")
  .add(MessagesApi, ConversationsApi, GenerationsApi)
  .middleware(RequestSchema) {}

/** Whoever says `<tenant>.<user>` is believed; the database still decides. Real tokens have times, and here the clock is the test's. */
const authorization = Layer.succeed(Authorization, {
  bearer: (handler, { credential }) => {
    const [tenant, user] = Redacted.value(credential).split(".")
    if (tenant === undefined || user === undefined) return Effect.fail(new Unauthenticated({}))
    const actor = {
      tenantId: TenantId.make(tenant),
      userId: UserId.make(user),
      issuedAt: 4_000_000_000,
      needs: "user" as const
    }
    return Effect.andThen(noteActor(tenant, user), Effect.provideService(handler, Actor, actor))
  }
})

/** What the server has logged. */
export class Log extends Context.Service<Log, Array<string>>()("test/Log") {}

/** The doors of asking on a port of their own: real sockets, a real database, the model and the clock in the hands of the test. */
export const door = (options: Partial<GenerationOptions> = {}) =>
  serve(
    AskingApi,
    HttpApiBuilder.layer(AskingApi).pipe(
      Layer.provide([MessagesHandlers, ConversationsHandlers, GenerationsHandlers]),
      Layer.provide([authorization, RequestSchemaLayer])
    )
  ).pipe(
    Layer.provideMerge(engine(options)),
    Layer.provide(Logs),
    Layer.provide(Layer.succeed(HttpOptions, { ...HttpOptions.defaults, port: 0 })),
    Layer.provide(
      Layer.effect(
        LogLines,
        Effect.map(Log, (lines) => ({ write: (line: string) => void lines.push(line) }))
      )
    ),
    Layer.provide(Layer.succeed(LogOptions, { format: "json", colour: false, level: "Info" })),
    Layer.provideMerge(Layer.sync(Log, () => []))
  )

/** An answer that is read as it comes. */
export interface Reading {
  readonly status: number
  readonly headers: IncomingMessage["headers"]
  /** What came so far. */
  readonly text: () => string
  /** Waits until what came so far is enough; fails the test if the answer ends before. */
  readonly until: (enough: (text: string) => boolean) => Effect.Effect<string>
  /** Waits for the end: everything, and whether the answer came to its end or was cut. */
  readonly end: Effect.Effect<{ readonly text: string; readonly whole: boolean }>
  /** Reads no more, until `resume`. */
  readonly pause: () => void
  readonly resume: () => void
  /** Leaves. */
  readonly leave: () => void
}

export interface Sending {
  readonly actor?: Actor["Service"]
  readonly json?: unknown
  readonly headers?: Record<string, string>
  readonly port?: number
}

/** Sends a request; completes when the headers of the answer are there. The connection ends with the scope. */
export const send = Effect.fnUntraced(function* (method: string, path: string, sending: Sending = {}) {
  const { address } = yield* HttpServer.HttpServer
  const own = "port" in address ? address.port : 0
  return yield* sendTo(sending.port ?? own, method, path, sending)
})

export const sendTo = (port: number, method: string, path: string, { actor, headers, json }: Sending) =>
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
            ...(actor === undefined ? {} : { authorization: `Bearer ${actor.tenantId}.${actor.userId}` }),
            ...(json === undefined ? {} : { "content-type": "application/json" }),
            ...headers
          }
        })
        request.once("response", (response) => resume(Effect.succeed([request, response] as const)))
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
    text: () => text,
    until: (enough) =>
      watch(() =>
        enough(text)
          ? Effect.succeed(text)
          : response.closed
            ? Effect.die(new Error(`it ended before: ${JSON.stringify(text)}`))
            : undefined
      ),
    end: watch(() => (response.closed ? Effect.succeed({ text, whole: response.complete }) : undefined)),
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    leave: () => void request.destroy()
  }
}

/** The answer whole, as JSON. */
export const json = (answer: Reading) =>
  Effect.map(answer.end, ({ text }): Readonly<Record<string, unknown>> => (text === "" ? {} : JSON.parse(text)))

import { Access, Authorization } from "@llm-saas/api/Access"
import { Costly } from "@llm-saas/api/Costly"
import { RequestSchema } from "@llm-saas/api/Failures"
import { Foreign } from "@llm-saas/api/v1/Door"
import { Actor } from "@llm-saas/domain/Actor"
import { PageLimit } from "@llm-saas/domain/Page"
import { TooManyRequests, Unauthenticated } from "@llm-saas/domain/Refusal"
import { RequestId } from "@llm-saas/domain/RequestId"
import { TenantId } from "@llm-saas/domain/Tenant"
import { Text } from "@llm-saas/domain/Text"
import { UserId } from "@llm-saas/domain/User"
import { Deferred, Effect, Layer, Redacted, Schema } from "effect"
import { HttpServer, type HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup, HttpApiSchema } from "effect/http-api"
import { connect, type Socket } from "node:net"
import { RequestSchemaLayer } from "../../src/http/Decoding.ts"
import { HttpOptions } from "../../src/http/HttpOptions.ts"
import { httpServerLayer } from "../../src/http/HttpServe.ts"
import { LogLines } from "../../src/logging/LogLines.ts"
import { LogOptions } from "../../src/logging/LogOptions.ts"
import { LogsLayer } from "../../src/logging/Logs.ts"
import { withBody } from "../../src/v1/RequestBody.ts"
import { noteActor } from "../../src/logging/RequestRecord.ts"

const Ok = Schema.Struct({ status: Schema.Literal("ok") })
const Named = Schema.Struct({ name: Text })
const Login = Schema.Struct({
  username: Text,
  password: Schema.String.pipe(Schema.RedactedFromValue),
  grant_type: Schema.optionalKey(Schema.Literal("password"))
}).annotate({ identifier: "Login" })

const Group = HttpApiGroup.make("test")
  .add(
    HttpApiEndpoint.get("health", "/health", { success: Ok }),
    HttpApiEndpoint.get("open", "/open", { success: Schema.Struct({ request_id: Schema.String }) }),
    HttpApiEndpoint.get("costly", "/costly", { success: Ok }).annotate(Costly, true),
    HttpApiEndpoint.get("things", "/things/:id", {
      params: { id: TenantId },
      query: { limit: Schema.optionalKey(PageLimit), note: Schema.optionalKey(Text) },
      success: Ok
    }),
    HttpApiEndpoint.post("name", "/name", { payload: Named, success: Named }),
    HttpApiEndpoint.post("login", "/login", {
      payload: [Login.pipe(HttpApiSchema.asFormUrlEncoded()), Login],
      success: Ok,
      error: TooManyRequests
    }),
    HttpApiEndpoint.get("boom", "/boom", { success: Ok }),
    HttpApiEndpoint.get("slow", "/slow", { success: Ok })
  )
  .annotateEndpoints(Access, "public")
  .add(
    HttpApiEndpoint.get("me", "/me", { success: Ok }).middleware(Authorization).annotate(Access, "user"),
    HttpApiEndpoint.post("mine", "/mine", { payload: Named, success: Named })
      .middleware(Authorization)
      .annotate(Access, "user")
  )

/** Endpoints of both doors, which fail with the problem that the header `fail` names. */
const Doors = HttpApiGroup.make("doors")
  .add(
    HttpApiEndpoint.post("chat", "/v1/chat/completions", { payload: Named, success: Named })
      .middleware(Authorization)
      .annotate(Access, "user"),
    HttpApiEndpoint.post("messages", "/v1/messages", { payload: Named, success: Named })
      .middleware(Authorization)
      .annotate(Access, "user"),
    HttpApiEndpoint.get("models", "/v1/models", { success: Ok }).annotate(Access, "public"),
    HttpApiEndpoint.get("key", "/v1/key", { success: Ok }).annotate(Access, "public")
  )
  .annotateEndpoints(Foreign, true)

export class TestApi extends HttpApi.make("test").add(Group, Doors).middleware(RequestSchema) {}

/** Lets a test observe and release the handlers. */
export interface Stage {
  readonly lines: Array<string>
  /** Completed when there is a first line. */
  readonly written: Deferred.Deferred<void>
  readonly calls: Array<string>
  /** Completed when the port is open and the handlers are about to be made, which waits for `ready`. */
  readonly making: Deferred.Deferred<void>
  readonly ready: Effect.Effect<void>
  /** Completed when `/slow` has been entered; it answers when `release` is. */
  readonly entered: Deferred.Deferred<void>
  readonly release: Deferred.Deferred<void>
}

export const stage: Effect.Effect<Stage> = Effect.gen(function* () {
  return {
    lines: [],
    calls: [],
    making: yield* Deferred.make<void>(),
    ready: Effect.void,
    written: yield* Deferred.make<void>(),
    entered: yield* Deferred.make<void>(),
    release: yield* Deferred.make<void>()
  }
})

const TENANT = TenantId.make("01890000-0000-7000-8000-000000000001")
const USER = UserId.make("01890000-0000-7000-8000-000000000002")
const OK = { status: "ok" as const }

const handlers = ({ calls, entered, making, ready, release }: Stage) =>
  HttpApiBuilder.group(TestApi, "test", (group) =>
    Effect.as(
      Effect.andThen(Deferred.succeed(making, undefined), ready),
      group.handleAll({
        health: () => Effect.succeed(OK),
        open: () => Effect.map(RequestId, (request_id) => ({ request_id })),
        costly: () => Effect.sync(() => (calls.push("costly"), OK)),
        things: () => Effect.succeed(OK),
        name: ({ payload }) => Effect.sync(() => (calls.push("name"), payload)),
        login: () => Effect.fail(new TooManyRequests({ retry_after: 7 })),
        boom: () => Effect.die(new Error("select 1 failed on postgres://root:hunter2@db/x")),
        slow: () => Effect.andThen(Deferred.succeed(entered, undefined), Effect.as(Deferred.await(release), OK)),
        me: () => Effect.succeed(OK),
        mine: ({ payload }) => Effect.succeed(payload)
      })
    )
  )

const failing = (request: HttpServerRequest.HttpServerRequest) => {
  const name = request.headers["fail"]
  if (name === undefined && request.method === "GET") return Effect.succeed(HttpServerResponse.jsonUnsafe(OK))
  if (name === undefined) return withBody(request, (body) => Effect.succeed(HttpServerResponse.jsonUnsafe(body)))
  if (name === "defect") return Effect.die(new Error("select 1 failed on postgres://root:hunter2@db/x"))
  const { code, status, ...more }: { readonly code: string; readonly status: number } = JSON.parse(name)
  const problem = JSON.stringify({
    type: `/problems/${code}`,
    status,
    title: "t",
    detail: "What is wrong.",
    code,
    ...more
  })
  return Effect.succeed(HttpServerResponse.text(problem, { status, contentType: "application/problem+json" }))
}

const doors = HttpApiBuilder.group(TestApi, "doors", (group) =>
  Effect.succeed(
    group
      .handleRaw("chat", ({ request }) => failing(request))
      .handleRaw("messages", ({ request }) => failing(request))
      .handleRaw("models", ({ request }) => failing(request))
      .handleRaw("key", ({ request }) => failing(request))
  )
)

const authorization = Layer.succeed(Authorization, {
  bearer: (handler, { credential }) =>
    Redacted.value(credential) === "good"
      ? Effect.andThen(
          noteActor(TENANT, USER),
          Effect.provideService(handler, Actor, { tenantId: TENANT, userId: USER, tokenEpoch: 0, needs: "user" })
        )
      : Effect.fail(new Unauthenticated({}))
})

/** The whole edge on a port of its own, around handlers made for tests. */
export const serving = (
  on: Stage,
  options: Partial<HttpOptions["Service"]> = {},
  log: Partial<LogOptions["Service"]> = {}
) =>
  httpServerLayer(
    TestApi,
    HttpApiBuilder.layer(TestApi).pipe(
      Layer.provide([handlers(on), doors]),
      Layer.provide([authorization, RequestSchemaLayer])
    )
  ).pipe(
    Layer.provide(LogsLayer),
    Layer.provide(Layer.succeed(HttpOptions, { ...HttpOptions.defaults, port: 0, ...options })),
    Layer.provide(
      Layer.succeed(LogLines, {
        write: (line) => {
          on.lines.push(line)
          Deferred.doneUnsafe(on.written, Effect.void)
        }
      })
    ),
    Layer.provide(Layer.succeed(LogOptions, { format: "json", colour: false, level: "Info", ...log }))
  )

export const portOf = Effect.map(HttpServer.HttpServer, ({ address }) => ("port" in address ? address.port : 0))

/** A connection whose bytes the test writes. It is destroyed with the scope. */
export const open = (port: number) =>
  Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const socket = connect(port, "127.0.0.1")
      socket.once("connect", () => resume(Effect.succeed(socket)))
      // Tests look at the answer, also of a connection that is cut.
      socket.on("error", () => {})
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

/** Everything received until the other side ends, or until `enough`. */
export const read = (socket: Socket, enough: (text: string) => boolean = () => false) =>
  Effect.callback<string>((resume) => {
    let text = ""
    const done = () => resume(Effect.succeed(text))
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1")
      if (enough(text)) done()
    })
    socket.once("close", done)
    if (socket.destroyed) done()
  })

/** Sends bytes on a connection of their own and reads the answer until the connection ends. */
export const exchange = (port: number, bytes: string | Uint8Array) =>
  Effect.scoped(
    Effect.gen(function* () {
      const socket = yield* open(port)
      socket.write(bytes)
      return parse(yield* read(socket))
    })
  )

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export const parse = (text: string): RawAnswer => {
  const [head = "", ...rest] = text.split("\r\n\r\n")
  const [first = "", ...lines] = head.split("\r\n")
  return {
    status: Number(first.split(" ")[1]),
    headers: Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 2)])
    ),
    body: rest.join("\r\n\r\n")
  }
}

const End = "connection: close\r\n"

/** One request, ending its connection. `headers` are whole lines. */
export const send = (
  port: number,
  method: string,
  target: string,
  headers: ReadonlyArray<string> = [],
  body: string | Uint8Array = ""
) => {
  const bytes = typeof body === "string" ? Buffer.from(body) : Buffer.from(body)
  const length = bytes.length === 0 ? "" : `content-length: ${bytes.length}\r\n`
  const head = `${method} ${target} HTTP/1.1\r\nhost: localhost\r\n${End}${length}${headers.map((line) => `${line}\r\n`).join("")}\r\n`
  return exchange(port, Buffer.concat([Buffer.from(head, "latin1"), bytes]))
}

export const sendJson = (
  port: number,
  target: string,
  body: string | Uint8Array,
  headers: ReadonlyArray<string> = []
) => send(port, "POST", target, ["content-type: application/json", ...headers], body)

const Problem = Schema.fromJsonString(
  Schema.Struct({
    type: Schema.String,
    status: Schema.Number,
    title: Schema.String,
    detail: Schema.NonEmptyString,
    code: Schema.String,
    request_id: Schema.String,
    errors: Schema.optionalKey(
      Schema.Array(
        Schema.Struct({ path: Schema.Array(Schema.Union([Schema.String, Schema.Number])), message: Schema.String })
      )
    )
  })
)

/** The answer as the problem that every error has to be: it dies if it is none. */
export const problemOf = (answer: RawAnswer) =>
  Effect.gen(function* () {
    const problem = yield* Effect.orDie(Schema.decodeUnknownEffect(Problem)(answer.body))
    const fits =
      answer.headers["content-type"] === "application/problem+json"
      && problem.status === answer.status
      && answer.headers["x-request-id"] === problem.request_id
      && problem.type === `/problems/${problem.code}`
    return fits
      ? problem
      : yield* Effect.die(
          new Error(`not a whole problem: ${answer.status} ${JSON.stringify(answer.headers)} ${answer.body}`)
        )
  })

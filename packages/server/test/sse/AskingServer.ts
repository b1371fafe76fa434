import { Authorization } from "@llm-saas/api/Access"
import { ConversationsApi } from "@llm-saas/api/ConversationsApi"
import { RequestSchema } from "@llm-saas/api/Failures"
import { GenerationsApi } from "@llm-saas/api/GenerationsApi"
import { MessagesApi } from "@llm-saas/api/MessagesApi"
import { Actor } from "@llm-saas/domain/Actor"
import { Unauthenticated } from "@llm-saas/domain/Refusal"
import { TenantId } from "@llm-saas/domain/Tenant"
import { UserId } from "@llm-saas/domain/User"
import type { GenerationOptions } from "@llm-saas/engine/generations/GenerationOptions"
import { engine } from "@llm-saas/testing/EngineFixture"
import { Context, Effect, Layer, Redacted } from "effect"
import { HttpServer } from "effect/http"
import { HttpApi, HttpApiBuilder } from "effect/http-api"
import { ConversationsHandlers } from "../../src/http/handlers/conversations.ts"
import { GenerationsHandlers } from "../../src/http/handlers/generations.ts"
import { MessagesHandlers } from "../../src/http/handlers/messages.ts"
import { RequestSchemaLayer } from "../../src/http/Decoding.ts"
import { HttpOptions } from "../../src/http/HttpOptions.ts"
import { httpServerLayer } from "../../src/http/HttpServe.ts"
import { LogLines } from "../../src/logging/LogLines.ts"
import { LogOptions } from "../../src/logging/LogOptions.ts"
import { LogsLayer } from "../../src/logging/Logs.ts"
import { noteActor } from "../../src/logging/RequestRecord.ts"
import { RequestBodies } from "../../src/v1/RequestBodies.ts"
import { attempts } from "../Attempts.ts"
import { type Sending, sendTo } from "./Reading.ts"

/** The part of the contract that asks questions, under the whole one's name, with the program's own handlers. */
class AskingApi extends HttpApi.make("llm-saas")
  .add(MessagesApi, ConversationsApi, GenerationsApi)
  .middleware(RequestSchema) {}

/** Accepts `<tenant>.<user>` as a token; the database still decides. Real tokens have times, and here the clock is the test's. */
const authorization = Layer.succeed(Authorization, {
  bearer: (handler, { credential }) => {
    const [tenant, user] = Redacted.value(credential).split(".")
    if (tenant === undefined || user === undefined) return Effect.fail(new Unauthenticated({}))
    const actor = {
      tenantId: TenantId.make(tenant),
      userId: UserId.make(user),
      tokenEpoch: 0,
      needs: "user" as const
    }
    return Effect.andThen(noteActor(tenant, user), Effect.provideService(handler, Actor, actor))
  }
})

/** The server's log. */
export class Log extends Context.Service<Log, Array<string>>()("test/Log") {}

/** The endpoints of questions on a port of their own: real sockets and database, with model and clock controlled by the test. */
export const askingServer = (options: Partial<GenerationOptions> = {}) =>
  httpServerLayer(
    AskingApi,
    HttpApiBuilder.layer(AskingApi).pipe(
      Layer.provide([MessagesHandlers, ConversationsHandlers, GenerationsHandlers]),
      Layer.provide([authorization, RequestSchemaLayer, attempts, RequestBodies.layer])
    )
  ).pipe(
    Layer.provideMerge(engine(options)),
    Layer.provide(LogsLayer),
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

/** Sends a request as this actor. */
export const send = Effect.fnUntraced(function* (
  method: string,
  path: string,
  { actor, ...sending }: Sending & { readonly actor?: Actor["Service"] } = {}
) {
  const { address } = yield* HttpServer.HttpServer
  const token = actor === undefined ? {} : { token: `${actor.tenantId}.${actor.userId}` }
  return yield* sendTo("port" in address ? address.port : 0, method, path, { ...token, ...sending })
})

import { Access } from "@llm-saas/api/Access"
import { Api } from "@llm-saas/api/Api"
import { Gate } from "@llm-saas/database/Gate"
import { Tenancy } from "@llm-saas/database/Tenancy"
import { Accounts } from "@llm-saas/engine/Accounts"
import { Tenants } from "@llm-saas/engine/Tenants"
import { Users } from "@llm-saas/engine/Users"
import { ByteSize, Context, Effect, Layer } from "effect"
import { layerWebCrypto } from "effect/crypto/SecureRandom"
import { HttpIncomingMessage, HttpRouter, HttpServer } from "effect/http"
import { HttpApi, HttpApiBuilder, HttpApiSwagger } from "effect/http-api"
import { AccessTokens } from "./AccessTokens.ts"
import { AccountsHandlers } from "./handlers/accounts.ts"
import { AdminHandlers } from "./handlers/admin.ts"
import { AuthorizationLayer } from "./handlers/authorization.ts"
import { SystemHandlers } from "./handlers/system.ts"
import { TenantsHandlers } from "./handlers/tenants.ts"
import { edge } from "./http/Edge.ts"
import { RequestSchemaLayer } from "./http/Problems.ts"
import { LoginThrottle } from "./LoginThrottle.ts"
import { PasswordsLayer } from "./Passwords.ts"
import { Settings } from "./Settings.ts"
import { StartupFailed } from "./Startup.ts"

const Engine = Layer.unwrap(
  Effect.map(Settings, ({ REGISTRATION_DEFAULT }) =>
    Layer.mergeAll(Accounts.layer, Users.layer, Tenants.layer({ registration: REGISTRATION_DEFAULT ?? "open" }))
  )
).pipe(Layer.provideMerge(Layer.mergeAll(Tenancy.layer, Gate.layer, PasswordsLayer, layerWebCrypto)))

const Routes = Layer.mergeAll(
  HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }),
  HttpApiSwagger.layer(Api, { path: "/docs" })
).pipe(
  Layer.provide([AccountsHandlers, TenantsHandlers, AdminHandlers, SystemHandlers]),
  Layer.provide([AuthorizationLayer, RequestSchemaLayer]),
  Layer.provide([LoginThrottle.layer, Engine]),
  Layer.provideMerge(AccessTokens.layer)
)

/** Every endpoint declares who may call it, and the closed ones ask for a token; else the server does not start. */
const checkAccess = Effect.suspend(() => {
  const open: Array<string> = []
  HttpApi.reflect(Api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint, middleware, mergedAnnotations }) => {
      const access = Context.getOrUndefined(mergedAnnotations, Access)
      const guarded = [...middleware].some((each) => each.key === "@llm-saas/api/Authorization")
      if (access === undefined || (access === "public") === guarded) open.push(`${endpoint.method} ${endpoint.path}`)
    }
  })
  return open.length === 0
    ? Effect.void
    : Effect.fail(new StartupFailed({ message: `these endpoints do not say who may call them: ${open.join(", ")}` }))
})

/** The whole program, but for its database, its socket and its settings. */
export const Program = Layer.effectDiscard(
  Effect.gen(function* () {
    yield* checkAccess
    const { ALLOWED_ORIGINS, APP_ENV, LOG_LEVEL, MAX_BODY_BYTES } = yield* Settings
    // Paths are compared as they are: `//me` and `/me/` are not `/me`.
    const app = yield* HttpRouter.toHttpEffect(Routes).pipe(
      Effect.provideService(HttpRouter.RouterConfig, {
        ignoreDuplicateSlashes: false,
        ignoreTrailingSlash: false,
        maxParamLength: 200
      })
    )
    const logRequests = LOG_LEVEL !== "warning" && LOG_LEVEL !== "error"
    yield* HttpServer.serveEffect(
      edge({
        origins: ALLOWED_ORIGINS ?? [],
        json: APP_ENV === "production",
        logRequests: logRequests && APP_ENV !== "test"
      })(app).pipe(
        Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.fromInputUnsafe(MAX_BODY_BYTES ?? 1_048_576))
      )
    )
  })
)

import { Api } from "@llm-saas/api/Api"
import { Gate } from "@llm-saas/database/Gate"
import { Tenancy } from "@llm-saas/database/Tenancy"
import { Accounts } from "@llm-saas/engine/Accounts"
import { Tenants } from "@llm-saas/engine/Tenants"
import { Users } from "@llm-saas/engine/Users"
import { Effect, Layer } from "effect"
import { layerWebCrypto } from "effect/crypto/SecureRandom"
import { HttpApiBuilder } from "effect/http-api"
import { AccessTokens } from "./AccessTokens.ts"
import { AccountsHandlers } from "./handlers/accounts.ts"
import { AdminHandlers } from "./handlers/admin.ts"
import { AuthorizationLayer } from "./handlers/authorization.ts"
import { SystemHandlers } from "./handlers/system.ts"
import { TenantsHandlers } from "./handlers/tenants.ts"
import { RequestSchemaLayer } from "./http/Decoding.ts"
import { serve } from "./http/HttpServe.ts"
import { LoginThrottle } from "./LoginThrottle.ts"
import { PasswordsLayer } from "./Passwords.ts"
import { Settings } from "./Settings.ts"

/** Who answers: one layer for each group of the contract. */
const Handlers = Layer.mergeAll(AccountsHandlers, TenantsHandlers, AdminHandlers, SystemHandlers)

const TenantsLayer = Layer.unwrap(
  Effect.map(Settings, ({ REGISTRATION_DEFAULT }) => Tenants.layer({ registration: REGISTRATION_DEFAULT }))
)

/** What the product does. */
const Engine = Layer.mergeAll(Accounts.layer, Users.layer, TenantsLayer)

/** What the engine stands on: the doors into the database, and the machine. */
const Ground = Layer.mergeAll(Tenancy.layer, Gate.layer, PasswordsLayer, layerWebCrypto)

const Routes = HttpApiBuilder.layer(Api).pipe(
  Layer.provide(Handlers),
  Layer.provide([AuthorizationLayer, RequestSchemaLayer]),
  Layer.provide([LoginThrottle.layer, AccessTokens.layer, Engine]),
  Layer.provide(Ground)
)

/** The whole program, but for its database, its log and its settings. Handlers may ask for `Drain`, which tells that the server stops. */
export const Program = serve(Api, Routes)

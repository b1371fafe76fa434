import { Api } from "@llm-saas/api/Api"
import { Layer } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { AccountsCalls } from "./calls/accounts.ts"
import { AdminCalls } from "./calls/admin.ts"
import { ConversationsCalls } from "./calls/conversations.ts"
import { GenerationsCalls } from "./calls/generations.ts"
import { MessagesCalls } from "./calls/messages.ts"
import { TenantsCalls } from "./calls/tenants.ts"
import { AccessTokens } from "./AccessTokens.ts"
import { Attempts } from "./Attempts.ts"
import { ClientNetworks } from "./ClientNetworks.ts"
import { AccountsHandlers } from "./handlers/accounts.ts"
import { AdminHandlers } from "./handlers/admin.ts"
import { EngineLayer } from "./Engine.ts"
import { AuthorizationLayer } from "./handlers/authorization.ts"
import { ConversationsHandlers } from "./handlers/conversations.ts"
import { GenerationsHandlers } from "./handlers/generations.ts"
import { MessagesHandlers } from "./handlers/messages.ts"
import { SystemHandlers } from "./handlers/system.ts"
import { TenantsHandlers } from "./handlers/tenants.ts"
import { RequestSchemaLayer } from "./http/Decoding.ts"
import { serve } from "./http/HttpServe.ts"
import { LoginThrottle } from "./LoginThrottle.ts"
import { RpcDoor } from "./rpc/Door.ts"
import { RPC_ROUTES } from "./rpc/OverHttp.ts"
import { Sessions } from "./Sessions.ts"
import { SignUps } from "./SignUps.ts"

/** Who answers: one layer for each group of the contract. */
const Handlers = Layer.mergeAll(
  AccountsHandlers,
  TenantsHandlers,
  MessagesHandlers,
  ConversationsHandlers,
  GenerationsHandlers,
  AdminHandlers,
  SystemHandlers
)

/** The same by RPC. */
const Calls = Layer.mergeAll(
  AccountsCalls,
  TenantsCalls,
  MessagesCalls,
  ConversationsCalls,
  GenerationsCalls,
  AdminCalls
)

const Routes = Layer.mergeAll(Layer.provide(HttpApiBuilder.layer(Api), Handlers), Layer.provide(RpcDoor, Calls)).pipe(
  Layer.provide([AuthorizationLayer, RequestSchemaLayer]),
  Layer.provide([Sessions.layer, SignUps.layer]),
  Layer.provide(Attempts.layer),
  Layer.provide([LoginThrottle.layer, AccessTokens.layer, ClientNetworks.layer]),
  Layer.provide(EngineLayer)
)

/** The whole program, but for its database, its log and its settings. Handlers may ask for `Drain`, which tells that the server stops. */
export const Program = serve(Api, Routes, RPC_ROUTES)

import { Api } from "@llm-saas/api/Api"
import { Layer } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { MembershipsCalls } from "./rpc/handlers/memberships.ts"
import { SessionsCalls } from "./rpc/handlers/sessions.ts"
import { AccountsCalls } from "./rpc/handlers/accounts.ts"
import { AdminCalls } from "./rpc/handlers/admin.ts"
import { AuditCalls } from "./rpc/handlers/audit.ts"
import { ConversationsCalls } from "./rpc/handlers/conversations.ts"
import { FactorsCalls } from "./rpc/handlers/factors.ts"
import { GenerationsCalls } from "./rpc/handlers/generations.ts"
import { InvitationsCalls } from "./rpc/handlers/invitations.ts"
import { LimitsCalls } from "./rpc/handlers/limits.ts"
import { MailCalls } from "./rpc/handlers/mail.ts"
import { MessagesCalls } from "./rpc/handlers/messages.ts"
import { TenantsCalls } from "./rpc/handlers/tenants.ts"
import { IdentitiesCalls } from "./rpc/handlers/identities.ts"
import { SsoCalls } from "./rpc/handlers/sso.ts"
import { ProviderKeysCalls } from "./rpc/handlers/providerKeys.ts"
import { KeysCalls } from "./rpc/handlers/keys.ts"
import { UsageCalls } from "./rpc/handlers/usage.ts"
import { AccessTokens } from "./auth/AccessTokens.ts"
import { ApiKeys } from "./auth/ApiKeys.ts"
import { CreationAttempts } from "./auth/CreationAttempts.ts"
import { ClientNetworks } from "./config/ClientNetworks.ts"
import { MembershipsHandlers } from "./http/handlers/memberships.ts"
import { SessionsHandlers } from "./http/handlers/sessions.ts"
import { AccountsHandlers } from "./http/handlers/accounts.ts"
import { AdminHandlers } from "./http/handlers/admin.ts"
import { AuditHandlers } from "./http/handlers/audit.ts"
import { EngineLayer } from "./Engine.ts"
import { AuthorizationLayer } from "./auth/Authorization.ts"
import { OperatorAuthorizationLayer } from "./auth/OperatorTokens.ts"
import { ConversationsHandlers } from "./http/handlers/conversations.ts"
import { FactorsHandlers, LoginPolicyHandlers } from "./http/handlers/factors.ts"
import { GenerationsHandlers } from "./http/handlers/generations.ts"
import { IdentitiesHandlers } from "./http/handlers/identities.ts"
import { SsoHandlers } from "./http/handlers/sso.ts"
import { ProviderKeysHandlers } from "./http/handlers/providerKeys.ts"
import { KeysHandlers, ServiceAccountsHandlers } from "./http/handlers/keys.ts"
import { InvitationsHandlers } from "./http/handlers/invitations.ts"
import { LimitsHandlers } from "./http/handlers/limits.ts"
import { AnthropicHandlers } from "./http/handlers/anthropic.ts"
import { OperatorHandlers } from "./http/handlers/operator.ts"
import { OpenAiHandlers } from "./http/handlers/openai.ts"
import { ResponsesHandlers } from "./http/handlers/responses.ts"
import { MailHandlers } from "./http/handlers/mail.ts"
import { MessagesHandlers } from "./http/handlers/messages.ts"
import { SecondFactorHandlers } from "./http/handlers/secondFactor.ts"
import { SystemHandlers } from "./http/handlers/system.ts"
import { TenantsHandlers } from "./http/handlers/tenants.ts"
import { UsageHandlers } from "./http/handlers/usage.ts"
import { RequestBodies } from "./v1/RequestBodies.ts"
import { RequestSchemaLayer } from "./http/Decoding.ts"
import { httpServerLayer } from "./http/HttpServe.ts"
import { Invitees } from "./auth/Invitees.ts"
import { LoginPlaces } from "./auth/LoginPlaces.ts"
import { LoginThrottle } from "./auth/LoginThrottle.ts"
import { MailRequests } from "./auth/MailRequests.ts"
import { PasskeyEnrolments } from "./auth/PasskeyEnrolments.ts"
import { Proofs } from "./auth/Proofs.ts"
import { RpcServerLayer } from "./rpc/RpcServerLayer.ts"
import { RPC_ROUTES } from "./rpc/OverHttp.ts"
import { RefreshTokens } from "./auth/RefreshTokens.ts"
import { Renewals } from "./auth/Renewals.ts"
import { SessionAnswers } from "./auth/SessionAnswers.ts"
import { SecondStep } from "./auth/SecondStep.ts"
import { TenantSwitch } from "./auth/TenantSwitch.ts"
import { Sessions } from "./auth/Sessions.ts"
import { SignUps } from "./auth/SignUps.ts"
import { ProviderLogins } from "./auth/ProviderLogins.ts"
import { SsoLogins } from "./auth/SsoLogins.ts"
import { SsoTrips } from "./auth/SsoTrips.ts"

/** The handlers: one layer for each group of the contract. */
const Handlers = Layer.mergeAll(
  AccountsHandlers,
  SessionsHandlers,
  MailHandlers,
  SecondFactorHandlers,
  FactorsHandlers,
  LoginPolicyHandlers,
  MembershipsHandlers,
  InvitationsHandlers,
  TenantsHandlers,
  MessagesHandlers,
  ConversationsHandlers,
  GenerationsHandlers,
  KeysHandlers,
  ServiceAccountsHandlers,
  LimitsHandlers,
  ProviderKeysHandlers,
  SsoHandlers,
  IdentitiesHandlers,
  UsageHandlers,
  OpenAiHandlers,
  ResponsesHandlers,
  AnthropicHandlers,
  AdminHandlers,
  AuditHandlers,
  OperatorHandlers,
  SystemHandlers
)

/** The same for RPC. */
const Calls = Layer.mergeAll(
  AccountsCalls,
  SessionsCalls,
  MailCalls,
  FactorsCalls,
  MembershipsCalls,
  InvitationsCalls,
  TenantsCalls,
  MessagesCalls,
  ConversationsCalls,
  GenerationsCalls,
  KeysCalls,
  LimitsCalls,
  ProviderKeysCalls,
  SsoCalls,
  IdentitiesCalls,
  UsageCalls,
  AdminCalls,
  AuditCalls
)

const Routes = Layer.mergeAll(
  Layer.provide(HttpApiBuilder.layer(Api), Handlers),
  Layer.provide(RpcServerLayer, Calls)
).pipe(
  Layer.provide([AuthorizationLayer, OperatorAuthorizationLayer, RequestSchemaLayer, RequestBodies.layer]),
  Layer.provide(TenantSwitch.layer),
  Layer.provide(Invitees.layer),
  Layer.provide([LoginPlaces.layer, SsoLogins.layer, ProviderLogins.layer]),
  Layer.provide(SsoTrips.layer),
  Layer.provide([Sessions.layer, Renewals.layer, SignUps.layer, MailRequests.layer]),
  Layer.provide([SecondStep.layer, Proofs.layer, PasskeyEnrolments.layer]),
  Layer.provide([SessionAnswers.layer, RefreshTokens.layer]),
  Layer.provide(CreationAttempts.layer),
  Layer.provide(ApiKeys.layer),
  Layer.provide([LoginThrottle.layer, AccessTokens.layer, ClientNetworks.layer]),
  Layer.provide(EngineLayer)
)

/** The whole program without its database, log and settings. Handlers may use `Drain` to learn that the server stops. */
export const ProgramLayer = httpServerLayer(Api, Routes, RPC_ROUTES)

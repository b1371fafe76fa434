import { HttpApi, OpenApi } from "effect/http-api"
import { AccountsApi } from "./AccountsApi.ts"
import { AuditApi } from "./AuditApi.ts"
import { AdminApi } from "./AdminApi.ts"
import { tidy } from "./Document.ts"
import { ConversationsApi } from "./ConversationsApi.ts"
import { RequestSchema } from "./Failures.ts"
import { FactorsApi } from "./FactorsApi.ts"
import { GenerationsApi } from "./GenerationsApi.ts"
import { IdentitiesApi } from "./IdentitiesApi.ts"
import { InvitationsApi } from "./InvitationsApi.ts"
import { KeysApi } from "./KeysApi.ts"
import { LimitsApi } from "./LimitsApi.ts"
import { LoginPolicyApi } from "./LoginPolicyApi.ts"
import { MailApi } from "./MailApi.ts"
import { MembershipsApi } from "./MembershipsApi.ts"
import { MessagesApi } from "./MessagesApi.ts"
import { OperatorApi } from "./OperatorApi.ts"
import { ProviderKeysApi } from "./ProviderKeysApi.ts"
import { SecondFactorApi } from "./SecondFactorApi.ts"
import { ServiceAccountsApi } from "./ServiceAccountsApi.ts"
import { SessionsApi } from "./SessionsApi.ts"
import { SsoApi } from "./SsoApi.ts"
import { StreamEvent } from "./StreamEvent.ts"
import { SystemApi } from "./SystemApi.ts"
import { TenantsApi } from "./TenantsApi.ts"
import { UsageApi } from "./UsageApi.ts"
import { VERSION } from "./Version.ts"
import { AnthropicApi } from "./v1/AnthropicApi.ts"
import { AnthropicError, OpenAiError } from "./v1/Errors.ts"
import { OpenAiApi } from "./v1/OpenAiApi.ts"
import { ResponsesApi } from "./v1/ResponsesApi.ts"

/** The whole HTTP API. The server implements it, `/openapi.json` and `/docs` are generated from it, clients are typed by it. */
export class Api extends HttpApi.make("llm-saas")
  .add(
    TenantsApi,
    AccountsApi,
    SessionsApi,
    MailApi,
    SecondFactorApi,
    FactorsApi,
    LoginPolicyApi,
    MembershipsApi,
    InvitationsApi,
    MessagesApi,
    ConversationsApi,
    GenerationsApi,
    KeysApi,
    ServiceAccountsApi,
    LimitsApi,
    ProviderKeysApi,
    SsoApi,
    IdentitiesApi,
    UsageApi,
    OpenAiApi,
    ResponsesApi,
    AnthropicApi,
    AdminApi,
    AuditApi,
    OperatorApi,
    SystemApi
  )
  .middleware(RequestSchema)
  .annotate(HttpApi.AdditionalSchemas, [StreamEvent, OpenAiError, AnthropicError])
  .annotateMerge(tidy)
  .annotateMerge(
    OpenApi.annotations({
      title: "LLM SaaS backend",
      version: VERSION,
      description:
        "Multi-tenant LLM backend. Errors are problem+json (RFC 9457) with a stable `code` and the `request_id`; at the addresses below `/v1` they have the form of the API whose clients call them."
    })
  ) {}

// Written by `npm run openapi` from packages/api/openapi.json: plain types, so that users of the client need no Effect.

/** A user's rights in their tenant. */
export type Role = "admin" | "user"

/** Whether people may create an account in the tenant themselves. */
export type Registration = "open" | "closed"

/** The status of an answer; the last four are final. */
export type GenerationStatus = "streaming" | "completed" | "failed" | "cancelled" | "interrupted"

/** Why the model stopped by itself. */
export type FinishReason = "stop" | "length" | "content_filter" | "tool_calls" | "other"

/** Why a password may not be chosen. */
export type PasswordFlaw = "short" | "common" | "simple" | "personal"

/** Why there is no whole answer. */
export type FailureReason = "model_unauthorized" | "model_rate_limited" | "model_unavailable" | "model_error" | "model_rejected" | "content_filtered" | "context_too_long" | "prompt_rejected" | "model_malformed" | "model_timeout" | "model_cut" | "answer_too_long" | "shutdown" | "process_lost" | "internal"

/** What an installation is: `setup` while it has no tenant; `mlflow_url` in development only. */
export interface About {
  readonly name: string
  readonly version: string
  readonly setup: boolean
  readonly tenant_creation: "open" | "token" | "closed"
  readonly password_min_length: number
  readonly require_verified_email: boolean
  readonly mock_model: boolean
  readonly mlflow_url: string | null
}

/** A customer of the installation. Times here, and in all other types, are ISO 8601. */
export interface Tenant {
  readonly id: string
  readonly name: string
  readonly registration: Registration
  readonly created_at: string
}

/** Members of a tenant to change; those left out stay. */
export interface ChangeTenant {
  readonly name?: string
  readonly registration?: Registration
}

/** What a tenant keeps of questions and answers; `days` with `content: "days"` only. */
export interface ContentRetention {
  readonly content: "full" | "none" | "days"
  readonly days?: number
}

/** A choice of it. */
export type ContentRetentionChoice = {
  readonly content: "full" | "none"
} | {
  readonly content: "days"
  readonly days: number
}

/** A person of one tenant. */
export interface User {
  readonly id: string
  readonly tenant_id: string
  readonly email: string
  readonly role: Role
  readonly status: "active" | "disabled"
  readonly created_at: string
}

/** The client's own user, with the tenant. */
export interface Profile {
  readonly id: string
  readonly tenant_id: string
  readonly email: string
  readonly role: Role
  readonly status: "active" | "disabled"
  readonly created_at: string
  readonly tenant: Tenant
}

/** A bearer token. `expires_in` is in seconds. Of a session also what renews it, and in how many seconds that ends. */
export interface Token {
  readonly access_token: string
  readonly token_type: "bearer"
  readonly expires_in: number
  readonly session_id?: string
  readonly refresh_token?: string
  readonly refresh_expires_in?: number
}

/** A login that is not over: it ends at `expires_at` unless it is renewed, and at `ends_at` in any case. */
export interface Session {
  readonly id: string
  readonly user_id: string
  readonly method: "password" | "registration" | "invitation" | "sso" | "provider" | "passkey" | "switch"
  readonly device: string | null
  readonly address: string | null
  readonly created_at: string
  readonly last_used_at: string
  readonly expires_at: string
  readonly ends_at: string
  readonly current: boolean
}

/** An address that a mail is asked for; `tenant_id` names one of its accounts. */
export interface MailRequest {
  readonly email: string
  readonly tenant_id?: string
}

/** The same after a second step, with the recovery codes of an account that set its first factor up. */
export interface LoginAnswer {
  readonly access_token: string
  readonly token_type: "bearer"
  readonly expires_in: number
  readonly session_id?: string
  readonly refresh_token?: string
  readonly refresh_expires_in?: number
  readonly recovery_codes?: ReadonlyArray<string>
}

/** The second step of a login: one of `code`, `recovery_code` and `passkey`. */
export interface SecondFactor {
  readonly challenge: string
  readonly code?: string
  readonly recovery_code?: string
  readonly passkey?: UsedPasskey
}

/** What `navigator.credentials.create` made, as JSON. */
export interface CreatedPasskey {
  readonly id: string
  readonly rawId: string
  readonly type: "public-key"
  readonly response: {
    readonly clientDataJSON: string
    readonly attestationObject: string
    readonly transports?: ReadonlyArray<"ble" | "cable" | "hybrid" | "internal" | "nfc" | "smart-card" | "usb">
  }
}

/** What `navigator.credentials.get` made, as JSON. */
export interface UsedPasskey {
  readonly id: string
  readonly rawId: string
  readonly type: "public-key"
  readonly response: {
    readonly clientDataJSON: string
    readonly authenticatorData: string
    readonly signature: string
    readonly userHandle?: string
  }
}

/** What a browser wants, and the `challenge` that comes back with its answer. */
export interface PasskeyCreation {
  readonly challenge: string
  readonly options: Readonly<Record<string, unknown>>
}

/** A passkey to add. */
export interface AddPasskey {
  readonly challenge: string
  readonly name?: string
  readonly passkey: CreatedPasskey
}

/** The second factors of an account. `required`: the last one stays. */
export interface Factors {
  readonly data: ReadonlyArray<Factor>
  readonly recovery_codes_left: number
  readonly required: boolean
}

/** The second factors of a user. */
export interface FactorList {
  readonly data: ReadonlyArray<Factor>
}

/** A second factor. */
export interface Factor {
  readonly id: string
  readonly kind: "totp" | "passkey"
  readonly name: string
  readonly created_at: string
  readonly last_used_at: string | null
  readonly backed_up: boolean | null
}

/** One-time codes to set up: the `secret`, and the same for a QR code. */
export interface NewTotp {
  readonly id: string
  readonly secret: string
  readonly uri: string
}

/** A second factor that counts from now on, with the recovery codes of an account that had none. */
export interface AddedFactor {
  readonly factor: Factor
  readonly recovery_codes: ReadonlyArray<string> | null
}

/** Recovery codes, which are shown this once. */
export interface NewRecoveryCodes {
  readonly recovery_codes: ReadonlyArray<string>
}

/** What proves who asks: one of these. */
export interface Prove {
  readonly code?: string
  readonly recovery_code?: string
  readonly passkey?: UsedPasskey
  readonly password?: string
  readonly challenge?: string
}

/** A proof, good for `expires_in` seconds. */
export interface Proof {
  readonly proof: string
  readonly expires_in: number
}

/** What a tenant asks of logins. */
export interface LoginPolicy {
  readonly second_factor: "optional" | "admins" | "everybody"
  readonly second_factor_after_sso: boolean
  readonly tenant_switch: boolean
  readonly link_by_email: boolean
}

/** A policy to set. `link_by_email` is false where it is left out. */
export interface LoginPolicyChoice {
  readonly second_factor: "optional" | "admins" | "everybody"
  readonly second_factor_after_sso: boolean
  readonly tenant_switch: boolean
  readonly link_by_email?: boolean
}

/** A provider for all tenants, as a login form shows it. */
export interface LoginProvider {
  readonly name: string
  readonly title: string
  readonly login_url: string
}

/** A provider at which a person is to be linked; `return_to` is a path of the server. */
export interface LinkIdentity {
  readonly provider: string
  readonly return_to?: string
}

/** Where the browser goes to log in there. */
export interface IdentityLink {
  readonly location: string
}

/** A person at an identity provider who logs in to the account. */
export interface SsoIdentity {
  readonly id: string
  readonly origin: "tenant" | "installation"
  readonly issuer: string
  readonly subject: string
  readonly created_at: string
  readonly last_login_at: string | null
}

/** An account of the person, in this tenant or another. */
export interface Membership {
  readonly tenant_id: string
  readonly name: string
  readonly user_id: string
  readonly role: Role
  readonly current: boolean
}

/** An address that is invited into a tenant. `user_id` is the account that accepting made. */
export interface Invitation {
  readonly id: string
  readonly tenant_id: string
  readonly email: string
  readonly role: Role
  readonly status: "pending" | "accepted" | "revoked" | "expired" | "lapsed"
  readonly invited_by: string
  readonly created_at: string
  readonly sent_at: string
  readonly expires_at: string
  readonly user_id: string | null
}

/** What the link of an invitation leads to. */
export interface InvitationOffer {
  readonly tenant_id: string
  readonly tenant_name: string
  readonly email: string
  readonly role: Role
  readonly expires_at: string
  readonly login_url: string | null
}

/** A question and its answer. `response` is null until the answer ended, and partial if it did not complete. `latency_ms` and `ttft_ms` are milliseconds from the request to the end of the answer, and to its first token. */
export interface Message {
  readonly id: string
  readonly conversation_id: string | null
  readonly generation_id: string | null
  readonly user_id: string
  readonly content: string
  readonly response: string | null
  readonly tool_calls: ReadonlyArray<ToolCall> | null
  readonly model: string | null
  readonly status: GenerationStatus
  readonly finish_reason: FinishReason | null
  readonly failure: FailureReason | null
  readonly tokens_in: number | null
  readonly tokens_out: number | null
  readonly approx_tokens_in: number | null
  readonly approx_tokens_out: number | null
  readonly latency_ms: number | null
  readonly ttft_ms: number | null
  readonly created_at: string
}

/** A tool that the model calls, for the client to run. `arguments` is JSON, as the model wrote it. */
export interface ToolCall {
  readonly id: string
  readonly name: string
  readonly arguments: string
}

/** A series of messages. `model` and `system` are for its questions that have none of their own. */
export interface Conversation {
  readonly id: string
  readonly user_id: string
  readonly title: string | null
  readonly model: string | null
  readonly system: string | null
  readonly created_at: string
  readonly updated_at: string
}

/** A conversation to begin. */
export interface CreateConversation {
  readonly title?: string | null
  readonly model?: string | null
  readonly system?: string | null
}

/** Members of a conversation to change; those left out stay. */
export interface ChangeConversation {
  readonly title?: string | null
  readonly model?: string | null
  readonly system?: string | null
}

/** An answer's status and its text so far. `seq` is the last token's position. */
export interface Generation {
  readonly id: string
  readonly message_id: string
  readonly status: GenerationStatus
  readonly finish_reason: FinishReason | null
  readonly failure: FailureReason | null
  readonly text: string
  readonly seq: number
  readonly created_at: string
}

/** An answer that is not over. `tokens_per_second` is the average since `started_at`, null before the first token; `email` null: a service account. */
export type AnswerUnderWay = {
  readonly id: string
  readonly conversation_id: string | null
  readonly user: {
    readonly id: string
    readonly email: string | null
    readonly name: string | null
  }
  readonly key: {
    readonly id: string
    readonly name: string
  } | null
  readonly model: string
  readonly door: "messages" | "messages.stream" | "rpc" | "chat.completions" | "responses" | "anthropic.messages" | "embeddings"
  readonly status: "streaming" | "stopping"
  readonly started_at: string
  readonly tokens: number
  readonly tokens_per_second: number | null
}

/** Something that was done in a tenant. `address`: where the session was seen last that it is about; null: there is none, or not any more. */
export interface AuditEvent {
  readonly id: string
  readonly at: string
  readonly type: string
  readonly actor: AuditActor
  readonly subject: AuditSubject | null
  readonly request_id: string | null
  readonly address: string | null
  readonly details: Readonly<Record<string, unknown>>
}

/** Who did it. `nobody`: a deed of no one, such as a failed login. `key`: the API key it was done with. */
export type AuditActor = {
  readonly kind: "user" | "service_account" | "operator" | "nobody"
  readonly id: string | null
  readonly email: string | null
  readonly name: string | null
  readonly key: {
    readonly id: string
    readonly name: string | null
  } | null
}

/** What it was done to. `name`: a user's address or a key's name, while it exists. */
export interface AuditSubject {
  readonly kind: string
  readonly id: string | null
  readonly name: string | null
}

/** A user's rating of an answer. */
export interface Feedback {
  readonly message_id: string
  readonly user_id: string
  readonly rating: number
  readonly comment: string | null
  readonly created_at: string
  readonly updated_at: string
}

/** Whether the installation's tenants are kept apart: the rules, the trials and their findings. */
export interface IsolationReport {
  readonly ok: boolean
  readonly checked_at: string
  readonly server_version: string
  readonly schema_version: number
  readonly login: string
  readonly checks: ReadonlyArray<IsolationCheck>
  readonly findings: ReadonlyArray<IsolationFinding>
  readonly notes: ReadonlyArray<string>
}

/** One rule or trial. */
export interface IsolationCheck {
  readonly kind: "rule" | "trial"
  readonly name: string
  readonly tried: number
  readonly findings: number
}

/** An object that does not keep tenants apart. */
export interface IsolationFinding {
  readonly check: string
  readonly object: string
  readonly detail: string
}

/** One event of an answer's stream. `delta` is one token: `seq` counts from 1. `end`: the answer is whole, and stored. */
export type StreamEvent = {
  readonly type: "start"
  readonly generation_id: string
  readonly message_id: string
  readonly conversation_id: string | null
  readonly model: string
} | {
  readonly type: "delta"
  readonly seq: number
  readonly text: string
} | {
  readonly type: "reasoning"
  readonly seq: number
  readonly text: string
} | {
  readonly type: "tool_call"
  readonly seq: number
  readonly index: number
  readonly id?: string
  readonly name?: string
  readonly arguments: string
} | {
  readonly type: "usage"
  readonly tokens_in: number | null
  readonly tokens_out: number | null
  readonly approx_tokens_in: number | null
  readonly approx_tokens_out: number | null
  readonly latency_ms: number | null
} | {
  readonly type: "end"
  readonly status: "completed"
  readonly finish_reason: FinishReason | null
  readonly message_id: string
  readonly seq: number
}

/** A question: its text, its conversation, and how it is to be answered. */
export interface Question {
  readonly content?: string
  readonly conversation_id?: string | null
  readonly model?: string
  readonly system?: string
  readonly temperature?: number
  readonly max_tokens?: number
  readonly tools?: ReadonlyArray<FunctionTool>
  readonly tool_choice?: "auto" | "none" | "required" | {
    readonly name: string
  }
  readonly tool_results?: ReadonlyArray<ToolResult>
  readonly attachments?: ReadonlyArray<Attachment>
  readonly response_format?: "text" | "json" | SchemaFormat
}

/** A function that the model may call. `parameters` is the JSON Schema of its arguments. */
export interface FunctionTool {
  readonly name: string
  readonly description?: string
  readonly parameters?: Readonly<Record<string, unknown>>
  readonly strict?: boolean
}

/** What a tool says to a call of the answer before. Without a conversation, with the `name` and `arguments` of the call. */
export interface ToolResult {
  readonly id: string
  readonly content: string
  readonly failed?: boolean
  readonly name?: string
  readonly arguments?: string
}

/** An image, a sound or a file: its bytes in base64, or its address. */
export interface Attachment {
  readonly media_type: string
  readonly data?: string
  readonly url?: string
  readonly name?: string
}

/** JSON of this schema. */
export interface SchemaFormat {
  readonly name?: string
  readonly schema: Readonly<Record<string, unknown>>
  readonly strict?: boolean
}

/** What an API key may do. */
export type Scope = "chat" | "embeddings" | "messages:read" | "messages:write" | "usage:read" | "keys:write" | "admin"

/** An API key, without its secret. `begins_with` is how it begins. */
export interface ApiKey {
  readonly id: string
  readonly tenant_id: string
  readonly owner: {
    readonly kind: "user" | "service_account"
    readonly id: string
  }
  readonly name: string
  readonly begins_with: string
  readonly scopes: ReadonlyArray<Scope>
  readonly models: ReadonlyArray<string> | null
  readonly metadata: Readonly<Record<string, string>>
  readonly status: "active" | "disabled" | "expired"
  readonly created_at: string
  readonly expires_at: string | null
  readonly disabled_at: string | null
  readonly rotated_at: string | null
  readonly previous_until: string | null
  readonly last_used_at: string | null
  readonly limits: Limits
  readonly budget: Budget | null
}

/** An API key with its secret, `key`: null only in a repeated answer. */
export interface NewApiKey {
  readonly id: string
  readonly tenant_id: string
  readonly owner: {
    readonly kind: "user" | "service_account"
    readonly id: string
  }
  readonly name: string
  readonly begins_with: string
  readonly scopes: ReadonlyArray<Scope>
  readonly models: ReadonlyArray<string> | null
  readonly metadata: Readonly<Record<string, string>>
  readonly status: "active" | "disabled" | "expired"
  readonly created_at: string
  readonly expires_at: string | null
  readonly disabled_at: string | null
  readonly rotated_at: string | null
  readonly previous_until: string | null
  readonly last_used_at: string | null
  readonly limits: Limits
  readonly budget: Budget | null
  readonly key: string | null
}

/** The key of the client, and what was asked with it, by calendar days and months in UTC. */
export interface CurrentKey {
  readonly id: string
  readonly tenant_id: string
  readonly owner: {
    readonly kind: "user" | "service_account"
    readonly id: string
  }
  readonly name: string
  readonly begins_with: string
  readonly scopes: ReadonlyArray<Scope>
  readonly models: ReadonlyArray<string> | null
  readonly metadata: Readonly<Record<string, string>>
  readonly status: "active" | "disabled" | "expired"
  readonly created_at: string
  readonly expires_at: string | null
  readonly disabled_at: string | null
  readonly rotated_at: string | null
  readonly previous_until: string | null
  readonly last_used_at: string | null
  readonly limits: Limits
  readonly budget: Budget | null
  readonly usage: {
    readonly today: KeyUsage
    readonly this_month: KeyUsage
  }
  readonly left: KeyLeft | null
}

/** What was asked with a key. `cost_usd` is null where a price is not known. */
export interface KeyUsage {
  readonly requests: number
  readonly tokens_in: number
  readonly tokens_out: number
  readonly cost_usd: number | null
}

/** A key to make. `owner` is `me`, or the id of a service account. */
export interface CreateKey {
  readonly name: string
  readonly owner?: "me" | string
  readonly scopes: ReadonlyArray<Scope>
  readonly models?: ReadonlyArray<string> | null
  readonly expires_at?: string | null
  readonly metadata?: Readonly<Record<string, string>>
  readonly limits?: LimitsChange
  readonly budget?: BudgetChoice | null
}

/** Members of a key to change; those left out stay. */
export interface ChangeKey {
  readonly name?: string
  readonly scopes?: ReadonlyArray<Scope>
  readonly models?: ReadonlyArray<string> | null
  readonly expires_at?: string | null
  readonly disabled?: boolean
  readonly metadata?: Readonly<Record<string, string>>
  readonly limits?: LimitsChange
  readonly budget?: BudgetChoice | null
}

/** What may be asked at a time; null: not limited here. */
export interface Limits {
  readonly requests_per_minute: number | null
  readonly tokens_per_minute: number | null
  readonly concurrent: number | null
}

/** Limits to set; those left out stay, and null takes one away. */
export interface LimitsChange {
  readonly requests_per_minute?: number | null
  readonly tokens_per_minute?: number | null
  readonly concurrent?: number | null
}

/** All limits and budgets that hold for a request. */
export interface LimitsInForce {
  readonly data: ReadonlyArray<LimitInForce>
}

/** What is limited of a key, a user, the tenant or its questions to a model, and what is left of it; null: not limited. */
export interface LimitInForce {
  readonly scope: "tenant" | "user" | "key" | "model"
  readonly model: string | null
  readonly requests: OfMinute | null
  readonly tokens: OfMinute | null
  readonly concurrent: OfAnswers | null
  readonly budgets: ReadonlyArray<OfBudget>
}

/** What is left of a key's limits; null: not limited. */
export interface KeyLeft {
  readonly requests: OfMinute | null
  readonly tokens: OfMinute | null
  readonly concurrent: OfAnswers | null
  readonly budgets: ReadonlyArray<OfBudget>
}

/** Of a limit of the minute: how much of it can be used now, and when all of it can. */
export interface OfMinute {
  readonly limit: number
  readonly remaining: number
  readonly reset_at: string
}

/** Answers that run, and how many more may. */
export interface OfAnswers {
  readonly limit: number
  readonly running: number
  readonly remaining: number
}

/** A budget in its current period. Amounts are US dollars as decimal texts; `reserved` is for answers that run. */
export interface OfBudget {
  readonly amount: string
  readonly period: "day" | "week" | "month" | "total"
  readonly spent: string
  readonly reserved: string
  readonly left: string
  readonly until: string | null
}

/** What may be spent in a period: a decimal text of US dollars. */
export interface Budget {
  readonly amount: string
  readonly period: "day" | "week" | "month" | "total"
  readonly alert_at: ReadonlyArray<number>
}

/** A budget to set. */
export interface BudgetChoice {
  readonly amount: string
  readonly period: "day" | "week" | "month" | "total"
  readonly alert_at?: ReadonlyArray<number>
}

/** A person of one tenant as its admins manage them, with their own limits. */
export interface ManagedUser {
  readonly id: string
  readonly tenant_id: string
  readonly email: string
  readonly role: Role
  readonly status: "active" | "disabled"
  readonly created_at: string
  readonly limits: Limits
  readonly budget: Budget | null
}

/** Members of a user to change; those left out stay. */
export interface ChangeUser {
  readonly role?: Role
  readonly status?: "active" | "disabled"
  readonly limits?: LimitsChange
  readonly budget?: BudgetChoice | null
}

/** A service account to create. */
export interface CreateServiceAccount {
  readonly name: string
  readonly role?: Role
  readonly limits?: LimitsChange
  readonly budget?: BudgetChoice | null
}

/** Its limits and budget; those left out stay. */
export interface ChangeServiceAccount {
  readonly limits?: LimitsChange
  readonly budget?: BudgetChoice | null
}

/** What was used and what it cost, summed over what the row names. Amounts are US dollars, decimals as text; `key_id` null is a login. */
export interface UsageRow {
  readonly day?: string
  readonly user_id?: string | null
  readonly key_id?: string | null
  readonly model?: string
  readonly door?: string
  readonly requests: number
  readonly errors: number
  readonly unpriced: number
  readonly units: Readonly<Record<string, number>>
  readonly cost_usd: string
  readonly latency_p50_ms: number | null
  readonly latency_p95_ms: number | null
  readonly ttft_p50_ms: number | null
  readonly ttft_p95_ms: number | null
}

/** An owner of keys who is no person. */
export interface ServiceAccount {
  readonly id: string
  readonly tenant_id: string
  readonly name: string
  readonly role: Role
  readonly created_at: string
  readonly limits: Limits
  readonly budget: Budget | null
}

/** A tenant's key at a provider, without the key. */
export interface ProviderKey {
  readonly id: string
  readonly tenant_id: string
  readonly provider: string
  readonly name: string
  readonly models: ReadonlyArray<string> | null
  readonly status: "active" | "disabled" | "unreadable"
  readonly created_at: string
  readonly disabled_at: string | null
}

/** A key at a provider, to keep. */
export interface CreateProviderKey {
  readonly provider: string
  readonly name: string
  readonly key: string
  readonly models?: ReadonlyArray<string> | null
}

/** Members of a key at a provider to change; those left out stay. */
export interface ChangeProviderKey {
  readonly name?: string
  readonly models?: ReadonlyArray<string> | null
  readonly disabled?: boolean
}

/** A tenant's own OpenID Connect provider, without the client's secret. */
export interface SsoConnection {
  readonly tenant_id: string
  readonly slug: string
  readonly issuer: string
  readonly client_id: string
  readonly trust_email: boolean
  readonly jit: boolean
  readonly role_claim: string | null
  readonly admin_values: ReadonlyArray<string>
  readonly required: boolean
  readonly enabled: boolean
  readonly has_secret: boolean
  readonly domains: ReadonlyArray<SsoDomain>
  readonly status: "active" | "disabled" | "unreadable"
  readonly login_url: string
  readonly redirect_uri: string
  readonly created_at: string
  readonly updated_at: string
}

/** A domain of a connection. `routed`: its people are led there, since DNS has `record`. */
export interface SsoDomain {
  readonly domain: string
  readonly routed: boolean
  readonly record: {
    readonly name: string
    readonly type: "TXT"
    readonly value: string
  }
}

/** What it is to be. A `client_secret` that is left out stays, unless the issuer or the client changes. */
export interface SsoConnectionChoice {
  readonly slug: string
  readonly issuer: string
  readonly client_id: string
  readonly client_secret?: string | null
  readonly domains?: ReadonlyArray<string>
  readonly trust_email?: boolean
  readonly jit?: boolean
  readonly role_claim?: string | null
  readonly admin_values?: ReadonlyArray<string>
  readonly required?: boolean
  readonly enabled?: boolean
}

/** Where to log in: null is by password. */
export interface LoginPlace {
  readonly login_url: string | null
}

/** A token of the operator, without its secret. `expires_at` null: never. */
export interface OperatorToken {
  readonly id: string
  readonly name: string
  readonly expires_at: string | null
}

/** A tenant as the operator sees it. `markup`, `models` and `content_days_at_most` are its plan's; `users`: how many people have an account. */
export interface OperatorTenant {
  readonly id: string
  readonly name: string
  readonly status: "active" | "suspended" | "erased"
  readonly registration: Registration
  readonly created_at: string
  readonly plan_id: string | null
  readonly plan: string | null
  readonly markup: string
  readonly models: ReadonlyArray<string> | null
  readonly content_days_at_most: number | null
  readonly users: number
  readonly sso_required: boolean
}

/** A tenant to create. */
export interface CreateOperatorTenant {
  readonly name: string
  readonly plan_id?: string | null
}

/** What an erasure removed: rows by table. */
export interface Erasure {
  readonly tenant_id: string
  readonly status: "running" | "done"
  readonly begun_at: string
  readonly ended_at: string | null
  readonly counts: Readonly<Record<string, number>>
}

/** A correction of what a tenant owes: US dollars as decimal texts. */
export interface Correction {
  readonly amount: string
  readonly provider_amount?: string
  readonly generation_id?: string | null
  readonly note: string
}

/** A correction with the id of its entry in the ledger. */
export interface MadeCorrection {
  readonly id: string
  readonly tenant_id: string
  readonly amount: string
  readonly provider_amount: string
  readonly generation_id: string | null
  readonly note: string
}

/** What tenants may use and what it costs them: `markup` is what they owe for each dollar of the provider's price. */
export interface Plan {
  readonly id: string
  readonly name: string
  readonly limits: PlanLimits
  readonly models: ReadonlyArray<string> | null
  readonly markup: string
  readonly content_days_at_most: number | null
  readonly created_at: string
  readonly updated_at: string
  readonly tenants: number
}

/** A plan to make, or that takes the place of one. */
export interface PlanChoice {
  readonly name: string
  readonly limits?: PlanLimits
  readonly models?: ReadonlyArray<string> | null
  readonly markup?: string
  readonly content_days_at_most?: number | null
}

/** Limits and budgets; what is left out is not limited. */
export interface PlanLimits {
  readonly tenant?: {
    readonly limits?: LimitsChange
    readonly budget?: BudgetChoice | null
  }
  readonly user?: {
    readonly limits?: LimitsChange
    readonly budget?: BudgetChoice | null
  }
  readonly key?: {
    readonly limits?: LimitsChange
    readonly budget?: BudgetChoice | null
  }
  readonly models?: Readonly<Record<string, {
    readonly limits: LimitsChange
  }>>
}

/** A price of a provider: US dollars for `per` of the unit. `own`: the operator's. */
export interface OperatorPrice {
  readonly id: string
  readonly provider: string
  readonly model: string
  readonly unit: "input" | "cache_read" | "cache_write" | "cache_write_1h" | "input_audio" | "input_image" | "output" | "reasoning" | "output_audio" | "searches" | "requests"
  readonly service_tier: string
  readonly tier_start: number
  readonly per: number
  readonly amount: string
  readonly since: string | null
  readonly until: string | null
  readonly source: string
  readonly own: boolean
}

/** A price to add. */
export interface AddPrice {
  readonly provider: string
  readonly model: string
  readonly unit: "input" | "cache_read" | "cache_write" | "cache_write_1h" | "input_audio" | "input_image" | "output" | "reasoning" | "output_audio" | "searches" | "requests"
  readonly amount: string
  readonly per?: number
  readonly service_tier?: string
  readonly tier_start?: number
  readonly since?: string | null
}

/** What was used, and what it cost: sums by the groups that were asked for. Amounts are US dollars, decimals as text. */
export interface OperatorUsage {
  readonly tenant_id: string | null
  readonly model: string | null
  readonly day: string | null
  readonly requests: number
  readonly errors: number
  readonly units: Readonly<Record<string, number>>
  readonly tenant_amount: string
  readonly provider_amount: string
  readonly margin_amount: string
}

/** Something that the operator did; `token` null: a command of an administrator of the database. */
export interface OperatorEvent {
  readonly id: string
  readonly at: string
  readonly token_id: string | null
  readonly token: string | null
  readonly action: string
  readonly tenant_id: string | null
  readonly target_kind: string | null
  readonly target_id: string | null
  readonly request_id: string | null
  readonly detail: Readonly<Record<string, unknown>>
}

/** A model at a provider. `breaker` open: no questions are sent, for `retry_seconds` more. `tenants_waiting`: how many tenants' alone are not. */
export interface TargetHealth {
  readonly provider: string
  readonly model: string
  readonly breaker: "closed" | "open" | "trying"
  readonly retry_seconds: number | null
  readonly tenants_waiting: number
}

/** How providers are, and what waits: to be sent to MLflow, and by mail. */
export interface OperatorHealth {
  readonly targets: ReadonlyArray<TargetHealth>
  readonly tracking: {
    readonly pending: number
    readonly parked: number
    readonly oldest_seconds: number
  }
  readonly mail: {
    readonly waiting: number
    readonly oldest_seconds: number
  }
}

/** Stable codes of the problems. */
export type ProblemCode =
  | "budget_exhausted"
  | "challenge_ended"
  | "content_filtered"
  | "context_too_long"
  | "conversation_not_found"
  | "csrf_refused"
  | "domain_unproven"
  | "email_taken"
  | "email_unverified"
  | "expectation_failed"
  | "factor_not_found"
  | "factor_required"
  | "forbidden"
  | "generation_cancelled"
  | "generation_not_found"
  | "headers_too_large"
  | "idempotency_mismatch"
  | "identity_not_found"
  | "identity_taken"
  | "insufficient_scope"
  | "internal_error"
  | "invalid_credentials"
  | "invalid_grant"
  | "invalid_request"
  | "invalid_second_factor"
  | "invalid_utf8"
  | "invitation_ended"
  | "invitation_not_found"
  | "invitation_refused"
  | "key_not_found"
  | "last_admin"
  | "last_login"
  | "limit_beyond_plan"
  | "limit_reached"
  | "link_refused"
  | "malformed_json"
  | "malformed_request"
  | "message_not_found"
  | "method_not_allowed"
  | "model_failed"
  | "model_not_allowed"
  | "model_not_found"
  | "model_timed_out"
  | "model_unavailable"
  | "model_unpriced"
  | "not_found"
  | "passkey_refused"
  | "password_refused"
  | "payload_too_large"
  | "plan_in_use"
  | "plan_name_taken"
  | "plan_not_found"
  | "price_not_found"
  | "prompt_rejected"
  | "prompt_too_long"
  | "proof_required"
  | "provider_key_not_found"
  | "provider_not_found"
  | "redirect_refused"
  | "registration_refused"
  | "request_timeout"
  | "second_factor_required"
  | "service_account_not_found"
  | "session_not_found"
  | "session_required"
  | "slug_taken"
  | "sso_expired"
  | "sso_not_found"
  | "sso_refused"
  | "sso_required"
  | "sso_unavailable"
  | "sso_untried"
  | "still_running"
  | "tenant_creation_closed"
  | "tenant_erased"
  | "tenant_not_found"
  | "tenant_required"
  | "too_many_requests"
  | "unauthenticated"
  | "unavailable"
  | "unknown_parameter"
  | "unsupported_media_type"
  | "user_not_found"

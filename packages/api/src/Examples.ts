import type { AnswerUnderWay } from "@llm-saas/domain/AnswerUnderWay"
import type { AuditEvent } from "@llm-saas/domain/AuditEvent"
import type { ApiKey, CurrentKey, NewApiKey, ServiceAccount } from "@llm-saas/domain/ApiKey"
import type { Conversation } from "@llm-saas/domain/Conversation"
import type { Factor, NewTotp } from "@llm-saas/domain/Factor"
import type { Feedback } from "@llm-saas/domain/Feedback"
import type { Generation } from "@llm-saas/domain/Generation"
import type { Invitation, InvitationOffer } from "@llm-saas/domain/Invitation"
import type { IsolationReport } from "@llm-saas/domain/Isolation"
import type { Budget, Limits } from "@llm-saas/domain/Limit"
import type { LimitsInForce } from "@llm-saas/domain/LimitInForce"
import type { LoginPolicy } from "@llm-saas/domain/LoginPolicy"
import { type LoginProvider, LoginProviderName } from "@llm-saas/domain/LoginProvider"
import type { Membership } from "@llm-saas/domain/Membership"
import type { Message } from "@llm-saas/domain/Message"
import type { ProviderKey } from "@llm-saas/domain/ProviderKey"
import type { SsoConnection } from "@llm-saas/domain/SingleSignOn"
import type { SsoIdentity } from "@llm-saas/domain/SsoIdentity"
import type { ContentRetention, Tenant } from "@llm-saas/domain/Tenant"
import type { Session } from "@llm-saas/domain/Session"
import { problem, PROBLEMS } from "@llm-saas/domain/Problem"
import type { ManagedUser, Profile, User } from "@llm-saas/domain/User"
import type { UsageRow } from "@llm-saas/domain/UsageReport"
import { Predicate } from "effect"
import { OpenApi } from "effect/http-api"

// Example answers for the documentation. A test decodes each with the schema of its endpoint.

const CONVERSATION_ID = "01975a6e-0c8b-7d1e-9a54-5a4f0d3c2b1a"
const USER_ID = "01975a6b-11f0-7c3a-b0a9-2f6f4b7d8e90"
const MESSAGE_ID = "01975a6f-2b40-7e55-8c1d-9d3e6f7a8b2c"
const GENERATION_ID = "01975a6f-2b41-7a08-bf3e-1c2d3e4f5a6b"

const TENANT_ID = "01975a6a-7c1e-7b90-8d2f-0a1b2c3d4e5f"

export const tenant: typeof Tenant.Encoded = {
  id: TENANT_ID,
  name: "Acme Corp",
  registration: "open",
  created_at: "2026-11-24T21:55:00.000Z"
}

export const user: typeof User.Encoded = {
  id: USER_ID,
  tenant_id: TENANT_ID,
  email: "alice@acme.com",
  role: "admin",
  status: "active",
  created_at: "2026-11-24T21:56:00.000Z"
}

export const colleague: typeof User.Encoded = {
  id: "01975a71-3d52-7c66-a1b0-4c5d6e7f8091",
  tenant_id: TENANT_ID,
  email: "bob@acme.com",
  role: "user",
  status: "active",
  created_at: "2026-11-24T22:10:00.000Z"
}

/** The text of a link's token. */
export const ONE_TIME_TOKEN = "ot_7sGbnHCSfKrQyGhL9hEBwR1cYJ5kWmD8vTzXpN3aFu6aBcDeF"

export const limits: typeof Limits.Encoded = { requests_per_minute: 60, tokens_per_minute: null, concurrent: 5 }

export const budget: typeof Budget.Encoded = { amount: "20.00", period: "month", alert_at: [50, 80, 100] }

export const allowance = {
  limits: { requests_per_minute: 60, concurrent: 5 },
  budget: { amount: "20.00", period: "month" }
}

const unlimited = { limits: { requests_per_minute: null, tokens_per_minute: null, concurrent: null }, budget: null }

export const managed: typeof ManagedUser.Encoded = { ...colleague, limits, budget }

const nextMonth = "2026-12-01T00:00:00.000Z"

const left: typeof CurrentKey.Encoded.left = {
  requests: { limit: 60, remaining: 58, reset_at: "2026-11-24T22:31:02.000Z" },
  tokens: null,
  concurrent: { limit: 5, running: 1, remaining: 4 },
  budgets: [{ amount: "20.00", period: "month", spent: "4.0912", reserved: "0.03", left: "15.8788", until: nextMonth }]
}

export const limitsInForce: typeof LimitsInForce.Encoded.data = [{ scope: "user", model: null, ...left }]

export const retention: typeof ContentRetention.Encoded = { content: "days", days: 30 }

export const profile: typeof Profile.Encoded = { ...user, tenant }

export const isolation: typeof IsolationReport.Encoded = {
  ok: false,
  checked_at: "2026-11-24T22:15:00.000Z",
  server_version: "18.7",
  schema_version: 5,
  login: "llm_api",
  checks: [
    { kind: "rule", name: "table_without_wall", tried: 1, findings: 1 },
    { kind: "trial", name: "an admin of another tenant", tried: 120, findings: 0 }
  ],
  findings: [
    {
      check: "table_without_wall",
      object: "app.messages",
      detail: "restrictive policy tenant_wall for all to llm_tenant, on tenant_id()"
    }
  ],
  notes: ["Tried with tenants that existed for this report alone; everything was taken back."]
}

export const usageRow: typeof UsageRow.Encoded = {
  day: "2026-11-24",
  model: "gpt-5",
  requests: 1204,
  errors: 3,
  unpriced: 0,
  units: { input: 481200, cache_read: 120300, output: 96410 },
  cost_usd: "1.61863",
  latency_p50_ms: 1512,
  latency_p95_ms: 5547,
  ttft_p50_ms: 240,
  ttft_p95_ms: 932
}

export const token = {
  access_token: "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTk3NWE2YiJ9.c2lnbmF0dXJl",
  token_type: "bearer",
  expires_in: 3600
} as const

export const sessionToken = {
  ...token,
  session_id: "01975a72-3b4c-7d5e-8f60-718293a4b5c6",
  refresh_token: "rt_0Xk2mVb7YdQe5nTz9Rw1Lp4Gs6Hj8Fc3Aa0Zx5Ui7Oy4Kt2Wm1Nq",
  refresh_expires_in: 1_209_600
} as const

export const session: typeof Session.Encoded = {
  id: sessionToken.session_id,
  user_id: USER_ID,
  method: "password",
  device: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
  address: "203.0.113.7",
  created_at: "2026-11-24T22:03:12.000Z",
  last_used_at: "2026-11-25T08:14:50.000Z",
  expires_at: "2026-12-09T08:14:50.000Z",
  ends_at: "2027-02-22T22:03:12.000Z",
  current: true
}

/** No secret that works: made of the example's own text. */
export const newTotp: typeof NewTotp.Encoded = {
  id: "01975a70-5b1c-7d3e-8a20-6f7a8b9c0d1e",
  secret: "MV4GC3LQNRSSA43FMNZGK5BAN5TCAMRQ",
  uri: "otpauth://totp/Acme%20Corp:alice%40acme.com?secret=MV4GC3LQNRSSA43FMNZGK5BAN5TCAMRQ&issuer=Acme%20Corp&algorithm=SHA1&digits=6&period=30"
}

export const factor: typeof Factor.Encoded = {
  id: newTotp.id,
  kind: "totp",
  name: "phone",
  created_at: "2026-11-24T22:05:00.000Z",
  last_used_at: "2026-11-24T22:06:00.000Z",
  backed_up: null
}

export const passkeyFactor: typeof Factor.Encoded = { ...factor, kind: "passkey", name: "laptop", backed_up: true }

const CHALLENGE = "pk_c2VhbGVk"

export const passkeyCreation = {
  challenge: CHALLENGE,
  options: { challenge: "Y2hhbGxlbmdl", rp: { id: "app.acme.com", name: "llm-saas" } }
}

export const passkeyRequest = {
  challenge: CHALLENGE,
  options: { challenge: "Y2hhbGxlbmdl", rpId: "app.acme.com", userVerification: "preferred" }
}

export const addPasskey = {
  challenge: CHALLENGE,
  name: "laptop",
  passkey: {
    id: "Y3JlZGVudGlhbA",
    rawId: "Y3JlZGVudGlhbA",
    type: "public-key",
    response: { clientDataJSON: "e30", attestationObject: "oA", transports: ["internal"] }
  }
}

export const recoveryCodes = ["7k3mv-9x2dq-h4t8w-1nz6c-r5bfa", "0q8ej-y6vgs-3pm2k-x9dt4-n7hcw"]

export const loginPolicy: typeof LoginPolicy.Encoded = {
  second_factor: "admins",
  second_factor_after_sso: false,
  tenant_switch: true,
  link_by_email: false
}

export const membership: typeof Membership.Encoded = {
  tenant_id: TENANT_ID,
  name: "Acme Corp",
  user_id: USER_ID,
  role: "admin",
  current: true
}

/** The token of a link in a mail. */
export const LINK_TOKEN = "ot_3mKq8Vt0ZyB5nR1xLw7Cj9Hd2Gs6Fp4Ua0Ei8Ok1Qb3Xr7"

export const invitation: typeof Invitation.Encoded = {
  id: "01975a72-0b6e-7f10-9c3d-5e6f708192a3",
  tenant_id: TENANT_ID,
  email: "carol@acme.com",
  role: "user",
  status: "pending",
  invited_by: USER_ID,
  created_at: "2026-11-24T22:12:00.000Z",
  sent_at: "2026-11-24T22:12:00.000Z",
  expires_at: "2026-12-01T22:12:00.000Z",
  user_id: null
}

export const invitationOffer: typeof InvitationOffer.Encoded = {
  tenant_id: TENANT_ID,
  tenant_name: tenant.name,
  email: invitation.email,
  role: invitation.role,
  expires_at: invitation.expires_at,
  login_url: null
}

export const createKey = { name: "support bot", scopes: ["chat", "messages:read"], expires_at: "2027-11-24T22:00:00Z" }

export const apiKey: typeof ApiKey.Encoded = {
  id: "01975a72-0d1e-7f20-9c31-5d6e7f8091a2",
  tenant_id: TENANT_ID,
  owner: { kind: "user", id: USER_ID },
  name: "support bot",
  begins_with: "sk-3wZr1T5xXn4Lb7Vd",
  scopes: ["chat", "messages:read"],
  models: null,
  metadata: {},
  status: "active",
  created_at: "2026-11-24T22:20:00.000Z",
  expires_at: "2027-11-24T22:00:00.000Z",
  disabled_at: null,
  rotated_at: null,
  previous_until: null,
  last_used_at: "2026-11-24T22:31:00.000Z",
  ...unlimited
}

/** No key that works, and none that a scanner takes for one: its checksum is wrong. */
export const newKey: typeof NewApiKey.Encoded = {
  ...apiKey,
  last_used_at: null,
  key: "sk-3wZr1T5xXn4Lb7Vd-EXAMPLEexampleEXAMPLEexampleEXAMPLEexampleEXAMPLE"
}

export const currentKey: typeof CurrentKey.Encoded = {
  ...apiKey,
  limits,
  budget,
  left,
  usage: {
    today: { requests: 12, tokens_in: 8_040, tokens_out: 2_310, cost_usd: 0.0034 },
    this_month: { requests: 310, tokens_in: 201_200, tokens_out: 61_050, cost_usd: 0.0912 }
  }
}

export const createProviderKey = {
  provider: "openai",
  name: "our account",
  key: "sk-proj-0123456789abcdef",
  models: ["fast"]
}

export const ssoConnectionChoice = {
  slug: "acme",
  issuer: "https://login.acme.com",
  client_id: "llm-saas",
  client_secret: "wJalrXUtnFEMI",
  domains: ["acme.com"],
  jit: true,
  role_claim: "groups",
  admin_values: ["llm-admins"]
}

export const ssoConnection: typeof SsoConnection.Encoded = {
  tenant_id: TENANT_ID,
  slug: "acme",
  issuer: "https://login.acme.com",
  client_id: "llm-saas",
  trust_email: false,
  jit: true,
  role_claim: "groups",
  admin_values: ["llm-admins"],
  required: false,
  enabled: true,
  has_secret: true,
  domains: [
    {
      domain: "acme.com",
      routed: false,
      record: { name: "_llm-saas.acme.com", type: "TXT", value: "llm-saas=5f0c8a2e9d3b4c61a7f0e8d2b95c3a1e4d6f7b80" }
    }
  ],
  status: "active",
  login_url: "https://llm.example.com/login/acme",
  redirect_uri: "https://llm.example.com/sso/callback",
  created_at: "2026-11-24T22:10:00.000Z",
  updated_at: "2026-11-24T22:10:00.000Z"
}

export const identity: typeof SsoIdentity.Encoded = {
  id: "01975a73-5a61-7b0c-8e42-6e7f8091a2c5",
  origin: "tenant",
  issuer: "https://login.acme.com",
  subject: "248289761001",
  created_at: "2026-11-24T22:15:00.000Z",
  last_login_at: "2026-11-25T07:58:00.000Z"
}

export const loginProvider: typeof LoginProvider.Encoded = {
  name: LoginProviderName.make("google"),
  title: "Google",
  login_url: "https://llm.example.com/login/with/google"
}

export const loginPlace = { login_url: "https://llm.example.com/login/acme" }

export const providerKey: typeof ProviderKey.Encoded = {
  id: "01975a73-5a61-7b0c-8e42-6e7f8091a2b4",
  tenant_id: TENANT_ID,
  provider: "openai",
  name: "our account",
  models: ["fast"],
  status: "active",
  created_at: "2026-11-24T22:25:00.000Z",
  disabled_at: null
}

export const serviceAccount: typeof ServiceAccount.Encoded = {
  id: "01975a73-5a61-7b0c-8e42-6e7f8091a2b3",
  tenant_id: TENANT_ID,
  name: "nightly report",
  role: "user",
  created_at: "2026-11-24T22:25:00.000Z",
  ...unlimited
}

export const conversation: typeof Conversation.Encoded = {
  id: CONVERSATION_ID,
  user_id: USER_ID,
  title: "LangChain",
  model: null,
  system: null,
  created_at: "2026-11-24T21:59:00.000Z",
  updated_at: "2026-11-24T22:03:12.000Z"
}

export const feedback: typeof Feedback.Encoded = {
  message_id: MESSAGE_ID,
  user_id: USER_ID,
  rating: -1,
  comment: "Not a word about agents.",
  created_at: "2026-11-24T22:04:00.000Z",
  updated_at: "2026-11-24T22:05:30.000Z"
}

export const question = { content: "What is LangChain?" }

export const message: typeof Message.Encoded = {
  id: MESSAGE_ID,
  conversation_id: null,
  generation_id: GENERATION_ID,
  user_id: USER_ID,
  ...question,
  response: "LangChain is a framework for programs that use language models.",
  tool_calls: null,
  model: "gpt-4o-mini",
  status: "completed",
  finish_reason: "stop",
  failure: null,
  tokens_in: 12,
  tokens_out: 11,
  approx_tokens_in: 5,
  approx_tokens_out: 16,
  latency_ms: 812.4,
  ttft_ms: 243.1,
  created_at: "2026-11-24T22:03:11.000Z"
}

export const auditEvent: typeof AuditEvent.Encoded = {
  id: "01975a72-0c11-7a50-9d1e-2b3c4d5e6f70",
  at: "2026-11-24T22:12:00.000Z",
  type: "user.changed",
  actor: { kind: "user", id: USER_ID, email: "alice@acme.com", name: null, key: null },
  subject: { kind: "user", id: colleague.id, name: "bob@acme.com" },
  request_id: "9f1c2b3a4d5e6f70",
  address: null,
  details: { role: "admin" }
}

export const underWay: typeof AnswerUnderWay.Encoded = {
  id: GENERATION_ID,
  conversation_id: CONVERSATION_ID,
  user: { id: USER_ID, email: "alice@acme.com", name: null },
  key: null,
  model: "gpt-4o-mini",
  door: "messages.stream",
  status: "streaming",
  started_at: "2026-11-24T22:31:00.000Z",
  tokens: 42,
  tokens_per_second: 38.2
}

export const generation: typeof Generation.Encoded = {
  id: GENERATION_ID,
  message_id: MESSAGE_ID,
  status: "streaming",
  finish_reason: null,
  failure: null,
  text: "LangChain is a framework",
  seq: 4,
  created_at: "2026-11-24T22:03:11.000Z"
}

const failure = {
  ...problem("model_failed"),
  detail: PROBLEMS.model_failed.detail,
  code: "model_failed",
  reason: "model_cut",
  generation_id: GENERATION_ID,
  request_id: "7b3c1f0a-5d0e-4a51-9f62-0f8f7a1e2d3c"
}

const id = (seq: number) => `id: ${GENERATION_ID}:${seq}`

/** Streams, byte for byte. */
export const streams = {
  text: {
    summary: "format=text",
    value: `: keep-alive
${id(1)}
data: LangChain

${id(2)}
data:  is a list:

${id(3)}
data: ${""}
data: - tools

${id(4)}
data: [DONE]

`
  },
  json: {
    summary: "format=json",
    value: `${id(0)}
data: {"type":"start","generation_id":"${GENERATION_ID}","message_id":"${MESSAGE_ID}","conversation_id":null,"model":"gpt-4o-mini"}

${id(1)}
data: {"type":"delta","seq":1,"text":"LangChain"}

data: {"type":"usage","tokens_in":12,"tokens_out":1,"approx_tokens_in":5,"approx_tokens_out":3,"latency_ms":812.4}

data: {"type":"end","status":"completed","finish_reason":"stop","message_id":"${MESSAGE_ID}","seq":1}

${id(2)}
data: [DONE]

`
  },
  failed: {
    summary: "a failure after the first byte",
    value: `${id(1)}
data: LangChain

${id(2)}
event: error
data: ${JSON.stringify(failure)}

`
  }
}

/** Adds the example of the answer with `status` and, for trying it in `/docs`, of the request `asked`. */
export const answers = (status: number, example: unknown, asked?: unknown) =>
  OpenApi.annotations({
    transform: (operation) => {
      const content = operation["responses"]?.[status]?.content?.["application/json"]
      if (content !== undefined) content.example = example
      return showing(operation, asked)
    }
  })

/** An example of what is asked, where the answer has no body. */
export const asked = (example: unknown) =>
  OpenApi.annotations({ transform: (operation) => showing(operation, example) })

/** Schema of one event of a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
const EVENT = {
  type: "object",
  description: "One event; the examples show the stream as it is sent.",
  properties: {
    id: { type: "string", description: "`<generation>:<seq>`: the place of a token." },
    event: { type: "string", enum: ["message", "error"] },
    data: {
      type: "string",
      description: "A token, or JSON with `format=json`; the last of a whole answer is `[DONE]`."
    }
  },
  required: ["data"]
}

const NOTHING_MORE =
  "The reader already has the last event, `[DONE]` or an error: there is nothing more. An `EventSource` stops reconnecting."

/**
 * Describes a stream as OpenAPI 3.1 allows: text, with examples. Effect's own description has a cause as the data of a failure, which
 * this server does not send.
 */
export const streamed = (asked?: unknown) =>
  OpenApi.annotations({
    transform: (operation) => {
      const response = operation["responses"]?.[200]
      if (response !== undefined) {
        response.description =
          "Server-sent events, one a token; see the description. `data: [DONE]` ends a whole answer, and nothing else does."
        response.headers = {
          "X-Generation-Id": {
            description: "The answer's generation, where it is known by then: what to resume, follow or cancel.",
            schema: { type: "string", format: "uuid" }
          }
        }
        response.content = { "text/event-stream": { schema: EVENT, examples: streams } }
      }
      const { responses } = operation
      if (Predicate.isObject(responses)) Reflect.set(responses, "204", { description: NOTHING_MORE })
      return showing(operation, asked)
    }
  })

const showing = (operation: Record<string, unknown>, asked: unknown) => {
  if (asked === undefined) return operation
  const { requestBody } = operation
  if (Predicate.hasProperty(requestBody, "content") && Predicate.isObject(requestBody.content))
    for (const media of Object.values(requestBody.content))
      if (Predicate.isObject(media)) Reflect.set(media, "example", asked)
  return operation
}

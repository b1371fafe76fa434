import type { MadeCorrection } from "@llm-saas/domain/Correction"
import type { OperatorPrice } from "@llm-saas/domain/OperatorPrice"
import type {
  Erasure,
  Health,
  OperatorEvent,
  OperatorTenant,
  OperatorToken,
  OperatorUsage
} from "@llm-saas/domain/Operator"
import type { Plan, PlanChoice } from "@llm-saas/domain/Plan"

// Example answers of the operator's endpoints. A test decodes each with the schema of its endpoint.

const TENANT_ID = "01975a6a-7c1e-7b90-8d2f-0a1b2c3d4e5f"
const PLAN_ID = "01975a60-1b2c-7d3e-8f40-5a6b7c8d9e0f"
const TOKEN_ID = "01975a5e-0a1b-7c2d-9e3f-4a5b6c7d8e9f"

export const token: typeof OperatorToken.Encoded = { id: TOKEN_ID, name: "on call", expires_at: null }

export const choice: typeof PlanChoice.Encoded = {
  name: "Team",
  limits: {
    tenant: { limits: { concurrent: 50 }, budget: { amount: "500.00", period: "month" } },
    user: { limits: { requests_per_minute: 60 } },
    models: { "gpt-4o": { limits: { requests_per_minute: 100 } } }
  },
  models: ["gpt-4o", "gpt-4o-mini"],
  markup: "1.25",
  content_days_at_most: 90
}

export const plan: typeof Plan.Encoded = {
  id: PLAN_ID,
  name: "Team",
  limits: choice.limits ?? {},
  models: ["gpt-4o", "gpt-4o-mini"],
  markup: "1.25",
  content_days_at_most: 90,
  created_at: "2026-11-24T21:40:00.000Z",
  updated_at: "2026-11-24T21:40:00.000Z",
  tenants: 12
}

export const tenant: typeof OperatorTenant.Encoded = {
  id: TENANT_ID,
  name: "Acme Corp",
  status: "active",
  registration: "open",
  created_at: "2026-11-24T21:55:00.000Z",
  plan_id: PLAN_ID,
  plan: "Team",
  markup: "1.25",
  models: ["gpt-4o", "gpt-4o-mini"],
  content_days_at_most: 90,
  users: 7,
  sso_required: false
}

export const erasure: typeof Erasure.Encoded = {
  tenant_id: TENANT_ID,
  status: "done",
  begun_at: "2026-11-26T09:00:00.000Z",
  ended_at: "2026-11-26T09:00:04.000Z",
  counts: { users: 7, messages: 420, conversations: 31, api_keys: 3 }
}

export const event: typeof OperatorEvent.Encoded = {
  id: "01975b10-2c3d-7e4f-8a50-6b7c8d9e0f1a",
  at: "2026-11-25T08:00:00.000Z",
  token_id: TOKEN_ID,
  token: "on call",
  action: "tenant.suspended",
  tenant_id: TENANT_ID,
  target_kind: "tenant",
  target_id: TENANT_ID,
  request_id: "9f1c2b3a4d5e6f70",
  detail: { stopped: 2 }
}

export const price: typeof OperatorPrice.Encoded = {
  id: "01975b20-3d4e-7f50-8b61-7c8d9e0f1a2b",
  provider: "openai",
  model: "gpt-4o",
  unit: "input",
  service_tier: "standard",
  tier_start: 0,
  per: 1_000_000,
  amount: "2.5",
  since: "2026-11-25T08:00:00.000Z",
  until: null,
  source: "operator",
  own: true
}

export const health: typeof Health.Encoded = {
  targets: [{ provider: "openai", model: "gpt-4o", breaker: "closed", retry_seconds: null, tenants_waiting: 0 }],
  tracking: { pending: 3, parked: 0, oldest_seconds: 1.5 },
  mail: { waiting: 0, oldest_seconds: 0 }
}

export const usage: typeof OperatorUsage.Encoded = {
  tenant_id: TENANT_ID,
  model: "gpt-4o",
  day: null,
  requests: 420,
  errors: 3,
  units: { input: 120_000, output: 45_000 },
  tenant_amount: "0.9375",
  provider_amount: "0.75",
  margin_amount: "0.1875"
}

export const correction = { amount: "-0.50", provider_amount: "0", generation_id: null, note: "goodwill" } as const
export const madeCorrection: typeof MadeCorrection.Encoded = {
  id: "019e8a52-7f5e-7d43-8c2b-7b5a1e6f9c01",
  tenant_id: erasure.tenant_id,
  ...correction
}

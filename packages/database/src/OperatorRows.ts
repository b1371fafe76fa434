import {
  Erasure,
  OperatorEvent,
  OperatorTenant,
  OperatorToken,
  OperatorUsage,
  type TenantStatus
} from "@llm-saas/domain/Operator"
import { OperatorPrice, PriceId } from "@llm-saas/domain/OperatorPrice"
import { Plan, type PlanId } from "@llm-saas/domain/Plan"
import { Schema, Struct } from "effect"

// What the functions of schema `operator` take and return.

/** The functions, with the types of what they take after the token: the driver declares a JavaScript number as float8. */
export const ARGUMENTS = {
  whoami: [],
  list_tenants: ["uuid", "text", "uuid", "uuid", "integer"],
  create_tenant: ["uuid", "text", "text", "uuid", "text"],
  suspend: ["uuid", "boolean", "text"],
  make_sso_optional: ["uuid", "text"],
  assign_plan: ["uuid", "uuid", "text"],
  erase: ["uuid", "text", "text"],
  receipt: ["uuid"],
  list_plans: ["uuid"],
  put_plan: ["uuid", "text::jsonb", "boolean", "text"],
  remove_plan: ["uuid", "text"],
  list_usage: ["date", "date", "text[]", "uuid", "integer"],
  correct: ["uuid", "uuid", "uuid", "numeric", "numeric", "text", "text"],
  list_events: ["uuid", "uuid", "integer"],
  outbox: [],
  list_prices: ["text", "text", "boolean", "boolean", "integer"],
  add_price: ["text::jsonb", "timestamptz", "text"],
  end_price: ["uuid", "text"]
} as const

export const TokenRow = Schema.Struct({
  ...OperatorToken.fields,
  expires_at: Schema.NullOr(Schema.DateTimeUtcFromDate)
})
export const Tenants = Schema.Array(Schema.Struct({ ...OperatorTenant.fields, created_at: Schema.DateTimeUtcFromDate }))
export const Receipts = Schema.Array(
  Schema.Struct({
    ...Struct.omit(Erasure.fields, ["status"]),
    begun_at: Schema.DateTimeUtcFromDate,
    ended_at: Schema.NullOr(Schema.DateTimeUtcFromDate)
  })
)
export const Plans = Schema.Array(
  Schema.Struct({ ...Plan.fields, created_at: Schema.DateTimeUtcFromDate, updated_at: Schema.DateTimeUtcFromDate })
)
export const UsageRows = Schema.Array(Schema.Struct(OperatorUsage.fields))
export const Events = Schema.Array(Schema.Struct({ ...OperatorEvent.fields, at: Schema.DateTimeUtcFromDate }))

export const Prices = Schema.Array(
  Schema.Struct({
    ...OperatorPrice.fields,
    since: Schema.NullOr(Schema.DateTimeUtcFromDate),
    until: Schema.NullOr(Schema.DateTimeUtcFromDate)
  })
)
export const Added = Schema.Tuple([Schema.Struct({ add_price: PriceId })])

/** Ended answers that MLflow does not have yet; parked ones were given up. */
export const Outbox = Schema.Struct({
  pending: Schema.Int,
  parked: Schema.Int,
  oldest_seconds: Schema.Finite,
  mails: Schema.Int,
  oldest_mail_seconds: Schema.Finite
})
export type Outbox = typeof Outbox.Type

export interface TenantQuery {
  readonly status?: TenantStatus | undefined
  readonly planId?: PlanId | undefined
  readonly after?: string | undefined
  readonly limit: number
}

export interface PriceQuery {
  readonly provider?: string | undefined
  readonly model?: string | undefined
  /** Only the operator's own. */
  readonly own: boolean
  /** Also those that do not hold any more. */
  readonly ended: boolean
  readonly limit: number
}

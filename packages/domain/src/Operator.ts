import { Schema } from "effect"
import { PlanId } from "./Plan.ts"
import { Problem } from "./ProblemClass.ts"
import { Registration, TenantId, TenantName } from "./Tenant.ts"
import { uuid } from "./Text.ts"

// What the operator of an installation sees and does: metadata of every tenant, and never what users wrote.

export const OperatorTokenId = Schema.String.check(uuid).pipe(Schema.brand("OperatorTokenId"))
export type OperatorTokenId = typeof OperatorTokenId.Type

/** A token of the operator, without its secret. */
export class OperatorToken extends Schema.Class<OperatorToken>("OperatorToken")({
  id: OperatorTokenId,
  name: Schema.String,
  /** Null: never. */
  expires_at: Schema.NullOr(Schema.DateTimeUtcFromString)
}) {}

/** `suspended`: its users and keys are refused. `erased`: likewise, for good, and its content is removed. */
export const TenantStatus = Schema.Literals(["active", "suspended", "erased"])
export type TenantStatus = typeof TenantStatus.Type

/** A tenant as the operator sees it. */
export class OperatorTenant extends Schema.Class<OperatorTenant>("OperatorTenant")({
  id: TenantId,
  name: TenantName,
  status: TenantStatus,
  registration: Registration,
  created_at: Schema.DateTimeUtcFromString,
  plan_id: Schema.NullOr(PlanId),
  plan: Schema.NullOr(Schema.String),
  /** Of its plan, as are `models` and `content_days_at_most`. */
  markup: Schema.String,
  models: Schema.NullOr(Schema.Array(Schema.String)),
  content_days_at_most: Schema.NullOr(Schema.Int),
  /** How many people have an account in it. */
  users: Schema.Int,
  /** Whether its people log in by single sign-on only. */
  sso_required: Schema.Boolean
}) {}

/** What an erasure removed: the receipt. */
export class Erasure extends Schema.Class<Erasure>("Erasure")({
  tenant_id: TenantId,
  /** `running`: users and keys are refused, and rows are being removed. `done`: none is left. */
  status: Schema.Literals(["running", "done"]),
  begun_at: Schema.DateTimeUtcFromString,
  ended_at: Schema.NullOr(Schema.DateTimeUtcFromString),
  /** Rows by table, as they were counted when it began. */
  counts: Schema.Record(Schema.String, Schema.Int)
}) {}

/** Something that the operator did. */
export class OperatorEvent extends Schema.Class<OperatorEvent>("OperatorEvent")({
  id: Schema.String.check(uuid),
  at: Schema.DateTimeUtcFromString,
  /** With which token; null: a command of an administrator of the database. */
  token_id: Schema.NullOr(OperatorTokenId),
  token: Schema.NullOr(Schema.String),
  action: Schema.String,
  tenant_id: Schema.NullOr(TenantId),
  target_kind: Schema.NullOr(Schema.String),
  target_id: Schema.NullOr(Schema.String),
  request_id: Schema.NullOr(Schema.String),
  detail: Schema.Record(Schema.String, Schema.Json)
}) {}

/** What was used, and what it cost: sums by the groups that were asked for. Amounts are US dollars, as decimal texts. */
export class OperatorUsage extends Schema.Class<OperatorUsage>("OperatorUsage")({
  tenant_id: Schema.NullOr(TenantId),
  model: Schema.NullOr(Schema.String),
  day: Schema.NullOr(Schema.String),
  requests: Schema.Int,
  errors: Schema.Int,
  /** Tokens and others, by unit. */
  units: Schema.Record(Schema.String, Schema.Finite),
  /** What tenants owe, what providers are owed, and the difference. */
  tenant_amount: Schema.String,
  provider_amount: Schema.String,
  margin_amount: Schema.String
}) {}

/** A model at a provider, as the process knows it that is asked. */
export const TargetHealth = Schema.Struct({
  provider: Schema.String,
  model: Schema.String,
  /** `closed`: all questions are sent. `open`: none for a while, since it failed. `trying`: a few, to see whether it answers again. */
  breaker: Schema.Literals(["closed", "open", "trying"]),
  /** Until some questions are sent again, where it is open; null: it is not. */
  retry_seconds: Schema.NullOr(Schema.Finite),
  /** How many tenants' questions alone are not sent for a while, since theirs failed. */
  tenants_waiting: Schema.Int
}).annotate({ identifier: "TargetHealth" })
export type TargetHealth = typeof TargetHealth.Type

/** What the installation depends on. */
export const Health = Schema.Struct({
  targets: Schema.Array(TargetHealth),
  /** Ended answers that MLflow does not have yet, those that were given up, and for how long the oldest waits. */
  tracking: Schema.Struct({ pending: Schema.Int, parked: Schema.Int, oldest_seconds: Schema.Finite }),
  /** Mails that are not sent yet, and for how long the oldest waits. */
  mail: Schema.Struct({ waiting: Schema.Int, oldest_seconds: Schema.Finite })
}).annotate({ identifier: "OperatorHealth" })

/** The tenant is erased: nothing is done with it any more. */
export class TenantErased extends Problem<TenantErased>()("TenantErased", "tenant_erased", {}) {}

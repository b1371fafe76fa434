import { Correction, MadeCorrection } from "@llm-saas/domain/Correction"
import { GenerationNotFound } from "@llm-saas/domain/Generation"
import { Erasure, Health, OperatorEvent, OperatorTenant, OperatorToken, OperatorUsage } from "@llm-saas/domain/Operator"
import { TenantErased, TenantStatus } from "@llm-saas/domain/Operator"
import { decimal } from "@llm-saas/domain/Page"
import { PlanId, PlanNotFound } from "@llm-saas/domain/Plan"
import { Unavailable } from "@llm-saas/domain/Refusal"
import { TenantId, TenantName, TenantNotFound } from "@llm-saas/domain/Tenant"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access } from "./Access.ts"
import { answers } from "./Examples.ts"
import { OperatorAuthorization } from "./OperatorAuthorization.ts"
import * as Examples from "./OperatorExamples.ts"
import {
  about,
  addPrice,
  changePlan,
  createPlan,
  endPrice,
  plan,
  plans,
  prices,
  removePlan
} from "./OperatorPlansApi.ts"
import { pageOf, PageQuery } from "./Page.ts"

const ofTenant = { id: TenantId }
const changesTenant = [TenantNotFound, TenantErased, Unavailable] as const

const whoami = HttpApiEndpoint.get("whoami", "/operator/token", { success: OperatorToken, error: Unavailable })
  .annotateMerge(answers(200, Examples.token))
  .annotateMerge(about("The token of this request", "Its name, and until when it holds."))

const tenants = HttpApiEndpoint.get("tenants", "/operator/tenants", {
  query: { ...PageQuery, status: Schema.optionalKey(TenantStatus), plan_id: Schema.optionalKey(PlanId) },
  success: pageOf("OperatorTenantPage", OperatorTenant),
  error: Unavailable
})
  .annotateMerge(answers(200, { data: [Examples.tenant], next_cursor: null }))
  .annotateMerge(about("List tenants", "All tenants, newest first, with their plan and the number of their users."))

/** A tenant to create. */
const CreateOperatorTenant = Schema.Struct({
  name: TenantName,
  plan_id: Schema.optionalKey(Schema.NullOr(PlanId))
}).annotate({ identifier: "CreateOperatorTenant" })

const createTenant = HttpApiEndpoint.post("createTenant", "/operator/tenants", {
  payload: CreateOperatorTenant,
  success: OperatorTenant.pipe(HttpApiSchema.status(201)),
  error: [PlanNotFound, TenantNotFound, Unavailable]
})
  .annotateMerge(answers(201, Examples.tenant, { name: "Acme Corp", plan_id: Examples.plan.id }))
  .annotateMerge(
    about(
      "Create a tenant",
      "Whatever `TENANT_CREATION` says. The first user who registers with its id becomes its admin."
    )
  )

const tenant = HttpApiEndpoint.get("tenant", "/operator/tenants/:id", {
  params: ofTenant,
  success: OperatorTenant,
  error: [TenantNotFound, Unavailable]
})
  .annotateMerge(answers(200, Examples.tenant))
  .annotateMerge(about("Read a tenant", "Nothing of what its users wrote."))

const suspendTenant = HttpApiEndpoint.post("suspendTenant", "/operator/tenants/:id/suspend", {
  params: ofTenant,
  success: OperatorTenant,
  error: changesTenant
})
  .annotateMerge(answers(200, { ...Examples.tenant, status: "suspended" }))
  .annotateMerge(
    about(
      "Suspend a tenant",
      "From the very next request its users and keys are refused. Its answers under way stop within a few seconds, and cost what they had cost by then."
    )
  )

const resumeTenant = HttpApiEndpoint.post("resumeTenant", "/operator/tenants/:id/resume", {
  params: ofTenant,
  success: OperatorTenant,
  error: changesTenant
})
  .annotateMerge(answers(200, Examples.tenant))
  .annotateMerge(about("Resume a suspended tenant", "Its users and keys work again as before."))

const makeSsoOptional = HttpApiEndpoint.post("makeSsoOptional", "/operator/tenants/:id/sso-optional", {
  params: ofTenant,
  success: OperatorTenant,
  error: changesTenant
})
  .annotateMerge(answers(200, Examples.tenant))
  .annotateMerge(
    about(
      "Let a tenant's people log in by password",
      "For a tenant whose provider is gone, and whose admins cannot get in to change that: `required` of its single sign-on is false from now on, all else of it stays. Accounts that have a password can log in by it again. Nothing, where it is not required."
    )
  )

const AssignPlan = Schema.Struct({ plan_id: Schema.NullOr(PlanId) }).annotate({ identifier: "AssignPlan" })

const assignPlan = HttpApiEndpoint.put("assignPlan", "/operator/tenants/:id/plan", {
  params: ofTenant,
  payload: AssignPlan,
  success: OperatorTenant,
  error: [...changesTenant, PlanNotFound]
})
  .annotateMerge(answers(200, Examples.tenant, { plan_id: Examples.plan.id }))
  .annotateMerge(
    about(
      "Give a tenant a plan",
      "`null` takes it away: then the plan limits nothing. What admins set for their users and keys stays, and holds where it is lower. Counts from the next question."
    )
  )

const Confirmation = Schema.Struct({ name: TenantName }).annotate({ identifier: "EraseTenant" })

const eraseTenant = HttpApiEndpoint.post("eraseTenant", "/operator/tenants/:id/erase", {
  params: ofTenant,
  payload: Confirmation,
  success: Erasure.pipe(HttpApiSchema.status(202)),
  error: changesTenant
})
  .annotateMerge(
    answers(202, { ...Examples.erasure, status: "running", ended_at: null }, { name: Examples.tenant.name })
  )
  .annotateMerge(
    about(
      "Erase a tenant",
      "For good. `name` is the tenant's name, against a mistaken id; another one is answered as an unknown tenant. Its users and keys are refused from now on; questions, answers, conversations, feedback, users, keys and settings are removed in the background. What stays has no content: the accounts of answers, the ledger, and the audit log."
    )
  )

const erasure = HttpApiEndpoint.get("erasure", "/operator/tenants/:id/erasure", {
  params: ofTenant,
  success: Erasure,
  error: [TenantNotFound, Unavailable]
})
  .annotateMerge(answers(200, Examples.erasure))
  .annotateMerge(about("The receipt of an erasure", "`done` when nothing is left, with the number of rows by table."))

const correct = HttpApiEndpoint.post("correct", "/operator/tenants/:id/corrections", {
  params: ofTenant,
  payload: Correction,
  success: MadeCorrection.pipe(HttpApiSchema.status(201)),
  error: [TenantNotFound, GenerationNotFound, Unavailable]
})
  .annotateMerge(answers(201, Examples.madeCorrection, Examples.correction))
  .annotateMerge(
    about(
      "Correct what a tenant owes",
      "An entry of its own in the ledger, which changes no other: `amount` more, or less where it is negative. It counts in usage and balances, and not in budgets."
    )
  )

const DAY = "a day as in 2027-01-31"

/** A calendar day in UTC. */
const Day = Schema.String.check(
  Schema.makeFilter((text) => (/^[1-9]\d{3}-\d\d-\d\d$/u.test(text) && isDay(text) ? undefined : `Expected ${DAY}`), {
    expected: DAY,
    toJsonSchema: () => ({ format: "date", pattern: "^[1-9]" })
  })
)

const isDay = (text: string): boolean => {
  const at = Date.parse(`${text}T00:00:00Z`)
  return Number.isFinite(at) && new Date(at).toISOString().startsWith(text)
}

const GROUPS = /^(?:tenant|model|day)(?:,(?:tenant|model|day)){0,2}$/u

const usage = HttpApiEndpoint.get("usage", "/operator/usage", {
  query: {
    from: Schema.optionalKey(Day),
    to: Schema.optionalKey(Day),
    group_by: Schema.optionalKey(
      Schema.String.check(Schema.isPattern(GROUPS, { expected: "tenant, model or day, or several with commas" }))
    ),
    tenant_id: Schema.optionalKey(TenantId),
    limit: Schema.optionalKey(decimal({ minimum: 1, maximum: 10_000 }))
  },
  success: Schema.Struct({ data: Schema.Array(OperatorUsage) }).annotate({ identifier: "OperatorUsageSums" }),
  error: Unavailable
})
  .annotateMerge(answers(200, { data: [Examples.usage] }))
  .annotateMerge(
    about(
      "Usage of all tenants",
      "Sums of the ledger over days in UTC, `from` the first of this month `to` today unless said otherwise, both included; by `tenant` unless `group_by` names others; the most expensive first, `limit` (1,000) at most. Members that are not grouped by are null."
    )
  )

const events = HttpApiEndpoint.get("events", "/operator/events", {
  query: { ...PageQuery, tenant_id: Schema.optionalKey(TenantId) },
  success: pageOf("OperatorEventPage", OperatorEvent),
  error: Unavailable
})
  .annotateMerge(answers(200, { data: [Examples.event], next_cursor: null }))
  .annotateMerge(about("What the operator did", "Newest first. Never changed or deleted."))

const health = HttpApiEndpoint.get("health", "/operator/health", { success: Health, error: Unavailable })
  .annotateMerge(answers(200, Examples.health))
  .annotateMerge(
    about(
      "Providers, tracking and mail",
      "What the calls of the process that answers showed of each model at its provider: `breaker` is `open` where no questions are sent, for `retry_seconds` more. For all processes, how many ended answers MLflow does not have yet (`pending`) or refuses (`parked`), how many mails wait to be sent, and for how many seconds the oldest of each waits."
    )
  )

/** For who runs the installation. No API key and no user's token is enough, and nothing here shows what users wrote. */
export class OperatorApi extends HttpApiGroup.make("operator")
  .add(
    whoami,
    tenants,
    createTenant,
    tenant,
    suspendTenant,
    resumeTenant,
    makeSsoOptional,
    assignPlan,
    eraseTenant,
    erasure,
    correct
  )
  .add(plans, createPlan, plan, changePlan, removePlan, prices, addPrice, endPrice, usage, events, health)
  .middleware(OperatorAuthorization)
  .annotateEndpoints(Access, "operator")
  .annotateMerge(
    OpenApi.annotations({
      title: "Operator",
      description:
        "For the operator of the installation, with a token of its own: tenants, plans and usage, and nothing of what users wrote. `docs/operator.md` describes it, `npm run operator` calls it."
    })
  ) {}

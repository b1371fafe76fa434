import { Erasure, OperatorEvent, OperatorTenant, OperatorToken, OperatorUsage } from "@llm-saas/domain/Operator"
import { TenantErased, TenantStatus } from "@llm-saas/domain/Operator"
import { decimal } from "@llm-saas/domain/Page"
import { Plan, PlanChoice, PlanId, PlanInUse, PlanNameTaken, PlanNotFound } from "@llm-saas/domain/Plan"
import { Unavailable } from "@llm-saas/domain/Refusal"
import { TenantId, TenantName, TenantNotFound } from "@llm-saas/domain/Tenant"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Access } from "./Access.ts"
import { answers } from "./Examples.ts"
import { OperatorAuthorization } from "./OperatorAuthorization.ts"
import * as Examples from "./OperatorExamples.ts"
import { pageOf, PageQuery } from "./Page.ts"

// Longer than other files: one group, whose endpoints share their schemas.

const about = (summary: string, description: string) => OpenApi.annotations({ summary, description })

const ofTenant = { id: TenantId }
const ofPlan = { id: PlanId }
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
      "Nobody of it enters from the very next request, neither by login nor by key. Its answers under way stop within a few seconds, and cost what they had cost by then."
    )
  )

const resumeTenant = HttpApiEndpoint.post("resumeTenant", "/operator/tenants/:id/resume", {
  params: ofTenant,
  success: OperatorTenant,
  error: changesTenant
})
  .annotateMerge(answers(200, Examples.tenant))
  .annotateMerge(about("Resume a suspended tenant", "Its users and keys work again as before."))

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
      "For good. `name` is the tenant's name, against a mistaken id; another one is answered as an unknown tenant. Nobody enters from now on; questions, answers, conversations, feedback, users, keys and settings are removed in the background. What stays has no content: the accounts of answers, the ledger, and the audit log."
    )
  )

const erasure = HttpApiEndpoint.get("erasure", "/operator/tenants/:id/erasure", {
  params: ofTenant,
  success: Erasure,
  error: [TenantNotFound, Unavailable]
})
  .annotateMerge(answers(200, Examples.erasure))
  .annotateMerge(about("The receipt of an erasure", "`done` when nothing is left, with the number of rows by table."))

const plans = HttpApiEndpoint.get("plans", "/operator/plans", {
  success: Schema.Struct({ data: Schema.Array(Plan) }).annotate({ identifier: "Plans" }),
  error: Unavailable
})
  .annotateMerge(answers(200, { data: [Examples.plan] }))
  .annotateMerge(about("List plans", "All plans, by name."))

const PLAN =
  "Limits and budgets of the tenant as a whole, of each user, of each key and of models; the models that may be asked; the markup on the provider's price; and how long content is kept at most. What is left out is not limited."

const createPlan = HttpApiEndpoint.post("createPlan", "/operator/plans", {
  payload: PlanChoice,
  success: Plan.pipe(HttpApiSchema.status(201)),
  error: [PlanNameTaken, PlanNotFound, Unavailable]
})
  .annotateMerge(answers(201, { ...Examples.plan, tenants: 0 }, Examples.choice))
  .annotateMerge(about("Make a plan", PLAN))

const plan = HttpApiEndpoint.get("plan", "/operator/plans/:id", {
  params: ofPlan,
  success: Plan,
  error: [PlanNotFound, Unavailable]
})
  .annotateMerge(answers(200, Examples.plan))
  .annotateMerge(about("Read a plan", PLAN))

const changePlan = HttpApiEndpoint.put("changePlan", "/operator/plans/:id", {
  params: ofPlan,
  payload: PlanChoice,
  success: Plan,
  error: [PlanNotFound, PlanNameTaken, Unavailable]
})
  .annotateMerge(answers(200, Examples.plan, Examples.choice))
  .annotateMerge(
    about(
      "Replace a plan",
      `${PLAN} Its tenants have the new one when this is answered, and it counts from their next question.`
    )
  )

const removePlan = HttpApiEndpoint.delete("removePlan", "/operator/plans/:id", {
  params: ofPlan,
  success: HttpApiSchema.NoContent,
  error: [PlanNotFound, PlanInUse, Unavailable]
}).annotateMerge(about("Remove a plan", "Only one that no tenant has."))

const DAY = "a day as in 2027-01-31"

/** A calendar day in UTC. */
const Day = Schema.String.check(
  Schema.makeFilter((text) => (/^[1-9]\d{3}-\d\d-\d\d$/u.test(text) && isDay(text) ? undefined : `Expected ${DAY}`), {
    expected: DAY,
    toJsonSchema: () => ({ format: "date" })
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

/** For who runs the installation. No API key and no user's token is enough, and nothing here shows what users wrote. */
export class OperatorApi extends HttpApiGroup.make("operator")
  .add(whoami, tenants, createTenant, tenant, suspendTenant, resumeTenant, assignPlan, eraseTenant, erasure)
  .add(plans, createPlan, plan, changePlan, removePlan, usage, events)
  .middleware(OperatorAuthorization)
  .annotateEndpoints(Access, "operator")
  .annotateMerge(
    OpenApi.annotations({
      title: "Operator",
      description:
        "For the operator of the installation, with a token of its own: tenants, plans and usage, and nothing of what users wrote. `docs/operator.md` describes it, `npm run operator` calls it."
    })
  ) {}

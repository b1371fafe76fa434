import { Api } from "@llm-saas/api/Api"
import { Operator } from "@llm-saas/api/OperatorAuthorization"
import { OperatorAccess } from "@llm-saas/database/OperatorAccess"
import { completed as priced } from "@llm-saas/domain/OperatorPrice"
import { completed, type PlanChoice, PlanId } from "@llm-saas/domain/Plan"
import { Llm } from "@llm-saas/engine/generations/Llm"
import { TenantId } from "@llm-saas/domain/Tenant"
import { DateTime, Effect } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { HttpApiBuilder } from "effect/http-api"
import { Settings } from "../../config/Settings.ts"
import { DEFAULT_PAGE } from "./paging.ts"

/** Rows of usage by default. */
const DEFAULT_ROWS = 1000

/** `/operator/…`. */
export const OperatorHandlers = HttpApiBuilder.group(
  Api,
  "operator",
  Effect.fnUntraced(function* (handlers) {
    const access = yield* OperatorAccess
    const llm = yield* Llm
    const random = yield* SecureRandom
    const { REGISTRATION_DEFAULT } = yield* Settings
    /** Something is done to a tenant; the answer is the tenant as it is then. */
    const changed = <E, R>(id: TenantId, deed: (hash: string) => Effect.Effect<void, E, R>) =>
      Effect.flatMap(Operator, ({ hash }) => Effect.andThen(deed(hash), access.tenant(hash, id)))
    const put = (id: PlanId, choice: PlanChoice, replace: boolean) =>
      Effect.flatMap(Operator, ({ hash }) =>
        Effect.andThen(access.putPlan(hash, id, completed(choice), replace), access.plan(hash, id))
      )

    return handlers.handleAll({
      whoami: () => Effect.map(Operator, ({ token }) => token),
      tenants: ({ query: { cursor, limit = DEFAULT_PAGE, plan_id, status } }) =>
        Effect.flatMap(Operator, ({ hash }) => access.tenants(hash, { status, planId: plan_id, after: cursor, limit })),
      createTenant: ({ payload: { name, plan_id = null } }) =>
        Effect.gen(function* () {
          const id = TenantId.make(yield* random.uuidV7())
          return yield* changed(id, (hash) =>
            access.createTenant(hash, { id, name, registration: REGISTRATION_DEFAULT, planId: plan_id })
          )
        }),
      tenant: ({ params: { id } }) => Effect.flatMap(Operator, ({ hash }) => access.tenant(hash, id)),
      suspendTenant: ({ params: { id } }) => changed(id, (hash) => access.suspend(hash, id, true)),
      resumeTenant: ({ params: { id } }) => changed(id, (hash) => access.suspend(hash, id, false)),
      makeSsoOptional: ({ params: { id } }) => changed(id, (hash) => access.makeSsoOptional(hash, id)),
      assignPlan: ({ params: { id }, payload }) => changed(id, (hash) => access.assignPlan(hash, id, payload.plan_id)),
      eraseTenant: ({ params: { id }, payload: { name } }) =>
        Effect.flatMap(Operator, ({ hash }) => Effect.andThen(access.erase(hash, id, name), access.receipt(hash, id))),
      erasure: ({ params: { id } }) => Effect.flatMap(Operator, ({ hash }) => access.receipt(hash, id)),
      correct: ({ params: { id }, payload }) =>
        Effect.gen(function* () {
          const { hash } = yield* Operator
          const entry = yield* random.uuidV7()
          yield* access.correct(hash, id, entry, payload)
          return { provider_amount: "0", generation_id: null, ...payload, id: entry, tenant_id: id }
        }),
      plans: () => Effect.flatMap(Operator, ({ hash }) => Effect.map(access.plans(hash), (data) => ({ data }))),
      createPlan: ({ payload }) => Effect.flatMap(random.uuidV7(), (id) => put(PlanId.make(id), payload, false)),
      plan: ({ params: { id } }) => Effect.flatMap(Operator, ({ hash }) => access.plan(hash, id)),
      changePlan: ({ params: { id }, payload }) => put(id, payload, true),
      removePlan: ({ params: { id } }) => Effect.flatMap(Operator, ({ hash }) => access.removePlan(hash, id)),
      usage: ({ query: { from, group_by = "tenant", limit = DEFAULT_ROWS, tenant_id, to } }) =>
        Effect.gen(function* () {
          const { hash } = yield* Operator
          const today = DateTime.formatIsoDateUtc(yield* DateTime.now)
          const days = { from: from ?? `${today.slice(0, 8)}01`, to: dayAfter(to ?? today) }
          const groups = GROUPS.filter((group) => group_by.split(",").includes(group))
          return { data: yield* access.usage(hash, { ...days, groups, tenantId: tenant_id, limit }) }
        }),
      prices: ({ query: { ended, limit = DEFAULT_ROWS, model, own, provider } }) =>
        Effect.gen(function* () {
          const { hash } = yield* Operator
          const query = { provider, model, own: own === "true", ended: ended === "true", limit }
          return { data: yield* access.prices(hash, query) }
        }),
      addPrice: ({ payload: { since = null, ...price } }) =>
        Effect.flatMap(Operator, ({ hash }) =>
          access.addPrice(hash, priced(price), since === null ? null : DateTime.toDateUtc(since))
        ),
      endPrice: ({ params: { id } }) => Effect.flatMap(Operator, ({ hash }) => access.endPrice(hash, id)),
      health: () =>
        Effect.flatMap(Operator, ({ hash }) =>
          Effect.map(access.outbox(hash), ({ mails, oldest_mail_seconds, ...tracking }) => ({
            targets: llm.health(),
            tracking,
            mail: { waiting: mails, oldest_seconds: oldest_mail_seconds }
          }))
        ),
      events: ({ query: { cursor, limit = DEFAULT_PAGE, tenant_id } }) =>
        Effect.flatMap(Operator, ({ hash }) => access.events(hash, { tenantId: tenant_id, after: cursor, limit }))
    })
  })
)

const GROUPS = ["tenant", "model", "day"] as const

const dayAfter = (day: string): string =>
  DateTime.formatIsoDateUtc(DateTime.add(DateTime.makeUnsafe(`${day}T00:00:00Z`), { days: 1 }))

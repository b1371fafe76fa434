import {
  Erasure,
  OperatorEvent,
  OperatorTenant,
  OperatorToken,
  OperatorUsage,
  TenantErased
} from "@llm-saas/domain/Operator"
import type { Correction } from "@llm-saas/domain/Correction"
import { GenerationNotFound } from "@llm-saas/domain/Generation"
import { OperatorPrice, type PriceChoice, type PriceId, PriceNotFound } from "@llm-saas/domain/OperatorPrice"
import { type Page, page } from "@llm-saas/domain/Page"
import { Plan, type PlanChoice, type PlanId, PlanInUse, PlanNameTaken, PlanNotFound } from "@llm-saas/domain/Plan"
import { Unauthenticated, type Unavailable } from "@llm-saas/domain/Refusal"
import { RequestId } from "@llm-saas/domain/RequestId"
import { type Registration, type TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { Context, Effect, Layer, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { Pool } from "./connections/Pool.ts"
import type { PriceQuery, TenantQuery } from "./OperatorRows.ts"
import * as Rows from "./OperatorRows.ts"
import { outageOrBug, sqlState } from "./PostgresError.ts"

/** Requests of the operator wait for a connection in this line, not in any tenant's. */
const LINE = "operator"

type Refused = Unauthenticated | Unavailable

/** Prices of one model: there are not so many units and steps. */
const MOST_PRICES = 1000

const noTenant = () => new TenantNotFound({ detail: "There is no tenant with this id." })
const noPlan = () => new PlanNotFound({})
const erased = () => new TenantErased({})
const badToken = () =>
  new Unauthenticated({ detail: "This is for the operator of the installation, with a token that holds." })

/** The refusals of changes of a tenant, by SQLSTATE. */
const OF_TENANT = { LL404: noTenant, LL409: erased }

/**
 * What the operator of the installation may ask of the database. Each call is one function (`sql/functions/65_operator.sql` and the next ones)
 * that wants the SHA-256 of a token first, in hexadecimal: the login of this program alone gets nothing from them.
 */
export class OperatorAccess extends Context.Service<
  OperatorAccess,
  {
    readonly whoami: (token: string) => Effect.Effect<OperatorToken, Refused>
    readonly tenants: (token: string, query: TenantQuery) => Effect.Effect<Page<OperatorTenant>, Refused>
    readonly tenant: (token: string, id: TenantId) => Effect.Effect<OperatorTenant, TenantNotFound | Refused>
    readonly createTenant: (
      token: string,
      tenant: {
        readonly id: TenantId
        readonly name: string
        readonly registration: Registration
        readonly planId: PlanId | null
      }
    ) => Effect.Effect<void, PlanNotFound | Refused>
    /** Suspends or resumes. Nothing, where it is so already. */
    readonly suspend: (
      token: string,
      id: TenantId,
      suspended: boolean
    ) => Effect.Effect<void, TenantNotFound | TenantErased | Refused>
    /** Single sign-on is not required any more. Nothing, where it is not. */
    readonly makeSsoOptional: (
      token: string,
      id: TenantId
    ) => Effect.Effect<void, TenantNotFound | TenantErased | Refused>
    readonly assignPlan: (
      token: string,
      id: TenantId,
      plan: PlanId | null
    ) => Effect.Effect<void, TenantNotFound | TenantErased | PlanNotFound | Refused>
    /** `name`: the tenant's, against a mistaken id. */
    readonly erase: (
      token: string,
      id: TenantId,
      name: string
    ) => Effect.Effect<void, TenantNotFound | TenantErased | Refused>
    readonly receipt: (token: string, id: TenantId) => Effect.Effect<Erasure, TenantNotFound | Refused>
    readonly plans: (token: string) => Effect.Effect<ReadonlyArray<Plan>, Refused>
    readonly plan: (token: string, id: PlanId) => Effect.Effect<Plan, PlanNotFound | Refused>
    /** Makes a plan, or puts it in the place of the one with this id, for its tenants too. */
    readonly putPlan: (
      token: string,
      id: PlanId,
      plan: Required<PlanChoice>,
      replace: boolean
    ) => Effect.Effect<void, PlanNotFound | PlanNameTaken | Refused>
    readonly removePlan: (token: string, id: PlanId) => Effect.Effect<void, PlanNotFound | PlanInUse | Refused>
    /** `from` and `to` are days, the second one not included. */
    readonly usage: (
      token: string,
      query: {
        readonly from: string
        readonly to: string
        readonly groups: ReadonlyArray<"tenant" | "model" | "day">
        readonly tenantId?: TenantId | undefined
        readonly limit: number
      }
    ) => Effect.Effect<ReadonlyArray<OperatorUsage>, Refused>
    readonly events: (
      token: string,
      query: {
        readonly tenantId?: TenantId | undefined
        readonly after?: string | undefined
        readonly limit: number
      }
    ) => Effect.Effect<Page<OperatorEvent>, Refused>
    /** Prices that hold now or later. */
    readonly prices: (token: string, query: PriceQuery) => Effect.Effect<ReadonlyArray<OperatorPrice>, Refused>
    /** `since`: null: now. */
    /** Adds a correction to the ledger: amounts in US dollars, as decimals. */
    readonly correct: (
      token: string,
      id: TenantId,
      entry: string,
      correction: Correction
    ) => Effect.Effect<void, TenantNotFound | GenerationNotFound | Refused>
    readonly addPrice: (
      token: string,
      price: Required<PriceChoice>,
      since: Date | null
    ) => Effect.Effect<OperatorPrice, Refused>
    readonly endPrice: (token: string, id: PriceId) => Effect.Effect<void, PriceNotFound | Refused>
    readonly outbox: (token: string) => Effect.Effect<Rows.Outbox, Refused>
    /** Continues what the operator ordered, `limit` rows of a table at most: how many were changed. Wants no token. */
    readonly carryOn: (limit: number) => Effect.Effect<number, Unavailable>
  }
>()("@llm-saas/database/OperatorAccess") {
  static readonly layer = Layer.effect(
    OperatorAccess,
    Effect.map(Pool, (pool) => {
      /** Calls a function. `refusals`, by SQLSTATE; beside that of a bad token. */
      const call = <A, I, F = never>(
        name: keyof typeof Rows.ARGUMENTS,
        token: string,
        given: ReadonlyArray<unknown>,
        rows: Schema.Codec<A, I>,
        refusals: Readonly<Record<string, () => F>> = {}
      ): Effect.Effect<A, F | Refused> => {
        const places = Rows.ARGUMENTS[name].map((type, place) => `, $${place + 2}::${type}`).join("")
        const refuse = (error: SqlError): Effect.Effect<never, F | Refused> => {
          const state = sqlState(error)
          if (state === "LL401") return Effect.fail(badToken())
          const refusal = state === undefined ? undefined : refusals[state]
          return refusal === undefined ? outageOrBug(error) : Effect.fail(refusal())
        }
        return pool
          .use(
            (connection) =>
              connection.query(`select * from operator.${name}(decode($1::text, 'hex')${places})`, [token, ...given]),
            LINE
          )
          .pipe(
            Effect.catchTag("SqlError", refuse),
            Effect.flatMap((result) => Effect.orDie(Schema.decodeUnknownEffect(rows)(result.rows)))
          )
      }
      /** Calls a function that does something. */
      const act = <F>(
        name: keyof typeof Rows.ARGUMENTS,
        token: string,
        given: ReadonlyArray<unknown>,
        refusals: Readonly<Record<string, () => F>>
      ) =>
        Effect.flatMap(RequestId, (request) =>
          Effect.asVoid(call(name, token, [...given, request], Schema.Unknown, refusals))
        )
      const tenants = (token: string, id: TenantId | null, { after, limit, planId, status }: TenantQuery) =>
        call("list_tenants", token, [id, status ?? null, planId ?? null, after ?? null, limit], Rows.Tenants)
      const prices = (token: string, { ended, limit, model, own, provider }: PriceQuery) =>
        Effect.map(
          call("list_prices", token, [provider ?? null, model ?? null, own, ended, limit], Rows.Prices),
          (rows) => rows.map((row) => new OperatorPrice(row))
        )
      const plans = (token: string, id: PlanId | null) => call("list_plans", token, [id], Rows.Plans)

      return OperatorAccess.of({
        whoami: (token) =>
          Effect.map(call("whoami", token, [], Schema.Tuple([Rows.TokenRow])), ([row]) => new OperatorToken(row)),
        tenants: (token, query) =>
          Effect.map(tenants(token, null, { ...query, limit: query.limit + 1 }), (rows) =>
            page(
              rows.map((row) => new OperatorTenant(row)),
              query.limit
            )
          ),
        tenant: (token, id) =>
          Effect.flatMap(tenants(token, id, { limit: 1 }), ([row]) =>
            row === undefined ? Effect.fail(noTenant()) : Effect.succeed(new OperatorTenant(row))
          ),
        createTenant: (token, { id, name, planId, registration }) =>
          act("create_tenant", token, [id, name, registration, planId], { LL414: noPlan }),
        suspend: (token, id, suspended) =>
          act<TenantNotFound | TenantErased>("suspend", token, [id, suspended], OF_TENANT),
        makeSsoOptional: (token, id) => act<TenantNotFound | TenantErased>("make_sso_optional", token, [id], OF_TENANT),
        assignPlan: (token, id, plan) =>
          act<TenantNotFound | TenantErased | PlanNotFound>("assign_plan", token, [id, plan], {
            ...OF_TENANT,
            LL414: noPlan
          }),
        erase: (token, id, name) => act<TenantNotFound | TenantErased>("erase", token, [id, name], OF_TENANT),
        receipt: (token, id) =>
          Effect.flatMap(call("receipt", token, [id], Rows.Receipts), ([row]) =>
            row === undefined
              ? Effect.fail(new TenantNotFound({ detail: "No tenant with this id was erased." }))
              : Effect.succeed(new Erasure({ ...row, status: row.ended_at === null ? "running" : "done" }))
          ),
        plans: (token) => Effect.map(plans(token, null), (rows) => rows.map((row) => new Plan(row))),
        plan: (token, id) =>
          Effect.flatMap(plans(token, id), ([row]) =>
            row === undefined ? Effect.fail(noPlan()) : Effect.succeed(new Plan(row))
          ),
        putPlan: (token, id, plan, replace) =>
          act<PlanNotFound | PlanNameTaken>("put_plan", token, [id, JSON.stringify(plan), replace], {
            LL414: noPlan,
            // unique_violation
            "23505": () => new PlanNameTaken({})
          }),
        removePlan: (token, id) =>
          act<PlanNotFound | PlanInUse>("remove_plan", token, [id], { LL414: noPlan, LL419: () => new PlanInUse({}) }),
        usage: (token, { from, groups, limit, tenantId, to }) =>
          Effect.map(call("list_usage", token, [from, to, groups, tenantId ?? null, limit], Rows.UsageRows), (rows) =>
            rows.map((row) => new OperatorUsage(row))
          ),
        events: (token, { after, limit, tenantId }) =>
          Effect.map(call("list_events", token, [tenantId ?? null, after ?? null, limit + 1], Rows.Events), (rows) =>
            page(
              rows.map((row) => new OperatorEvent(row)),
              limit
            )
          ),
        prices,
        correct: (token, id, entry, { amount, generation_id = null, note, provider_amount = "0" }) =>
          act<TenantNotFound | GenerationNotFound>(
            "correct",
            token,
            [id, entry, generation_id, amount, provider_amount, note],
            { LL404: () => new TenantNotFound({}), LL425: () => new GenerationNotFound({}) }
          ),
        addPrice: (token, price, since) =>
          Effect.gen(function* () {
            const request = yield* RequestId
            const moment = since === null ? null : since.toISOString()
            const [{ add_price: id }] = yield* call(
              "add_price",
              token,
              [JSON.stringify(price), moment, request],
              Rows.Added
            )
            const { model, provider } = price
            const found = yield* prices(token, { provider, model, own: true, ended: false, limit: MOST_PRICES })
            return yield* Effect.fromNullishOr(found.find((each) => each.id === id)).pipe(Effect.orDie)
          }),
        endPrice: (token, id) => act("end_price", token, [id], { LL424: () => new PriceNotFound({}) }),
        outbox: (token) => Effect.map(call("outbox", token, [], Schema.Tuple([Rows.Outbox])), ([row]) => row),
        carryOn: (limit) =>
          Effect.map(
            pool.call(
              "select operator.carry_on($1::integer) as count",
              [limit],
              Schema.Tuple([Schema.Struct({ count: Schema.Int })]),
              LINE
            ),
            ([{ count }]) => count
          )
      })
    })
  )
}

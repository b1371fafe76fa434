import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { type Actor } from "@llm-saas/domain/Actor"
import { LoginPolicy, type LoginPolicyChoice } from "@llm-saas/domain/LoginPolicy"
import type { Refused } from "@llm-saas/domain/Refusal"
import { TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { SqlSchema } from "effect/sql"
import * as AuditLog from "../AuditLog.ts"

/** What tenants ask of logins, as their admins decide. */
export class LoginPolicies extends Context.Service<
  LoginPolicies,
  {
    readonly get: (id: TenantId) => Effect.Effect<LoginPolicy, TenantNotFound | Refused, Actor>
    readonly put: (
      id: TenantId,
      policy: LoginPolicyChoice
    ) => Effect.Effect<LoginPolicy, TenantNotFound | Refused, Actor>
  }
>()("@llm-saas/engine/accounts/LoginPolicies") {
  static readonly layer = Layer.effect(
    LoginPolicies,
    Effect.gen(function* () {
      const tenancy = yield* Tenancy
      const record = AuditLog.recorder(yield* SecureRandom)

      const get: LoginPolicies["Service"]["get"] = Effect.fn("LoginPolicies.get")((id) =>
        Effect.flatMap(tenancy.read(select(id)), policyOf)
      )

      const put: LoginPolicies["Service"]["put"] = Effect.fn("LoginPolicies.put")((id, policy) =>
        tenancy.transaction(
          Effect.gen(function* () {
            const changed = yield* Effect.flatMap(update({ id, link_by_email: false, ...policy }), policyOf)
            yield* record("tenant.changed", { kind: "tenant", id }, { login_policy: { ...changed } })
            return changed
          })
        )
      )
      return LoginPolicies.of({ get, put })
    })
  )
}

const policyOf = (row: Option.Option<typeof LoginPolicy.Type>) =>
  Option.match(row, {
    onNone: () => Effect.fail(new TenantNotFound({})),
    onSome: (policy) => Effect.succeed(policy)
  })

const COLUMNS = "second_factor, second_factor_after_sso, tenant_switch, link_by_email"

/** Inside the room there is no other tenant. */
const select = SqlSchema.findOneOption({
  Request: TenantId,
  Result: LoginPolicy,
  execute: (id) => TenantSql.use((sql) => sql`select ${sql.literal(COLUMNS)} from app.tenants where id = ${id}`)
})

const update = SqlSchema.findOneOption({
  Request: Schema.Struct({ id: TenantId, ...LoginPolicy.fields }),
  Result: LoginPolicy,
  execute: ({ id, link_by_email, second_factor, second_factor_after_sso, tenant_switch }) =>
    TenantSql.use(
      (sql) => sql`update app.tenants set second_factor = ${second_factor},
          second_factor_after_sso = ${second_factor_after_sso}::boolean, tenant_switch = ${tenant_switch}::boolean,
          link_by_email = ${link_by_email}::boolean
        where id = ${id} returning ${sql.literal(COLUMNS)}`
    )
})

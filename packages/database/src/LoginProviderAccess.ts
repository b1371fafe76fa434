import type { Unavailable } from "@llm-saas/domain/Refusal"
import { RequestId } from "@llm-saas/domain/RequestId"
import { TenantId, TenantName } from "@llm-saas/domain/Tenant"
import { type Email, Role, UserId } from "@llm-saas/domain/User"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { Pool } from "./connections/Pool.ts"

/** They share the line of single sign-on: see `SsoAccess`. */
const LINE = "sso"

/** An account that a person at a provider may log in to. */
const PersonsAccount = Schema.Struct({
  tenant_id: TenantId,
  user_id: UserId,
  /** Of the tenant. */
  name: TenantName,
  /** False: it would be linked now, by its address. */
  linked: Schema.Boolean
})
export type PersonsAccount = typeof PersonsAccount.Type

/** A person whom a provider of the installation vouches for. */
export interface ProvidersPerson {
  /** Its name, for the audit log. */
  readonly provider: string
  readonly issuer: string
  readonly subject: string
  /** If the provider has verified it. */
  readonly email: Email | undefined
}

interface AccountPlace {
  readonly tenantId: TenantId
  readonly userId: UserId
}

const Standing = Schema.Struct({ role: Role, token_epoch: Schema.Int })

/** Logins by a provider of the installation (`sql/functions/37_login_providers.sql`): no tenant is known before. */
export class LoginProviderAccess extends Context.Service<
  LoginProviderAccess,
  {
    /** Those that are linked first; 50 at most. */
    readonly accounts: (person: ProvidersPerson) => Effect.Effect<ReadonlyArray<PersonsAccount>, Unavailable>
    /** Logs in to one of these, and links it. None: it is none of them any more. */
    readonly login: (
      person: ProvidersPerson,
      account: AccountPlace
    ) => Effect.Effect<Option.Option<typeof Standing.Type>, Unavailable>
    /** Links the person to an account whose user asked for it: see `auth.link_identity`. */
    readonly link: (
      person: ProvidersPerson,
      account: AccountPlace & { readonly tokenEpoch: number }
    ) => Effect.Effect<"linked" | "taken" | "full" | "ended", Unavailable>
    /** Notes in the audit logs of the person's tenants that a login led to nothing. */
    readonly refused: (person: ProvidersPerson) => Effect.Effect<void, Unavailable>
  }
>()("@llm-saas/database/LoginProviderAccess") {
  static readonly layer = Layer.effect(
    LoginProviderAccess,
    Effect.map(Pool, (pool) =>
      LoginProviderAccess.of({
        accounts: Effect.fn("LoginProviderAccess.accounts")(({ email, issuer, subject }) =>
          pool.call(
            "select * from auth.provider_accounts($1, $2, $3)",
            [issuer, subject, email ?? null],
            Schema.Array(PersonsAccount),
            LINE
          )
        ),
        login: Effect.fn("LoginProviderAccess.login")(function* (person, { tenantId, userId }) {
          const { email, issuer, provider, subject } = person
          const [found] = yield* pool.call(
            "select * from auth.provider_login($1, $2, $3, $4, $5::uuid, $6::uuid, $7)",
            [provider, issuer, subject, email ?? null, tenantId, userId, yield* RequestId],
            Schema.Array(Standing),
            LINE
          )
          return Option.fromUndefinedOr(found)
        }),
        link: Effect.fn("LoginProviderAccess.link")(function* (person, { tenantId, tokenEpoch, userId }) {
          const { issuer, provider, subject } = person
          const [{ outcome }] = yield* pool.call(
            "select auth.link_identity($1, $2, $3, $4::uuid, $5::uuid, $6::int4, $7) as outcome",
            [provider, issuer, subject, tenantId, userId, tokenEpoch, yield* RequestId],
            Schema.Tuple([Schema.Struct({ outcome: Outcome })]),
            LINE
          )
          return outcome
        }),
        refused: Effect.fn("LoginProviderAccess.refused")(function* ({ issuer, subject }) {
          yield* pool.call(
            "select auth.provider_refused($1, $2, $3)",
            [issuer, subject, yield* RequestId],
            Schema.Unknown,
            LINE
          )
        })
      })
    )
  )
}

const Outcome = Schema.Literals(["linked", "taken", "full", "ended"])

import { Issuer, MailDomain, Slug } from "@llm-saas/domain/SingleSignOn"
import { RequestId } from "@llm-saas/domain/RequestId"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { TenantId } from "@llm-saas/domain/Tenant"
import { type Email, Role, UserId } from "@llm-saas/domain/User"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { Pool } from "./connections/Pool.ts"

/** Logins wait for a connection in a line of their own: those of any tenant do not hold up requests. */
const LINE = "sso"

/** A tenant's connection as a login needs it, with its secret encrypted. Bytes are in hex. */
export const LoginConnection = Schema.Struct({
  tenant_id: TenantId,
  id: Schema.String,
  slug: Slug,
  issuer: Issuer,
  client_id: Schema.String,
  sealed: Schema.NullOr(Schema.String),
  version: Schema.NullOr(Schema.Int),
  wrapped: Schema.NullOr(Schema.String),
  wrapped_by: Schema.NullOr(Schema.String),
  domains: Schema.Array(MailDomain),
  trust_email: Schema.Boolean,
  role_claim: Schema.NullOr(Schema.String),
  admin_values: Schema.Array(Schema.String)
})
export type LoginConnection = typeof LoginConnection.Type

const Account = Schema.Struct({ id: UserId, role: Role, token_epoch: Schema.Int })

/** The account that a login leads to, or why there is none: see `auth.sso_login`. */
const LoginResult = Schema.Union([
  Schema.Struct({ outcome: Schema.Literals(["known", "linked", "created"]), ...Account.fields }),
  Schema.Struct({ outcome: Schema.Literals(["no_account", "address_taken"]) })
])
export type LoginResult = typeof LoginResult.Type

/** The requests to the database of single sign-on before a tenant is known (`sql/functions/33_sso.sql`): one round trip each. */
export class SsoAccess extends Context.Service<
  SsoAccess,
  {
    /** By its slug, or by its tenant and id. None: there is none, it is disabled, or its tenant is suspended. */
    readonly connection: (
      which: { readonly slug: Slug } | { readonly tenantId: TenantId; readonly id: string }
    ) => Effect.Effect<Option.Option<LoginConnection>, Unavailable>
    /** Where people with an address of this domain log in. */
    readonly slugOf: (domain: MailDomain) => Effect.Effect<Option.Option<Slug>, Unavailable>
    /** The account of a person the provider vouches for. None: there is no such connection any more. */
    readonly login: (person: {
      readonly tenantId: TenantId
      readonly connection: string
      readonly issuer: string
      readonly subject: string
      /** If it is verified and of an allowed domain. */
      readonly email: Email | undefined
      /** If a claim decides it. */
      readonly role: Role | undefined
      /** The id of a new account, if one is made. */
      readonly newUser: UserId
    }) => Effect.Effect<Option.Option<LoginResult>, Unavailable>
    /** The account as it is now. None: it may not enter any more, or its epoch is another one. */
    readonly account: (
      tenantId: TenantId,
      userId: UserId,
      tokenEpoch: number
    ) => Effect.Effect<Option.Option<typeof Account.Type>, Unavailable>
    /** Uses up what may be used once, by its SHA-256 in hex. False: it was used before. */
    readonly spend: (hash: string, lifetimeMs: number) => Effect.Effect<boolean, Unavailable>
  }
>()("@llm-saas/database/SsoAccess") {
  static readonly layer = Layer.effect(
    SsoAccess,
    Effect.gen(function* () {
      const pool = yield* Pool
      return SsoAccess.of({
        connection: Effect.fn("SsoAccess.connection")(function* (which) {
          const [slug, tenant, id] = "slug" in which ? [which.slug, null, null] : [null, which.tenantId, which.id]
          const [found] = yield* pool.call(
            "select * from auth.sso_connection($1::text, $2::uuid, $3::uuid)",
            [slug, tenant, id],
            Schema.Array(LoginConnection),
            LINE
          )
          return Option.fromUndefinedOr(found)
        }),
        slugOf: Effect.fn("SsoAccess.slugOf")(function* (domain) {
          const [{ slug }] = yield* pool.call(
            "select auth.sso_slug_of($1) as slug",
            [domain],
            Schema.Tuple([Schema.Struct({ slug: Schema.NullOr(Slug) })]),
            LINE
          )
          return Option.fromNullOr(slug)
        }),
        login: Effect.fn("SsoAccess.login")(function* (person) {
          const request = yield* RequestId
          const [found] = yield* pool.call(
            "select * from auth.sso_login($1, $2::uuid, $3, $4, $5, $6, $7, $8)",
            [
              person.tenantId,
              person.connection,
              person.issuer,
              person.subject,
              person.email ?? null,
              person.role ?? null,
              person.newUser,
              request
            ],
            Schema.Array(LoginResult),
            LINE
          )
          return Option.fromUndefinedOr(found)
        }),
        account: Effect.fn("SsoAccess.account")(function* (tenantId, userId, tokenEpoch) {
          const [found] = yield* pool.call(
            "select * from auth.identity_of($1, $2, $3)",
            [tenantId, userId, tokenEpoch],
            Schema.Array(Account),
            LINE
          )
          return Option.fromUndefinedOr(found)
        }),
        spend: Effect.fn("SsoAccess.spend")(function* (hash, lifetimeMs) {
          const [{ first }] = yield* pool.call(
            "select auth.spend(decode($1::text, 'hex'), now() + make_interval(secs => $2::float8)) as first",
            [hash, lifetimeMs / 1000],
            Schema.Tuple([Schema.Struct({ first: Schema.Boolean })]),
            LINE
          )
          return first
        })
      })
    })
  )
}

import { RequestId } from "@llm-saas/domain/RequestId"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { TenantId } from "@llm-saas/domain/Tenant"
import { type Email, UserId } from "@llm-saas/domain/User"
import { Context, Effect, Layer, Schema } from "effect"
import { Pool } from "./connections/Pool.ts"

/** They have a line of their own: logins in any number do not hold them up. */
const LINE = "accountLinks"

/** An account that a link may be sent for. */
export const LinkedAccount = Schema.Struct({ tenant_id: TenantId, user_id: UserId })
export type LinkedAccount = typeof LinkedAccount.Type

/** A link to be sent, with the ids of its token and its mail; `hash`: SHA-256 of the token's text, in hexadecimal. */
export interface WrittenLink {
  readonly account: LinkedAccount
  readonly token: string
  readonly hash: string
  readonly mail: string
}

/** What is done by links in mails before a tenant is known: narrow SECURITY DEFINER functions (`sql/functions/36_account_links.sql`). */
export class AccountLinkAccess extends Context.Service<
  AccountLinkAccess,
  {
    /** Active people with this address, ten at most. `unverified`: those whose address is not verified. */
    readonly accounts: (at: {
      readonly email: Email
      readonly tenantId: TenantId | undefined
      readonly unverified: boolean
    }) => Effect.Effect<ReadonlyArray<LinkedAccount>, Unavailable>
    /** Writes links to this address, with their mails and audit events. Also called with none, so that it takes as long. */
    readonly write: (
      purpose: "password_reset" | "email_verify",
      email: Email,
      links: ReadonlyArray<WrittenLink>,
      seconds: number
    ) => Effect.Effect<void, Unavailable>
    /** `token`: the hash of the link's, in hexadecimal; `mail`: the id of the notice. False: the link leads nowhere. */
    readonly resetPassword: (token: string, passwordHash: string, mail: string) => Effect.Effect<boolean, Unavailable>
    /** `proven`: the account's password was given. */
    readonly verify: (
      token: string,
      proven: boolean
    ) => Effect.Effect<"verified" | "password_wanted" | "refused", Unavailable>
    readonly changeEmail: (token: string, mail: string) => Effect.Effect<"changed" | "taken" | "refused", Unavailable>
  }
>()("@llm-saas/database/AccountLinkAccess") {
  static readonly layer = Layer.effect(
    AccountLinkAccess,
    Effect.map(Pool, (pool) => {
      const one = <A, I>(sql: string, params: ReadonlyArray<unknown>, done: Schema.Codec<A, I>) =>
        Effect.map(pool.call(sql, params, Schema.Tuple([Schema.Struct({ done })]), LINE), ([row]) => row.done)
      return AccountLinkAccess.of({
        accounts: Effect.fn("AccountLinkAccess.accounts")(({ email, tenantId, unverified }) =>
          pool.call(
            "select * from auth.accounts_at($1, $2::uuid, $3::boolean)",
            [email, tenantId ?? null, unverified],
            Schema.Array(LinkedAccount),
            LINE
          )
        ),
        write: Effect.fn("AccountLinkAccess.write")(function* (purpose, email, links, seconds) {
          yield* pool.call(
            "select auth.write_links($1, $2, $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::uuid[], $8::int4, $9)",
            [
              purpose,
              email,
              links.map(({ account }) => account.tenant_id),
              links.map(({ account }) => account.user_id),
              links.map(({ token }) => token),
              links.map(({ hash }) => hash),
              links.map(({ mail }) => mail),
              seconds,
              yield* RequestId
            ],
            Schema.Unknown,
            LINE
          )
        }),
        resetPassword: Effect.fn("AccountLinkAccess.resetPassword")(function* (token, passwordHash, mail) {
          const request = yield* RequestId
          const params = [token, passwordHash, mail, request]
          return yield* one("select auth.reset_password($1, $2, $3::uuid, $4) as done", params, Schema.Boolean)
        }),
        verify: Effect.fn("AccountLinkAccess.verify")(function* (token, proven) {
          const params = [token, proven, yield* RequestId]
          return yield* one("select auth.verify_email($1, $2::boolean, $3) as done", params, Verified)
        }),
        changeEmail: Effect.fn("AccountLinkAccess.changeEmail")(function* (token, mail) {
          const request = yield* RequestId
          return yield* one("select auth.change_email($1, $2::uuid, $3) as done", [token, mail, request], Changed)
        })
      })
    })
  )
}

const Verified = Schema.Literals(["verified", "password_wanted", "refused"])
const Changed = Schema.Literals(["changed", "taken", "refused"])

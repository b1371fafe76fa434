import { MailId } from "@llm-saas/domain/Mail"
import { OneTimeTokenId } from "@llm-saas/domain/OneTimeToken"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { TenantId } from "@llm-saas/domain/Tenant"
import { Context, Effect, Layer, Schema } from "effect"
import { Pool } from "./connections/Pool.ts"

/** A mail that is due. */
export const DueMail = Schema.Struct({
  tenant_id: TenantId,
  tenant_name: Schema.String,
  id: MailId,
  address: Schema.String,
  template: Schema.String,
  /** JSON of what the template says. */
  data: Schema.String,
  /** The token of its link, with the SHA-256 of the token's text, and how long it is good for. */
  token_id: Schema.NullOr(OneTimeTokenId),
  token_hash: Schema.NullOr(Schema.String),
  token_minutes: Schema.NullOr(Schema.Int),
  /** This one included. */
  attempts: Schema.Int,
  created_at: Schema.DateTimeUtcFromDate
})
export type DueMail = typeof DueMail.Type

/** What became of a mail. */
export type MailOutcome =
  | { readonly outcome: "sent" }
  /** For good. `reason`: no address, and nothing of what the mail says. */
  | { readonly outcome: "failed"; readonly reason: string }
  /** `counts`: the failure was the mail's own. */
  | { readonly outcome: "later"; readonly seconds: number; readonly counts: boolean }

/** Mails that wait to be sent: the functions of `sql/functions/54_mails.sql`. Its pool logs in as `llm_jobs`. */
export class MailOutbox extends Context.Service<
  MailOutbox,
  {
    /**
     * Claims at most `limit` due mails for `seconds`: until then no other process gets them. Two of each tenant, in the order of their
     * ids, after the tenant `after`.
     */
    readonly claim: (options: {
      readonly worker: string
      readonly after: TenantId
      readonly limit: number
      readonly seconds: number
    }) => Effect.Effect<ReadonlyArray<DueMail>, Unavailable>
    /** Stores what became of a mail. One whose claim has expired meanwhile is left unchanged. */
    readonly settle: (
      worker: string,
      mail: Pick<DueMail, "tenant_id" | "id">,
      outcome: MailOutcome
    ) => Effect.Effect<void, Unavailable>
  }
>()("@llm-saas/database/MailOutbox") {
  static readonly layer = Layer.effect(
    MailOutbox,
    Effect.gen(function* () {
      const pool = yield* Pool
      return MailOutbox.of({
        claim: ({ after, limit, seconds, worker }) =>
          pool.call(
            "select * from work.claim_mails($1::uuid, $2::uuid, $3::int4, $4::int4)",
            [worker, after, limit, seconds],
            Schema.Array(DueMail)
          ),
        settle: (worker, { id, tenant_id }, outcome) =>
          Effect.asVoid(
            pool.call(
              "select work.settle_mail($1::uuid, $2::uuid, $3::uuid, $4::text, $5::text, $6::int4, $7::boolean)",
              [
                worker,
                tenant_id,
                id,
                outcome.outcome,
                outcome.outcome === "failed" ? outcome.reason : null,
                outcome.outcome === "later" ? Math.ceil(outcome.seconds) : 0,
                outcome.outcome === "later" && outcome.counts
              ],
              Schema.Unknown
            )
          )
      })
    })
  )
}

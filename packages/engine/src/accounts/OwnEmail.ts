import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { type Actor } from "@llm-saas/domain/Actor"
import type { Refused } from "@llm-saas/domain/Refusal"
import { Email, UserId } from "@llm-saas/domain/User"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { SqlSchema } from "effect/sql"
import * as AuditLog from "../AuditLog.ts"
import { LINK_LIFETIMES } from "./AccountLinks.ts"
import { Mails } from "./Mails.ts"
import { OneTimeTokens } from "./OneTimeTokens.ts"

/** The address of the actor's own account. Both answers are the same, whatever is sent. */
export class OwnEmail extends Context.Service<
  OwnEmail,
  {
    /** Sends a link that verifies it, unless it is verified. */
    readonly sendVerification: Effect.Effect<void, Refused, Actor>
    /**
     * Sends a link to the new address, and a notice to the one there is. Nothing changes before the link is followed, and whether another
     * account has the address is told only then: to who reads its mail. To be called with a fresh proof that it is the account's owner.
     */
    readonly askChange: (next: Email) => Effect.Effect<void, Refused, Actor>
  }
>()("@llm-saas/engine/accounts/OwnEmail") {
  static readonly layer = Layer.effect(
    OwnEmail,
    Effect.gen(function* () {
      const tenancy = yield* Tenancy
      const tokens = yield* OneTimeTokens
      const mails = yield* Mails
      const record = AuditLog.recorder(yield* SecureRandom)

      const sendVerification = tenancy
        .transaction(
          Effect.gen(function* () {
            const own = yield* selectOwn()
            if (Option.isNone(own) || own.value.verified) return
            const { email: address, id: subject } = own.value
            const lifetime = LINK_LIFETIMES.email_verify
            const token = yield* tokens.issue({ purpose: "email_verify", subject, address, lifetime })
            yield* mails.write({ address, subject, content: { template: "email_verify" }, token })
            yield* record("email.verification_sent", { kind: "user", id: subject })
          })
        )
        .pipe(Effect.withSpan("OwnEmail.sendVerification"))

      const askChange: OwnEmail["Service"]["askChange"] = Effect.fn("OwnEmail.askChange")((next) =>
        tenancy.transaction(
          Effect.gen(function* () {
            const own = yield* selectOwn()
            if (Option.isNone(own) || own.value.email === next) return
            const { email, id: subject } = own.value
            const lifetime = LINK_LIFETIMES.email_change
            const token = yield* tokens.issue({ purpose: "email_change", subject, address: next, lifetime })
            yield* mails.write({ address: next, subject, content: { template: "email_change" }, token })
            yield* mails.write({ address: email, subject, content: { template: "email_change_asked", next } })
            yield* record("email.change_asked", { kind: "user", id: subject })
          })
        )
      )
      return OwnEmail.of({ sendVerification, askChange })
    })
  )
}

const selectOwn = SqlSchema.findOneOption({
  Request: Schema.Void,
  Result: Schema.Struct({ id: UserId, email: Email, verified: Schema.Boolean }),
  execute: () =>
    TenantSql.use(
      (sql) => sql`select id, email, email_verified_at is not null as verified from app.users
        where tenant_id = app.tenant_id() and id = app.user_id() and kind = 'person'`
    )
})

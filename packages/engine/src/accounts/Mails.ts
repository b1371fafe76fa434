import { TenantSql } from "@llm-saas/database/Tenancy"
import { type MailContent, MailId } from "@llm-saas/domain/Mail"
import { OneTimeTokenId } from "@llm-saas/domain/OneTimeToken"
import { type Email, UserId } from "@llm-saas/domain/User"
import { Context, Effect, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { SqlSchema } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"

/** Mails to be sent: written in the transaction of the deed they are about, sent by `@llm-saas/mail` in the background. */
export class Mails extends Context.Service<
  Mails,
  {
    /**
     * `subject`: the user whose account it is about, with whom it is removed; undefined: there is none yet. `token`: whose link it has; the mail then goes to the
     * token's address. Where nothing is sent any more (the token is used, the user deleted), the mail is dropped.
     */
    readonly write: (mail: {
      readonly address: Email
      readonly subject: UserId | undefined
      readonly content: MailContent
      readonly token?: OneTimeTokenId | undefined
    }) => Effect.Effect<MailId, SqlError | Schema.SchemaError, TenantSql>
  }
>()("@llm-saas/engine/accounts/Mails") {
  static readonly layer = Layer.effect(
    Mails,
    Effect.gen(function* () {
      const random = yield* SecureRandom
      const write: Mails["Service"]["write"] = Effect.fn("Mails.write")(function* ({
        address,
        content,
        subject,
        token
      }) {
        const id = MailId.make(yield* random.uuidV7())
        yield* insert({ id, subject: subject ?? null, address, token: token ?? null, ...rowOf(content) })
        return id
      })
      return Mails.of({ write })
    })
  )
}

/** The template's name, and what else it says as JSON. */
export const rowOf = ({ template, ...data }: MailContent): { readonly template: string; readonly data: string } => ({
  template,
  data: JSON.stringify(data)
})

const insert = SqlSchema.void({
  Request: Schema.Struct({
    id: MailId,
    subject: Schema.NullOr(UserId),
    address: Schema.String,
    template: Schema.String,
    data: Schema.String,
    token: Schema.NullOr(OneTimeTokenId)
  }),
  execute: ({ address, data, id, subject, template, token }) =>
    TenantSql.use(
      (sql) => sql`insert into app.mails (tenant_id, id, subject_id, address, template, data, token_id)
        values (app.tenant_id(), ${id}, ${subject}::uuid, ${address}, ${template}, ${data}::text::jsonb, ${token}::uuid)`
    )
})

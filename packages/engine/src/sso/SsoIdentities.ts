import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import type { Refused } from "@llm-saas/domain/Refusal"
import { IdentityNotFound, LastLogin, SsoIdentity, SsoIdentityId } from "@llm-saas/domain/SsoIdentity"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { SqlSchema } from "effect/sql"
import * as AuditLog from "../AuditLog.ts"
import { LoginProviders } from "./LoginProviders.ts"

/** Who at a provider logs in to the actor's account. Identities are made by logins alone. */
export class SsoIdentities extends Context.Service<
  SsoIdentities,
  {
    /** Oldest first. There are as many as the account's tenant had providers, and twenty of the installation's at most. */
    readonly list: Effect.Effect<ReadonlyArray<SsoIdentity>, Refused, Actor>
    /** Unlinks one. The last way to log in stays. Sessions go on. Who may do it with which proof is the caller's. */
    readonly remove: (id: SsoIdentityId) => Effect.Effect<void, IdentityNotFound | LastLogin | Refused, Actor>
  }
>()("@llm-saas/engine/sso/SsoIdentities") {
  static readonly layer = Layer.effect(
    SsoIdentities,
    Effect.gen(function* () {
      const tenancy = yield* Tenancy
      const issuers = (yield* LoginProviders).all.map(({ client }) => client.issuer)
      const record = AuditLog.recorder(yield* SecureRandom)

      const remove: SsoIdentities["Service"]["remove"] = Effect.fn("SsoIdentities.remove")(function* (id) {
        const { userId } = yield* Actor
        yield* tenancy
          .transaction(
            Effect.gen(function* () {
              // Of two requests that each leave the other's identity, the second waits here, and finds its own the last.
              yield* hold()
              const removed = yield* unlink(id)
              if (Option.isNone(removed)) return yield* new IdentityNotFound({})
              if (!(yield* wayIn(issuers)).there) return yield* new LastLogin({})
              yield* record("sso.unlinked", { kind: "user", id: userId }, { identity: id })
            })
          )
          .pipe(Effect.catchTag("NoSuchElementError", Effect.die))
      })

      return SsoIdentities.of({
        list: Effect.map(tenancy.read(select()), (rows) => rows.map((row) => new SsoIdentity(row))).pipe(
          Effect.withSpan("SsoIdentities.list")
        ),
        remove
      })
    })
  )
}

const At = Schema.DateTimeUtcFromDate

/** Inside the room admins see those of all: the user is named here. */
const select = SqlSchema.findAll({
  Request: Schema.Void,
  Result: Schema.Struct({ ...SsoIdentity.fields, created_at: At, last_login_at: Schema.NullOr(At) }),
  execute: () =>
    TenantSql.use(
      (sql) => sql`select i.id, i.origin, i.issuer, i.subject, i.created_at, i.last_login_at from app.sso_identities i
        where i.tenant_id = app.tenant_id() and i.user_id = app.user_id() order by i.created_at, i.id`
    )
})

const hold = SqlSchema.void({
  Request: Schema.Void,
  execute: () =>
    TenantSql.use(
      (sql) =>
        sql`select from app.users u where u.tenant_id = app.tenant_id() and u.id = app.user_id() for no key update`
    )
})

const unlink = SqlSchema.findOneOption({
  Request: SsoIdentityId,
  Result: Schema.Struct({ id: SsoIdentityId }),
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`delete from app.sso_identities i
        where i.tenant_id = app.tenant_id() and i.user_id = app.user_id() and i.id = ${id} returning i.id`
    )
})

/** Whether the actor can log in with what is left, by the installation's providers too. */
const wayIn = SqlSchema.findOne({
  Request: Schema.fromJsonString(Schema.Array(Schema.String)),
  Result: Schema.Struct({ there: Schema.Boolean }),
  execute: (issuers) =>
    TenantSql.use(
      (sql) => sql`select auth.has_way_in(array(select jsonb_array_elements_text(${issuers}::text::jsonb))) as there`
    )
})

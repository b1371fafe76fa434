import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import type { Refused } from "@llm-saas/domain/Refusal"
import { type LoginMethod, SessionId } from "@llm-saas/domain/Session"
import { Context, Effect, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { SqlSchema } from "effect/sql"
import * as AuditLog from "../AuditLog.ts"

/** Sessions of one user at a time. Of more, those end that were renewed the longest ago, and before them those that never were. */
const MOST = 100

/** What a session begins with. */
export interface NewSession {
  readonly method: LoginMethod
  /** SHA-256 of its first refresh token, in hexadecimal. */
  readonly hash: string
  readonly device: string | undefined
  readonly address: string
  readonly idleSeconds: number
  readonly lifeSeconds: number
}

/** Sessions, as rows of their user's room. They are renewed before a room is entered: `SessionAccess`. */
export class UserSessions extends Context.Service<
  UserSessions,
  {
    /** Begins one for the actor. */
    readonly begin: (session: NewSession) => Effect.Effect<SessionId, Refused, Actor>
  }
>()("@llm-saas/engine/accounts/UserSessions") {
  static readonly layer = Layer.effect(
    UserSessions,
    Effect.gen(function* () {
      const tenancy = yield* Tenancy
      const random = yield* SecureRandom
      const record = AuditLog.recorder(random)

      const begin: UserSessions["Service"]["begin"] = Effect.fn("UserSessions.begin")(function* (session) {
        const { tokenEpoch } = yield* Actor
        const id = SessionId.make(yield* random.uuidV7())
        yield* tenancy.transaction(
          Effect.andThen(
            insert({ ...session, id, device: session.device ?? null, epoch: tokenEpoch }),
            record("session.begun", { kind: "session", id }, { method: session.method })
          )
        )
        return id
      })
      return UserSessions.of({ begin })
    })
  )
}

const insert = SqlSchema.void({
  Request: Schema.Struct({
    id: SessionId,
    method: Schema.String,
    hash: Schema.String,
    device: Schema.NullOr(Schema.String),
    address: Schema.String,
    epoch: Schema.Int,
    idleSeconds: Schema.Int,
    lifeSeconds: Schema.Int
  }),
  execute: ({ address, device, epoch, hash, id, idleSeconds, lifeSeconds, method }) =>
    TenantSql.use(
      (sql) => sql`with beyond as (
          select s.id from app.sessions s
          where s.tenant_id = app.tenant_id() and s.user_id = app.user_id() and s.ended_at is null
          order by s.rotations = 0, s.last_used_at desc offset ${MOST - 1}::int4
        ), ended as (
          update app.sessions s set ended_at = now(), ended_reason = 'too_many' from beyond
          where s.tenant_id = app.tenant_id() and s.id = beyond.id and s.ended_at is null
        )
        insert into app.sessions (tenant_id, id, user_id, method, token_epoch, secret_hash, device, address, idle_until, ends_at)
        select app.tenant_id(), ${id}::uuid, app.user_id(), ${method}::text, ${epoch}::int4, decode(${hash}::text, 'hex'), ${device}::text,
          ${address}::text, now() + make_interval(secs => least(${idleSeconds}::int4, ${lifeSeconds}::int4)),
          now() + make_interval(secs => ${lifeSeconds}::int4)`
    )
})

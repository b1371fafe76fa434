import { TenantSql } from "@llm-saas/database/Tenancy"
import { Session, SessionId } from "@llm-saas/domain/Session"
import { UserId } from "@llm-saas/domain/User"
import { Schema, Struct } from "effect"
import { SqlSchema } from "effect/sql"
import { pageOnIndex } from "../Pages.ts"

// Sessions as rows of the room. The hash of a refresh token is written here and never read.

/** Sessions of one user at a time. Of more, those end that never were renewed, and then those that were the longest ago. */
const MOST = 100

const At = Schema.DateTimeUtcFromDate

const SessionRow = Schema.Struct({
  ...Struct.omit(Session.fields, ["current"]),
  created_at: At,
  last_used_at: At,
  expires_at: At,
  ends_at: At
})

/** A new session of the actor. */
export const insertSession = SqlSchema.void({
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
          where s.tenant_id = app.tenant_id() and s.user_id = app.user_id() and s.ended_at is null and s.idle_until > now()
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

/** Those of a user that are not over, newest first, after the id `after`. `user` null: the actor's. */
export const selectSessions = SqlSchema.findAll({
  Request: Schema.Struct({
    user: Schema.NullOr(UserId),
    after: Schema.NullOr(Schema.String),
    limit: Schema.Int
  }),
  Result: SessionRow,
  execute: ({ after, limit, user }) =>
    TenantSql.use((sql) => {
      const of = { column: "user_id" as const, value: user === null ? sql`app.user_id()` : sql`${user}::uuid` }
      return sql`select s.id, s.user_id, s.method, s.device, s.address, s.created_at, s.last_used_at, s.idle_until as expires_at, s.ends_at
        from (${pageOnIndex(sql, "sessions", of, after, limit)}) s order by s.id desc`
    })
})

/** Ends one session of a user. None: it is over, or not there. */
export const endSession = SqlSchema.findOneOption({
  Request: Schema.Struct({ user: UserId, id: SessionId, reason: Schema.String }),
  Result: Schema.Struct({ id: SessionId }),
  execute: ({ id, reason, user }) =>
    TenantSql.use(
      (sql) => sql`update app.sessions s set ended_at = now(), ended_reason = ${reason}
        where s.tenant_id = app.tenant_id() and s.id = ${id} and s.user_id = ${user} and s.ended_at is null and s.idle_until > now()
        returning s.id`
    )
})

/** Ends all sessions of a user but one. Returns those that it ended. */
export const endSessions = SqlSchema.findAll({
  Request: Schema.Struct({ user: UserId, but: Schema.NullOr(SessionId), reason: Schema.String }),
  Result: Schema.Struct({ id: SessionId }),
  execute: ({ but, reason, user }) =>
    TenantSql.use(
      (sql) => sql`update app.sessions s set ended_at = now(), ended_reason = ${reason}
        where s.tenant_id = app.tenant_id() and s.user_id = ${user} and s.ended_at is null and s.id is distinct from ${but}::uuid
        returning s.id`
    )
})

/** A person of the tenant. */
export const findPerson = SqlSchema.findOneOption({
  Request: UserId,
  Result: Schema.Struct({ id: UserId }),
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`select id from app.users where tenant_id = app.tenant_id() and id = ${id} and kind = 'person'`
    )
})

import { TenantSql } from "@llm-saas/database/Tenancy"
import { Invitation, INVITATION_DAYS, InvitationId } from "@llm-saas/domain/Invitation"
import { Email, Role } from "@llm-saas/domain/User"
import { Schema } from "effect"
import { SqlSchema } from "effect/sql"
import { pageOnIndex } from "../Pages.ts"

/** The columns of an invitation as the tenant's admins see it. */
export const InvitationRow = Schema.Struct({
  ...Invitation.fields,
  created_at: Schema.DateTimeUtcFromDate,
  sent_at: Schema.DateTimeUtcFromDate,
  expires_at: Schema.DateTimeUtcFromDate
})

// Two bounds and an order: see app.enter.
const SHOWN = `i.id, i.tenant_id, i.email, i.role, i.invited_by, i.created_at, i.sent_at, i.expires_at, i.user_id, case
    when i.accepted_at is not null then 'accepted' when i.revoked_at is not null then 'revoked' when i.expires_at <= now() then 'expired'
    when u.role = 'admin' and u.status = 'active' then 'pending' else 'lapsed' end as status`
const INVITER = `left join lateral (
    select u.role, u.status from app.users u
    where u.tenant_id = i.tenant_id and u.id <= i.invited_by and u.id >= i.invited_by order by u.id limit 1
  ) u on true`
// Of one that was just sent by the user of this room.
const SENT = `i.id, i.tenant_id, i.email, i.role, i.invited_by, i.created_at, i.sent_at, i.expires_at, i.user_id, 'pending' as status`

export const newestFirst = SqlSchema.findAll({
  Request: Schema.Struct({ after: Schema.NullOr(Schema.String), limit: Schema.Int }),
  Result: InvitationRow,
  execute: ({ after, limit }) =>
    TenantSql.use(
      (sql) => sql`select ${sql.literal(SHOWN)}
        from (${pageOnIndex(sql, "invitations", undefined, after, limit)}) i ${sql.literal(INVITER)} order by i.id desc`
    )
})

export const selectOne = SqlSchema.findOneOption({
  Request: InvitationId,
  Result: InvitationRow,
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`select ${sql.literal(SHOWN)} from app.invitations i ${sql.literal(INVITER)}
        where i.tenant_id = app.tenant_id() and i.id = ${id}`
    )
})

/** Who invites, as the mail names them, and whether the address has an account here. */
export const selectStanding = SqlSchema.findOne({
  Request: Email,
  Result: Schema.Struct({ inviter: Schema.String, taken: Schema.Boolean }),
  execute: (email) =>
    TenantSql.use(
      (sql) => sql`select coalesce(u.name, u.email) as inviter, exists (
          select from app.users other where other.tenant_id = app.tenant_id() and other.email = ${email} and other.deleted_at is null
        ) as taken
        from app.users u where u.tenant_id = app.tenant_id() and u.id = app.user_id()`
    )
})

/** A new one; or the open one of the address, changed. Of two at once, the second waits for the first and changes it. */
export const upsert = SqlSchema.findOne({
  Request: Schema.Struct({ id: InvitationId, email: Email, role: Role }),
  Result: InvitationRow,
  execute: ({ email, id, role }) =>
    TenantSql.use(
      (sql) => sql`insert into app.invitations as i (tenant_id, id, email, role, invited_by, expires_at)
        values (app.tenant_id(), ${id}, ${email}, ${role}, app.user_id(), now() + make_interval(days => ${INVITATION_DAYS}::int4))
        on conflict (tenant_id, email) where accepted_at is null and revoked_at is null
        do update set role = excluded.role, invited_by = excluded.invited_by, sent_at = now(), expires_at = excluded.expires_at
        returning ${sql.literal(SENT)}`
    )
})

/** Good for another while, and sent by the user of this room. None: it is not open. */
export const renew = SqlSchema.findOneOption({
  Request: InvitationId,
  Result: InvitationRow,
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`update app.invitations i
        set invited_by = app.user_id(), sent_at = now(), expires_at = now() + make_interval(days => ${INVITATION_DAYS}::int4)
        where i.tenant_id = app.tenant_id() and i.id = ${id} and i.accepted_at is null and i.revoked_at is null
        returning ${sql.literal(SENT)}`
    )
})

/** None: it is not open. */
export const revoke = SqlSchema.findOneOption({
  Request: InvitationId,
  Result: Schema.Struct({ id: InvitationId }),
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`update app.invitations i set revoked_at = now()
        where i.tenant_id = app.tenant_id() and i.id = ${id} and i.accepted_at is null and i.revoked_at is null returning i.id`
    )
})

import { TenantSql } from "@llm-saas/database/Tenancy"
import { Schema } from "effect"
import { SqlSchema } from "effect/sql"

// Logins of the actor's own account that wait for a second factor, as rows of the room.

/** Seconds a challenge is good for, and tries. */
export const CHALLENGE_SECONDS = 300
export const CHALLENGE_TRIES = 5

/** Adds one, and removes those of the account that are over. */
export const add = SqlSchema.void({
  Request: Schema.String,
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`with over as (
          delete from app.login_challenges c
          where c.tenant_id = app.tenant_id() and c.user_id = app.user_id() and c.ends_at < now()
        )
        insert into app.login_challenges (tenant_id, id, user_id, ends_at)
        values (app.tenant_id(), ${id}, app.user_id(), now() + make_interval(secs => ${CHALLENGE_SECONDS}::float8))`
    )
})

/** Takes one try, if there is one left. */
export const takeTry = SqlSchema.findOneOption({
  Request: Schema.String,
  Result: Schema.Struct({ tries: Schema.Int }),
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`update app.login_challenges c set tries = c.tries + 1
        where c.tenant_id = app.tenant_id() and c.id = ${id} and c.user_id = app.user_id() and c.ends_at > clock_timestamp()
          and c.tries < ${CHALLENGE_TRIES}::int4 returning c.tries`
    )
})

/** Whether it has tries left; none is taken. */
export const isOpen = SqlSchema.findOneOption({
  Request: Schema.String,
  Result: Schema.Struct({ tries: Schema.Int }),
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`select c.tries from app.login_challenges c
        where c.tenant_id = app.tenant_id() and c.id = ${id} and c.user_id = app.user_id() and c.ends_at > clock_timestamp()
          and c.tries < ${CHALLENGE_TRIES}::int4`
    )
})

/** Answered. Of two answers at once one finds it. */
export const close = SqlSchema.findOneOption({
  Request: Schema.String,
  Result: Schema.Struct({ tries: Schema.Int }),
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`delete from app.login_challenges c
        where c.tenant_id = app.tenant_id() and c.id = ${id} and c.user_id = app.user_id() returning c.tries`
    )
})

import { Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import { AuditEvent } from "@llm-saas/domain/AuditEvent"
import type { Page } from "@llm-saas/domain/Page"
import type { Refused } from "@llm-saas/domain/Refusal"
import { type TenantId, TenantNotFound } from "@llm-saas/domain/Tenant"
import { Context, DateTime, Duration, Effect, Layer, Schema } from "effect"
import { SqlSchema } from "effect/sql"

/** Which events of the log; what is absent does not matter. */
export interface AuditQuery {
  /** A type, or the beginning of some, which ends with a dot. */
  readonly type?: string | undefined
  /** The id of a user, or of an API key. */
  readonly actor?: string | undefined
  /** The id of what it was done to. */
  readonly subject?: string | undefined
  /** Not before, and before. */
  readonly from?: DateTime.Utc | undefined
  readonly to?: DateTime.Utc | undefined
}

/** A tenant's audit log, as its admins read it. */
export class AuditEvents extends Context.Service<
  AuditEvents,
  {
    /**
     * Newest first. A page may have fewer rows than `limit`, or none, and a next one all the same: a request looks at {@link WINDOW} events at
     * most, however few of them are asked for.
     */
    readonly page: (
      tenant: TenantId,
      query: AuditQuery & { readonly limit: number; readonly cursor: string | undefined }
    ) => Effect.Effect<Page<AuditEvent>, TenantNotFound | Refused, Actor>
  }
>()("@llm-saas/engine/AuditEvents") {
  static readonly layer = Layer.effect(
    AuditEvents,
    Effect.map(Tenancy, (tenancy) =>
      AuditEvents.of({
        page: Effect.fn("AuditEvents.page")(function* (tenant, { cursor, limit, ...query }) {
          const { tenantId } = yield* Actor
          const { from, to, ...wanted } = query
          const times = {
            from: from === undefined ? undefined : DateTime.formatIso(from),
            to: to === undefined ? undefined : DateTime.formatIso(to)
          }
          const { events, last } = yield* tenancy
            .read(select({ ...wanted, ...times, ...boundsOf(query, cursor), limit }))
            .pipe(Effect.catchTag("NoSuchElementError", Effect.die))
          // Inside the room a foreign tenant has no events; the caller hears that it does not exist.
          if (tenant.toLowerCase() !== tenantId) return yield* new TenantNotFound({})
          const data = events.slice(0, limit)
          return { data, next_cursor: events.length > limit ? (data.at(-1)?.id ?? null) : last }
        })
      })
    )
  )
}

/** Events that one request looks at: some 10 ms. */
export const WINDOW = 5000

/**
 * How far the time in an event's id, which is that of the process that made it, may be from the event's own, which is the database's: so far
 * around the times that are asked for, events are looked at.
 */
const SKEW = Duration.days(1)

const HIGHEST = "ffffffff-ffff-ffff-ffff-ffffffffffff"
const LOWEST = "00000000-0000-0000-0000-000000000000"

/** The ids between which all of these events are: they are UUIDv7, which begin with their time (RFC 9562 §5.7). */
const boundsOf = ({ from, to }: AuditQuery, cursor: string | undefined) => {
  const latest = to === undefined ? HIGHEST : idAt(DateTime.addDuration(to, SKEW))
  return {
    after: cursor !== undefined && cursor < latest ? cursor : latest,
    until: from === undefined ? LOWEST : idAt(DateTime.subtractDuration(from, SKEW))
  }
}

const idAt = (moment: DateTime.Utc): string => {
  const hex = Math.max(0, DateTime.toEpochMillis(moment)).toString(16).padStart(12, "0")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-0000-0000-000000000000`
}

/**
 * The order is that of the primary key, and the length of the window is behind a subquery: the planner has no other way than to read it from
 * where it begins, and stops at the last event that is asked for. See `Pages.ts`. `last`: where the window ends, if it does before the log.
 */
const select = SqlSchema.findOne({
  Request: Schema.Struct({
    type: Schema.optional(Schema.String),
    actor: Schema.optional(Schema.String),
    subject: Schema.optional(Schema.String),
    from: Schema.optional(Schema.String),
    to: Schema.optional(Schema.String),
    after: Schema.String,
    until: Schema.String,
    limit: Schema.Int
  }),
  Result: Schema.Struct({ last: Schema.NullOr(Schema.String), events: Schema.Array(AuditEvent) }),
  execute: ({ actor, after, from, limit, subject, to, type, until }) =>
    TenantSql.use((sql) => {
      const none = sql.literal("")
      const within = sql`e.tenant_id = app.tenant_id() and e.id < ${after}::uuid and e.id > ${until}::uuid`
      const wanted = [
        type === undefined
          ? none
          : type.endsWith(".")
            ? sql`and starts_with(w.action, ${type}::text)`
            : sql`and w.action = ${type}`,
        actor === undefined
          ? none
          : sql`and (w.actor_user_id = ${actor}::uuid or w.detail ->> 'key_id' = ${actor.toLowerCase()}::text)`,
        subject === undefined ? none : sql`and w.target_id = ${subject}::uuid`,
        from === undefined ? none : sql`and w.at >= ${from}::text::timestamptz`,
        to === undefined ? none : sql`and w.at < ${to}::text::timestamptz`
      ]
      const [ofType, ofActor, ofSubject, since, before] = wanted
      return sql`with hits as materialized (
          select w.* from (
            select e.* from app.audit_events e where ${within} order by e.id desc limit (select ${WINDOW}::int8)
          ) w
          where true ${ofType ?? none} ${ofActor ?? none} ${ofSubject ?? none} ${since ?? none} ${before ?? none}
          order by w.id desc limit (select ${limit + 1}::int8)
        )
        select
          case when (select count(*) from hits) <= ${limit} then (
            select e.id from app.audit_events e where ${within} order by e.id desc offset (select ${WINDOW - 1}::int8) limit 1
          ) end as last,
          coalesce((
            select jsonb_agg(jsonb_build_object(
              'id', h.id, 'at', app.contract_time(h.at), 'type', h.action,
              'actor', jsonb_build_object(
                'kind', case when h.actor_user_id is null then case when h.action ~ '^(operator|reader)[.]' then 'operator' else 'nobody' end
                  when a.kind = 'service' then 'service_account' else 'user' end,
                'id', h.actor_user_id, 'email', case when a.kind = 'person' then a.email end, 'name', a.name,
                'key', case when h.detail ? 'key_id' then jsonb_build_object('id', h.detail -> 'key_id', 'name', k.name) end),
              'subject', case when h.target_kind is not null then
                jsonb_build_object('kind', h.target_kind, 'id', h.target_id, 'name', coalesce(case when u.kind = 'person' then u.email end, u.name, o.name)) end,
              'request_id', h.request_id, 'address', s.address, 'details', h.detail - 'key_id'
            ) order by h.id desc)
            from hits h
            left join lateral (
              select x.kind, x.email, x.name from app.users x where x.tenant_id = app.tenant_id() and x.id = h.actor_user_id limit 1
            ) a on true
            left join lateral (
              select x.name from app.api_keys x where x.tenant_id = app.tenant_id() and x.id = (h.detail ->> 'key_id')::uuid limit 1
            ) k on true
            left join lateral (
              select x.kind, x.email, x.name from app.users x where x.tenant_id = app.tenant_id() and x.id = h.target_id limit 1
            ) u on true
            left join lateral (
              select x.name from app.api_keys x
              where x.tenant_id = app.tenant_id() and x.id = h.target_id and h.target_kind = 'key' limit 1
            ) o on true
            left join lateral (
              select x.address from app.sessions x
              where x.tenant_id = app.tenant_id() and x.id = h.target_id and h.target_kind = 'session' limit 1
            ) s on true
          ), '[]') as events`
    })
})

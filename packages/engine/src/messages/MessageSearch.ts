import { TenantSql } from "@llm-saas/database/Tenancy"
import { Effect, Schema } from "effect"
import { SqlSchema } from "effect/sql"

/** What one request looks at: so many of the user's messages, or so many bytes of them; one message in any case. Some 40 ms. */
export const WINDOW = { messages: 500, bytes: 2_000_000 } as const

/**
 * A page of the actor's own messages with a text in question or answer, newest first, as JSON of the contract's `MessagePage`. Pages of a
 * history in which it is rare are short, or empty, and have a next one all the same.
 *
 * What is looked at is decided by the lengths of texts alone, which are read without the texts. The order is that of the index, as in
 * `Pages.ts`; no index of words, and no statistic, knows what is in any tenant's texts.
 */
export const search = (of: { readonly text: string; readonly after: string | null; readonly limit: number }) =>
  Effect.map(Effect.catchTag(select(of), "NoSuchElementError", Effect.die), ({ page }) => page)

const select = SqlSchema.findOne({
  Request: Schema.Struct({ text: Schema.String, after: Schema.NullOr(Schema.String), limit: Schema.Int }),
  Result: Schema.Struct({ page: Schema.String }),
  execute: ({ after, limit, text }) =>
    TenantSql.use(
      (sql) => sql`with newest as materialized (
          select m.id, sum(m.bytes) over newest as bytes, row_number() over newest as place
          from (
            select m.user_id, m.id, octet_length(m.content)::int8 + coalesce(octet_length(m.response), 0) as bytes from app.messages m
            where m.tenant_id = app.tenant_id() and m.user_id <= app.user_id() and m.user_id >= app.user_id()
              and m.id < ${after ?? HIGHEST}::uuid
            order by m.user_id desc, m.id desc limit (select ${WINDOW.messages + 1}::int8)
          ) m window newest as (order by m.user_id desc, m.id desc rows unbounded preceding)
        ), looked as materialized (
          select n.id, n.place from newest n
          where n.place = 1 or n.place <= ${WINDOW.messages}::int8 and n.bytes <= ${WINDOW.bytes}::int8
        ), hits as materialized (
          select m.*, row_number() over (order by l.place) as hit from looked l
          cross join lateral (
            select m.id, m.conversation_id, m.user_id, m.content, m.response, m.tool_calls, m.account from app.messages m
            where m.tenant_id = app.tenant_id() and m.id = l.id limit 1
          ) m
          where position(lower(${text}::text) in lower(m.content)) > 0 or position(lower(${text}::text) in lower(m.response)) > 0
          order by l.place limit (select ${limit + 1}::int8)
        )
        select '{"data":[' || coalesce((
            select string_agg(
              app.message_json(h.id, h.conversation_id, h.user_id, h.content, h.response, h.tool_calls,
                coalesce(h.account, app.account_of(app.tenant_id(), h.id))), ',' order by h.hit)
            from hits h where h.hit <= ${limit}::int8
          ), '') || '],"next_cursor":' || coalesce('"' || replace(case
            when (select count(*) from hits) > ${limit}::int8 then (select h.id from hits h where h.hit = ${limit}::int8)
            when (select count(*) from newest) > (select count(*) from looked) then (select l.id from looked l order by l.place desc limit 1)
          end::text, '-', '') || '"', 'null') || '}' as page`
    )
})

/** Higher than every id. */
const HIGHEST = "ffffffff-ffff-ffff-ffff-ffffffffffff"

import { type Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import { ConversationId } from "@llm-saas/domain/Conversation"
import {
  type Ending,
  Generation,
  GenerationId,
  GenerationNotFound,
  isEnded,
  PROCESS_LOST,
  Seq,
  Source
} from "@llm-saas/domain/Generation"
import { unavailable } from "@llm-saas/database/PostgresError"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { type Message, MessageId } from "@llm-saas/domain/Message"
import { Effect, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { SqlSchema } from "effect/sql"
import * as AuditLog from "../AuditLog.ts"
import { MessageRow, toMessage } from "../messages/MessageQueries.ts"
import type { ReaderScheduler } from "./ReaderScheduler.ts"
import type { RunningGenerations } from "./RunningGeneration.ts"
import * as SharedTokenLogs from "./SharedTokenLogs.ts"
import type { TokenLog, GenerationEnd, TokenSource } from "./TokenLog.ts"
import { visibleTextOf } from "@llm-saas/domain/ModelEvent"
import type { UsageDetails } from "@llm-saas/domain/Usage"
import { tokensOf } from "./Tokens.ts"

/** Waits for a token log's end, unless the database cannot store it: then the client finds the answer later by its id or its key. */
export const ended = (tokenLog: TokenSource): Effect.Effect<GenerationEnd, Unavailable> =>
  Effect.callback((resume) => {
    const look = () => {
      if (tokenLog.ended === undefined && !tokenLog.stalled) return
      unsubscribe()
      resume(tokenLog.ended === undefined ? Effect.fail(unavailable()) : Effect.succeed(tokenLog.ended))
    }
    const unsubscribe = tokenLog.subscribe(look)
    look()
    return Effect.sync(unsubscribe)
  })

/** Reads generations that do not run here, and those that ended. Everything is read in the actor's room, each time anew. */
export const make = Effect.fnUntraced(function* (
  tenancy: Tenancy["Service"],
  runningGenerations: RunningGenerations,
  scheduler: ReaderScheduler
) {
  const random = yield* SecureRandom

  /** The generation as the database has it, with the tokens behind `after`. */
  const find = Effect.fnUntraced(function* (id: GenerationId, after = 0, request = false) {
    const row = yield* tenancy.read(select({ id, after, request }))
    if (Option.isNone(row)) return yield* new GenerationNotFound({})
    return row.value
  })

  /** Its owner and its place, without its text. */
  const check = Effect.fnUntraced(function* (id: GenerationId) {
    const row = yield* tenancy.read(selectPlace(id))
    if (Option.isNone(row)) return yield* new GenerationNotFound({})
    // Its readers had it until it was removed. An empty answer would look like a whole one.
    if (row.value.content === "removed") return yield* new GenerationNotFound({ detail: NOT_KEPT })
    return row.value
  })

  const shared = yield* SharedTokenLogs.make(
    {
      check,
      fill: (id, tokenLog) => Effect.map(find(id, tokenLog.seq), (row) => fill(tokenLog, row)),
      tell: (id) => tenancy.once(markFollowed(id))
    },
    scheduler
  )

  const get = Effect.fnUntraced(function* (id: GenerationId) {
    const actor = yield* Actor
    const row = yield* find(id)
    const here = isEnded(row.status) ? undefined : runningGenerations.find(actor, row.generation_id)?.tokenLog
    const tokens = here?.tokens ?? tokensIn(row)
    const text = row.log === null && here?.hasEvents !== true ? tokens.join("") : visibleTextOf(tokens)
    return new Generation({
      id: row.generation_id,
      message_id: row.id,
      status: row.status,
      finish_reason: row.finish_reason,
      failure: row.failure,
      text,
      seq: Seq.make(tokens.length),
      created_at: row.created_at
    })
  })

  /** The request and what there is of the answer. It is no reader: nothing is held for it. */
  const record = Effect.fnUntraced(function* (id: GenerationId) {
    const actor = yield* Actor
    const row = yield* find(id, 0, true)
    if (row.kept === "removed") return yield* new GenerationNotFound({ detail: NOT_KEPT })
    const here = isEnded(row.status) ? undefined : runningGenerations.find(actor, row.generation_id)?.tokenLog
    const recorded: Recorded = {
      generationId: row.generation_id,
      messageId: row.id,
      source: row.source,
      request: row.request,
      entries: here?.tokens ?? tokensIn(row),
      ended: endOf(row)
    }
    return recorded
  })

  /** Records that it is to stop, if it runs, for the process that runs it; and who asked, if it is another's. */
  const requestCancel = Effect.fnUntraced(function* (id: GenerationId) {
    const row = yield* tenancy.once(markCancelled({ id, stamp: yield* AuditLog.stamp(random) }))
    if (Option.isNone(row)) return yield* new GenerationNotFound({})
    return row.value
  })

  return { check, read: shared.attach, get, record, requestCancel }
})

/** A request and its answer as they are now. */
export interface Recorded {
  readonly generationId: GenerationId
  readonly messageId: MessageId
  readonly source: Source
  /** The body of a request under `/v1` as it was sent, or a question that is more than its text. */
  readonly request: string | null
  /** The entries of the log so far. */
  readonly entries: ReadonlyArray<string>
  /** Undefined while it runs. */
  readonly ended: GenerationEnd | undefined
}

// A whole answer has up to 400,000 tokens: a schema that checks each blocks the process for 40 ms, this check for 4 ms.
const numbers = Schema.declare(
  (value): value is ReadonlyArray<number> => Array.isArray(value) && value.every((each) => typeof each === "number")
)
const strings = Schema.declare(
  (value): value is ReadonlyArray<string> => Array.isArray(value) && value.every((each) => typeof each === "string")
)

const NOT_KEPT = "The content of this answer is not kept."

const details = Schema.declare((value): value is UsageDetails => typeof value === "object" && value !== null)

const FoundRow = Schema.Struct({
  ...MessageRow.fields,
  generation_id: GenerationId,
  usage: Schema.NullOr(details),
  /** The whole log, where it is more than the text. */
  log: Schema.NullOr(Schema.String),
  token_lengths: Schema.NullOr(numbers),
  source: Source,
  kept: Schema.Literals(["kept", "leaving", "removed"]),
  /** Null also where it was not asked for. */
  request: Schema.NullOr(Schema.String),
  chunks: Schema.Array(Schema.Struct({ seq: Schema.Int, tokens: strings }))
})
type Found = typeof FoundRow.Type

const tokensIn = (row: Found): ReadonlyArray<string> =>
  row.response === null
    ? row.chunks.flatMap(({ tokens }) => tokens)
    : tokensOf(row.log ?? row.response, row.token_lengths ?? [])

/** Appends to the token log what the row has beyond it, and the end if there is one. Returns the message. */
const fill = (tokenLog: TokenLog, row: Found): Message => {
  const whole = row.log ?? row.response
  if (whole !== null && tokenLog.seq === 0) tokenLog.load(whole, row.token_lengths ?? [])
  else if (whole !== null) tokenLog.append(tokensOf(whole, row.token_lengths ?? []).slice(tokenLog.seq))
  else for (const { seq, tokens } of row.chunks) tokenLog.append(tokens.slice(Math.max(0, tokenLog.seq + 1 - seq)))
  const end = endOf(row)
  if (end !== undefined) tokenLog.end(end)
  return end?.message ?? toMessage(row)
}

/** The end, if there is one. */
const endOf = (row: Found): GenerationEnd | undefined => {
  if (!isEnded(row.status)) return undefined
  const usage =
    row.tokens_in === null || row.tokens_out === null
      ? undefined
      : { input: row.tokens_in, output: row.tokens_out, details: row.usage ?? undefined }
  return { ending: endingOf(row), usage, model: row.model ?? undefined, message: toMessage(row) }
}

const endingOf = ({ failure, finish_reason, status }: Found): Ending => {
  switch (status) {
    case "completed":
      return { status, finishReason: finish_reason ?? "other" }
    case "failed":
      return { status, failure: failure ?? "internal" }
    case "cancelled":
      return { status }
    case "interrupted":
      return { status, failure: failure === "shutdown" ? failure : "process_lost" }
    case "streaming":
      return PROCESS_LOST
  }
}

/** A generation by its primary key, the only index in this order: see `Pages.ts`. */
const one = (sql: TenantSql["Service"], id: string) =>
  sql`(
    select g.id, g.message_id, g.response_model, g.model, g.status, g.finish_reason, g.failure, g.tokens_in, g.tokens_out,
      g.approx_tokens_in, g.approx_tokens_out, g.model_ended_at, g.first_token_at, g.created_at, g.usage, g.content, g.source
    from app.generations g where g.tenant_id = app.tenant_id() and g.id <= ${id} and g.id >= ${id} order by g.id desc limit 1
  )`

const select = SqlSchema.findOneOption({
  Request: Schema.Struct({ id: GenerationId, after: Schema.Int, request: Schema.Boolean }),
  Result: FoundRow,
  execute: ({ after, id, request }) =>
    TenantSql.use(
      (sql) =>
        sql`select m.id, m.conversation_id, g.id as generation_id, m.user_id, m.content, m.response, m.tool_calls, m.log, m.token_lengths, g.usage, g.source, g.content as kept,
            case when ${request}::boolean then m.request end as request,
            coalesce(g.response_model, g.model) as model, g.status, g.finish_reason, g.failure, g.tokens_in, g.tokens_out,
            g.approx_tokens_in, g.approx_tokens_out,
            round(extract(epoch from g.model_ended_at - g.created_at) * 1000, 1)::float8 as latency_ms,
            round(extract(epoch from g.first_token_at - g.created_at) * 1000, 1)::float8 as ttft_ms, g.created_at,
            coalesce((
              select jsonb_agg(jsonb_build_object('seq', c.seq, 'tokens', to_jsonb(c.tokens)) order by c.seq) from app.generation_chunks c
              where c.tenant_id = app.tenant_id() and c.generation_id = g.id and c.seq >= coalesce((
                select b.seq from app.generation_chunks b
                where b.tenant_id = app.tenant_id() and b.generation_id = g.id and b.seq <= ${after}::int4 + 1 order by b.seq desc limit 1
              ), 0)
            ), '[]') as chunks
          from ${one(sql, id)} g
          cross join lateral (
            select m.id, m.conversation_id, m.user_id, m.content, m.response, m.tool_calls, m.log, m.token_lengths, m.request from app.messages m
            where m.tenant_id = app.tenant_id() and m.id <= g.message_id and m.id >= g.message_id order by m.id desc limit 1
          ) m`
    )
})

const selectPlace = SqlSchema.findOneOption({
  Request: GenerationId,
  Result: Schema.Struct({
    id: MessageId,
    generation_id: GenerationId,
    conversation_id: Schema.NullOr(ConversationId),
    model: Schema.NullOr(Schema.String),
    content: Schema.Literals(["kept", "leaving", "removed"])
  }),
  execute: (id) =>
    TenantSql.use(
      (
        sql
      ) => sql`select m.id, g.id as generation_id, m.conversation_id, coalesce(g.response_model, g.model) as model, g.content
        from ${one(sql, id)} g
        cross join lateral (
          select m.id, m.conversation_id from app.messages m
          where m.tenant_id = app.tenant_id() and m.id <= g.message_id and m.id >= g.message_id order by m.id desc limit 1
        ) m`
    )
})

const markFollowed = SqlSchema.findAll({
  Request: GenerationId,
  Result: Schema.Struct({ id: GenerationId }),
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`update app.generations set followed_until = now() + interval '30 seconds'
        where tenant_id = app.tenant_id() and id = ${id} and status = 'streaming' returning id`
    )
})

const markCancelled = SqlSchema.findOneOption({
  Request: Schema.Struct({ id: GenerationId, stamp: AuditLog.Stamped }),
  Result: Schema.Struct({ id: GenerationId }),
  execute: ({ id, stamp }) =>
    TenantSql.use(
      (sql) => sql`with asked as (
          update app.generations set cancel_requested_at = now()
          where tenant_id = app.tenant_id() and id = ${id} and status = 'streaming' and cancel_requested_at is null
          returning tenant_id, id, user_id
        ), noted as (${AuditLog.recordCancelled(sql, stamp)})
        select g.id from ${one(sql, id)} g
        cross join lateral (
          select from app.messages m
          where m.tenant_id = app.tenant_id() and m.id <= g.message_id and m.id >= g.message_id order by m.id desc limit 1
        ) m`
    )
})

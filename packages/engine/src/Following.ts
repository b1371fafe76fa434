import { type Tenancy, TenantSql } from "@llm-saas/database/Tenancy"
import { Actor } from "@llm-saas/domain/Actor"
import { type Ending, Generation, GenerationId, GenerationNotFound, isEnded, Seq } from "@llm-saas/domain/Generation"
import { unavailable } from "@llm-saas/database/Outage"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { Duration, Effect, Option, Schedule, Schema } from "effect"
import { SqlSchema } from "effect/sql"
import { ExchangeRow, toMessage } from "./Exchanges.ts"
import type { Live } from "./Live.ts"
import { Tape, type TapeEnd } from "./Tape.ts"
import { tokensOf } from "./Tokens.ts"

/** How often an answer that runs at another process is read, in ms: as often as that process writes it down. */
const POLL = 250
/** Every so many polls (3 s) the other process is told that its answer is being read. */
const TELL = 12

/** Waits for a tape's end; not for a database that does not take it: the answer is found by its id, or its key, when it does. */
export const ended = (tape: Tape): Effect.Effect<TapeEnd, Unavailable> =>
  Effect.callback((resume) => {
    const look = () => {
      if (tape.ended === undefined && !tape.stalled) return
      unsubscribe()
      resume(tape.ended === undefined ? Effect.fail(unavailable()) : Effect.succeed(tape.ended))
    }
    const unsubscribe = tape.subscribe(look)
    look()
    return Effect.sync(unsubscribe)
  })

/** Reads generations that do not run here, and those that ended. Everything is read in the actor's room, each time anew. */
export const make = (tenancy: Tenancy["Service"], lives: ReadonlyMap<string, Live>) => {
  /** The generation as the database has it, with the tokens behind `after`. */
  const find = Effect.fnUntraced(function* (id: GenerationId, after = 0) {
    const row = yield* tenancy.read(select({ id, after }))
    if (Option.isNone(row)) return yield* new GenerationNotFound({})
    return row.value
  })

  /**
   * A tape of what the database has; if the answer still runs, it is read on in the background while the scope is open. A poll that
   * fails is tried again: a database that restarts must not end a stream. One that is refused (a user disabled meanwhile) ends it.
   */
  const read = Effect.fnUntraced(function* (found: Found) {
    const generationId = found.generation_id
    const tape = new Tape(generationId)
    const first = yield* find(generationId)
    if (fill(tape, first)) return tape
    let polls = 0
    const poll = Effect.suspend(() => {
      polls++
      return Effect.flatMap(find(generationId, tape.seq), (row) =>
        fill(tape, row) ? Effect.succeed(true) : Effect.as(polls % TELL === 1 ? tell(generationId) : Effect.void, false)
      )
    }).pipe(
      Effect.catchTag("Unavailable", () => Effect.succeed(false)),
      Effect.repeat({ until: (done) => done, schedule: Schedule.spaced(Duration.millis(POLL)) }),
      // Gone, or not theirs to see any more: as if it had been lost.
      Effect.catch(() =>
        Effect.sync(() =>
          tape.end({ ending: LOST, usage: undefined, message: toMessage({ ...first, status: "interrupted" }) })
        )
      )
    )
    yield* Effect.forkScoped(poll)
    return tape
  })

  const tell = (id: GenerationId) => tenancy.once(markFollowed(id))

  const get = Effect.fnUntraced(function* (id: GenerationId) {
    const { tenantId } = yield* Actor
    const row = yield* find(id)
    const live = lives.get(row.generation_id)
    const here = live !== undefined && live.tenantId === tenantId && !isEnded(row.status) ? live.tape : undefined
    const tokens = here?.tokens ?? tokensIn(row)
    return new Generation({
      id: row.generation_id,
      message_id: row.id,
      status: row.status,
      finish_reason: row.finish_reason,
      failure: row.failure,
      text: tokens.join(""),
      seq: Seq.make(tokens.length),
      created_at: row.created_at
    })
  })

  /** Writes down that it is to stop, if it runs, for whichever process runs it. */
  const requestCancel = Effect.fnUntraced(function* (id: GenerationId) {
    const row = yield* tenancy.once(markCancelled(id))
    if (Option.isNone(row)) return yield* new GenerationNotFound({})
    return row.value
  })

  return { find, read, get, requestCancel }
}

const LOST: Ending = { status: "interrupted", failure: "process_lost" }

const FoundRow = Schema.Struct({
  ...ExchangeRow.fields,
  generation_id: GenerationId,
  token_lengths: Schema.NullOr(Schema.Array(Schema.Int)),
  chunks: Schema.Array(Schema.Struct({ seq: Schema.Int, tokens: Schema.Array(Schema.String) }))
})
type Found = typeof FoundRow.Type

const tokensIn = (row: Found): ReadonlyArray<string> =>
  row.response === null ? row.chunks.flatMap(({ tokens }) => tokens) : tokensOf(row.response, row.token_lengths ?? [])

/** Puts on the tape what the row has beyond it. Whether that was the end. */
const fill = (tape: Tape, row: Found): boolean => {
  if (row.response !== null) tape.append(tokensOf(row.response, row.token_lengths ?? []).slice(tape.seq))
  else for (const { seq, tokens } of row.chunks) tape.append(tokens.slice(Math.max(0, tape.seq + 1 - seq)))
  if (!isEnded(row.status)) return false
  const usage =
    row.tokens_in === null || row.tokens_out === null ? undefined : { input: row.tokens_in, output: row.tokens_out }
  tape.end({ ending: endingOf(row), usage, message: toMessage(row) })
  return true
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
    case "queued":
    case "streaming":
      return LOST
  }
}

const select = SqlSchema.findOneOption({
  Request: Schema.Struct({ id: GenerationId, after: Schema.Int }),
  Result: FoundRow,
  execute: ({ after, id }) =>
    TenantSql.use(
      (sql) =>
        sql`select m.id, m.conversation_id, g.id as generation_id, m.user_id, m.content, m.response, m.token_lengths,
            coalesce(g.response_model, g.model) as model, g.status, g.finish_reason, g.failure, g.tokens_in, g.tokens_out,
            g.approx_tokens_in, g.approx_tokens_out,
            round(extract(epoch from g.model_ended_at - g.created_at) * 1000, 1)::float8 as latency_ms,
            round(extract(epoch from g.first_token_at - g.created_at) * 1000, 1)::float8 as ttft_ms, g.created_at,
            coalesce((
              select jsonb_agg(jsonb_build_object('seq', c.seq, 'tokens', to_jsonb(c.tokens)) order by c.seq) from app.generation_chunks c
              where c.generation_id = g.id and c.seq + cardinality(c.tokens) > ${after}::int4 + 1
            ), '[]') as chunks
          from app.generations g join app.messages m on m.tenant_id = g.tenant_id and m.id = g.message_id
          where g.id = ${id}`
    )
})

const markFollowed = SqlSchema.findAll({
  Request: GenerationId,
  Result: Schema.Struct({ id: GenerationId }),
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`update app.generations set followed_until = now() + interval '30 seconds'
        where id = ${id} and status = 'streaming' returning id`
    )
})

const markCancelled = SqlSchema.findOneOption({
  Request: GenerationId,
  Result: Schema.Struct({ id: GenerationId }),
  execute: (id) =>
    TenantSql.use(
      (sql) => sql`with asked as (
          update app.generations set cancel_requested_at = coalesce(cancel_requested_at, now())
          where id = ${id} and status in ('queued', 'streaming') returning id
        )
        select g.id from app.generations g where g.id = ${id} and g.message_id is not null`
    )
})

import type { Actor } from "@llm-saas/domain/Actor"
import type { TenantId } from "@llm-saas/domain/Tenant"
import type { Unavailable } from "@llm-saas/domain/Refusal"
import { Effect, Exit, Predicate } from "effect"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import type { AskedQuestion } from "./AskedQuestion.ts"
import * as Batches from "./Batches.ts"
import type { Pool } from "./connections/Pool.ts"
import { isOutage, sqlState, unavailable } from "./PostgresError.ts"
import * as StoredQuestions from "./StoredQuestions.ts"
import type { Room } from "./Room.ts"

type Caller = Actor["Service"]
type Failure = SqlError | Unavailable
type Params = ReadonlyArray<unknown>

/** Questions of one caller that are stored in one statement: it takes 0.15 ms for each, with limits 0.25 ms, and has others behind it. */
const BATCH = { items: 16, size: 1_000_000 }

/**
 * Stores questions by `app.ask`. Those of one caller to one model that come while a statement with such is under way are the next statement,
 * together (`app.ask_many`): alone each costs PostgreSQL five times as much, and limits are one user's lock. Questions that wait for a lock
 * of their own, of a conversation or of an idempotency key, are each on a connection of its own.
 */
export const make = Effect.fnUntraced(function* (pool: Pool["Service"]) {
  const limited = new LimitedTenants()
  const flushed = yield* StoredQuestions.flushing(pool)

  /** On a connection that others share if it waits for no lock; else on one of its own. */
  const send = (sql: string, { tenantId }: Caller, waits: boolean, params: Params) =>
    Effect.map(
      waits
        ? pool.use((connection) => Effect.uninterruptible(connection.query(sql, params)), tenantId)
        : pool.write(sql, params, tenantId, limited.has(tenantId) ? placeOf(tenantId) : undefined),
      ({ rows }) => rows
    )

  const alone = (caller: Caller, question: AskedQuestion, waits: boolean) =>
    Effect.map(send(ASK, caller, waits, askParams(caller, question, waits)), (rows) => rows[0])

  const together = (caller: Caller, questions: ReadonlyArray<AskedQuestion>, waits: boolean) =>
    send(ASK_MANY, caller, waits, manyParams(caller, questions, waits))

  /** All rows, or all fail. A second time where another process admits for the same subjects: it may wait for that. */
  const storeAll = (caller: Caller, questions: ReadonlyArray<AskedQuestion>) => {
    const [question, another] = questions
    if (question === undefined) return Effect.succeed([])
    const once = (waits: boolean): Effect.Effect<ReadonlyArray<unknown>, Failure> =>
      another === undefined
        ? Effect.map(alone(caller, question, waits), (row) => [row])
        : together(caller, questions, waits)
    return Effect.flatMap(once(false), (rows) => (isBusy(rows[0]) ? once(true) : Effect.succeed(rows)))
  }

  /** If it fails by what one of them has, each by itself: the others are not at fault. */
  const write = (items: ReadonlyArray<Item>): Effect.Effect<ReadonlyArray<Exit.Exit<unknown, Failure>>> => {
    const [first] = items
    if (first === undefined) return Effect.succeed([])
    const stored = storeAll(
      first.caller,
      items.map(({ question }) => question)
    )
    return Effect.flatMap(Effect.exit(stored), (exit) => {
      if (Exit.isSuccess(exit)) return Effect.succeed(exit.value.map((row) => Exit.succeed(row)))
      if (items.length === 1 || !exit.cause.reasons.some((reason) => reason._tag === "Fail" && isOfOne(reason.error)))
        return Effect.succeed(items.map(() => exit))
      return Effect.map(
        Effect.forEach(items, (item) => write([item])),
        (each) => each.flat()
      )
    })
  }
  const batched = yield* Batches.make({
    ...BATCH,
    sizeOf: ({ question }: Item) => question.content.length + (question.request?.length ?? 0),
    keyOf: ({ caller, question }) => keyOf(caller, question),
    write
  })

  return (caller: Caller, question: AskedQuestion): Effect.Effect<unknown, Failure> => {
    const { tenantId } = caller
    const row = waitsForALock(question) ? alone(caller, question, true) : batched({ caller, question })
    const stored = Effect.flatMap(row, (row) => {
      if (!Predicate.hasProperty(row, "unflushed") || row.unflushed !== true) return Effect.succeed(row)
      limited.add(tenantId)
      return Predicate.hasProperty(row, "outcome") && row.outcome === "asked"
        ? Effect.as(flushed({ tenantId, generationId: question.id }), row)
        : Effect.succeed(row)
    })
    // What is stored is answered. Whose row was removed between entering and the end of the statement is refused when they ask once more.
    return Effect.catchIf(Effect.uninterruptible(stored), isRemoved, () => Effect.fail(unavailable()))
  }
})

interface Item {
  readonly caller: Caller
  readonly question: AskedQuestion
}

/** Stores a question in the transaction of a room. */
export const inRoom = (room: Room, question: AskedQuestion): Effect.Effect<unknown, SqlError> =>
  Effect.map(room.execute(ASK, askParams(room.actor, question, true)), (rows) => rows[0])

// The driver declares a JavaScript number as float8: hence the casts.
const ENTERING = "$1::uuid, $2::uuid, $3::integer, $4::text"
const SESSION = "p_session => $5::uuid"
const ASK = `select * from app.ask(${ENTERING}, $6::text::jsonb, $7::text, $8::text, ${SESSION})`
// With the columns of app.ask that only questions with a conversation or a key have.
const ASK_MANY = `select a.*, 'streaming' as status, '[]'::jsonb as history, null as model, null as system
  from app.ask_many(${ENTERING}, $6::uuid, $7::text, $8::boolean, $9::text::jsonb, $10::text[], $11::text[], ${SESSION}) a`

const entering = ({ needs, session, tenantId, tokenEpoch, userId }: Caller): Params => [
  tenantId,
  userId,
  tokenEpoch,
  needs,
  session ?? null
]

const askParams = (caller: Caller, { content, request, ...question }: AskedQuestion, waits: boolean): Params => [
  ...entering(caller),
  JSON.stringify({ ...question, may_wait: waits }),
  content,
  request ?? null
]

const manyParams = (caller: Caller, questions: ReadonlyArray<AskedQuestion>, waits: boolean): Params => [
  ...entering(caller),
  questions[0]?.key_id ?? null,
  questions[0]?.model ?? null,
  waits,
  JSON.stringify(questions.map(({ content: _, request: __, ...question }) => question)),
  questions.map(({ content }) => content),
  // The driver cannot encode a list of nulls alone.
  questions.map(({ request }) => request ?? "")
]

/** What the questions of one statement have in common. */
const keyOf = (caller: Caller, { key_id, model }: AskedQuestion): string =>
  [...entering(caller), key_id, model].join(" ")

/**
 * Of a conversation, or of a key that another request has. Without these a question locks only its user and tenant, against being deleted, and
 * nothing deletes a user who is still admitted.
 */
const waitsForALock = ({ conversation_id, idempotency_key }: AskedQuestion): boolean =>
  conversation_id !== null || idempotency_key !== null

const isBusy = (row: unknown): boolean => Predicate.hasProperty(row, "outcome") && row.outcome === "busy"

const isRemoved = (error: Failure): error is SqlError => isSqlError(error) && sqlState(error) === "23503"

/** Whether a failure may be of one question alone: neither an outage, nor that the caller may not enter. */
const isOfOne = (error: Failure): boolean =>
  isSqlError(error) && !isOutage(error) && !isRemoved(error) && sqlState(error)?.startsWith("LL") !== true

/** The same for all statements of a tenant with limits: they would find the rows locked that they need. */
const placeOf = (tenantId: TenantId): number => Number.parseInt(tenantId.slice(-6), 16) || 0

/** The tenants that had limits when they asked last. */
class LimitedTenants {
  readonly #tenants = new Set<TenantId>()

  has(tenantId: TenantId): boolean {
    return this.#tenants.has(tenantId)
  }

  add(tenantId: TenantId): void {
    // The one that was added first leaves.
    if (this.#tenants.size >= MOST_TENANTS)
      for (const oldest of [...this.#tenants].slice(0, 1)) this.#tenants.delete(oldest)
    this.#tenants.add(tenantId)
  }
}

const MOST_TENANTS = 10_000

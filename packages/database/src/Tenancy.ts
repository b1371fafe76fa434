import { Actor } from "@llm-saas/domain/Actor"
import type { KeyId } from "@llm-saas/domain/ApiKey"
import type { ConversationId } from "@llm-saas/domain/Conversation"
import type { GenerationId } from "@llm-saas/domain/Generation"
import type { AskedGeneration } from "@llm-saas/domain/GenerationRecord"
import type { TenantId } from "@llm-saas/domain/Tenant"
import type { Outside } from "@llm-saas/domain/Outside"
import { Forbidden, Unauthenticated, type Unavailable } from "@llm-saas/domain/Refusal"
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Exit, Layer, Predicate, Schema } from "effect"
import { Statement } from "effect/sql"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import * as Batches from "./Batches.ts"
import { outageOrBug, sqlState, unavailable } from "./PostgresError.ts"
import { Pool } from "./connections/Pool.ts"
import { CurrentRoom, Room } from "./Room.ts"

/**
 * The statement constructor of the room: ``const sql = yield* TenantSql; yield* sql`select …` ``. It exists inside
 * {@link Tenancy.transaction} and nowhere else, so code that touches a tenant's table outside of one does not compile.
 */
export class TenantSql extends Context.Service<TenantSql, Statement.Constructor>()("@llm-saas/database/TenantSql") {}

/** The failures of a room's caller: those of the driver become {@link Unavailable}, a refusal or a defect. */
type Inner = SqlError | Schema.SchemaError

type Failures<E> = Exclude<E, Inner> | Unauthenticated | Forbidden | Unavailable

/** The compiler's message for work that needs something slow. */
type InRoom<R> = [Extract<R, Outside>] extends [never]
  ? unknown
  : "A room cannot wait for a model, a tracker or a password hash: do that before or after it"

type Entered<A, E, R> = Effect.Effect<A, Failures<E>, Exclude<R, TenantSql> | Actor>

/**
 * The only access to tenants' tables. Each call is one transaction that enters the {@link Actor}'s tenant. On entering, the database reads
 * the user's row and refuses users who are gone, disabled, demoted below what the endpoint needs, or of a suspended tenant. No setting
 * outlives the transaction, so a pooled connection carries no tenant.
 */
export class Tenancy extends Context.Service<
  Tenancy,
  {
    /**
     * Runs `work` in one transaction: committed when it succeeds, rolled back when it fails or is interrupted. Two round trips for
     * one statement, one more for each further. Inside a room of the same actor it joins that room.
     */
    readonly transaction: <A, E, R>(work: Effect.Effect<A, E, R> & InRoom<R>) => Entered<A, E, R>
    /** Runs `work`, which sends exactly one reading statement, in a read-only transaction: one round trip for everything. */
    readonly read: <A, E, R>(work: Effect.Effect<A, E, R> & InRoom<R>) => Entered<A, E, R>
    /** Runs `work`, which sends exactly one statement, in one round trip. It is committed unless it fails by itself. */
    readonly once: <A, E, R>(work: Effect.Effect<A, E, R> & InRoom<R>) => Entered<A, E, R>
    /**
     * Calls one function of the schema that enters by itself, and returns its answer: JSON as the contract has it, or null. One statement for
     * everything, on a shared connection, at half the cost of `read`. For what is read most.
     */
    readonly readFunction: <Name extends ReadFunction>(
      name: Name,
      argument: ReadArguments[Name]
    ) => Entered<string | null, never, never>
    /**
     * Calls one function of the schema that enters by itself, and returns its rows. Committed unless it fails; an interruption waits for
     * it. Like `once`, in one statement instead of four. For the most frequent writes.
     */
    readonly call: <Name extends Call>(
      name: Name,
      argument: Argument<Name>
    ) => Entered<ReadonlyArray<unknown>, never, never>
    /** Waits until a stored question is on disk, with others that wait: an admission by limits may be committed before. */
    readonly flushed: (stored: Stored) => Effect.Effect<void, Unavailable>
  }
>()("@llm-saas/database/Tenancy") {
  static readonly layer = Layer.effect(
    Tenancy,
    Effect.gen(function* () {
      const pool = yield* Pool

      const open =
        (kind: Room["kind"]) =>
        <A, E, R>(work: Effect.Effect<A, E, R>): Entered<A, E, R> =>
          Effect.contextWith((context: Context.Context<Actor>): Entered<A, E, R> => {
            const actor = Context.get(context, Actor)
            const outer = Context.get(context, CurrentRoom)
            if (outer !== undefined) return Effect.catch(join(outer, actor, work), refuse)
            const room = pool.use(
              (connection) =>
                Effect.uninterruptibleMask((restore) => {
                  const room = new Room(connection, actor, kind)
                  const entered = Effect.flatMap(inside(room, work), (value) =>
                    room.entered ? Effect.succeed(value) : Effect.as(room.enter, value)
                  )
                  return Effect.flatMap(Effect.exit(restore(entered)), (exit) => end(room, exit))
                }),
              actor.tenantId
            )
            return Effect.catch(room, refuse)
          })

      /** A statement that enters by itself (`app.enter`), in the current room, or as a transaction of its own by `send`. */
      const entering = (sql: string, rest: ReadonlyArray<unknown>, send: Pool["Service"]["query"]) =>
        Effect.contextWith((context: Context.Context<Actor>): Entered<ReadonlyArray<unknown>, never, never> => {
          const { needs, session = null, tenantId, tokenEpoch, userId } = Context.get(context, Actor)
          const params = [tenantId, userId, tokenEpoch, needs, session, ...rest]
          const outer = Context.get(context, CurrentRoom)
          return Effect.catch(
            outer === undefined
              ? Effect.map(send(sql, params, tenantId), ({ rows }) => rows)
              : outer.execute(sql, params),
            refuse
          )
        })

      const readFunction = <Name extends ReadFunction>(name: Name, argument: ReadArguments[Name]) =>
        Effect.map(entering(READ_FUNCTIONS[name].sql, READ_FUNCTIONS[name].params(argument), pool.query), ([row]) =>
          Predicate.hasProperty(row, "answer") && typeof row.answer === "string" ? row.answer : null
        )

      // On a connection of its own: it may wait for a lock.
      const alone: Pool["Service"]["query"] = (sql, params, line) =>
        pool.use((connection) => Effect.uninterruptible(connection.query(sql, params)), line)
      const call = <Name extends Call>(name: Name, argument: Argument<Name>) => {
        const { following, mayWait, params, sql } = CALLS[name]
        const write: Pool["Service"]["query"] = following(argument)
          ? (sql, params, line) => pool.write(sql, params, line, placeOf(line))
          : pool.write
        return entering(sql, params(argument), (sql, params, line) =>
          Effect.catchIf((mayWait(argument) ? alone : write)(sql, params, line), removedMeanwhile, () =>
            Effect.fail(unavailable())
          )
        )
      }
      const flushed = yield* Batches.make({
        items: 1000,
        size: Number.POSITIVE_INFINITY,
        sizeOf: () => 0,
        write: (waiting: ReadonlyArray<Stored>) => Effect.map(flush(pool, waiting), (exit) => waiting.map(() => exit))
      })

      return Tenancy.of({
        transaction: open("transaction"),
        read: open("read"),
        once: open("once"),
        readFunction,
        call,
        flushed
      })
    })
  )
}

const inside = <A, E, R>(room: Room, work: Effect.Effect<A, E, R>) =>
  Effect.provideContext(work, Context.make(TenantSql, sql).pipe(Context.add(CurrentRoom, room)))

/** Ends the room as `exit` says. If it cannot, the pool sees a connection that is not idle, and discards it. */
const end = <A, E>(room: Room, exit: Exit.Exit<A, E>): Effect.Effect<A, E | SqlError> =>
  Exit.isSuccess(exit) ? Effect.as(room.commit, exit.value) : Effect.andThen(Effect.ignore(room.rollback), exit)

const join = <A, E, R>(outer: Room, actor: Actor["Service"], work: Effect.Effect<A, E, R>) =>
  outer.actor.tenantId === actor.tenantId && outer.actor.userId === actor.userId && outer.actor.needs === actor.needs
    ? inside(outer, work)
    : Effect.die("a room of one actor was opened inside another's")

/** Which messages: the user's own, all that the user sees of the tenant, or those of one conversation. `after`: an id, or null. */
export interface MessagePageQuery {
  readonly of: "own" | "tenant" | { readonly conversation: ConversationId }
  readonly after: string | null
  readonly limit: number
}

/** The read functions and their arguments, see `sql/functions/70_read_functions.sql`. */
export interface ReadArguments {
  readonly own_profile: undefined
  readonly message_page: MessagePageQuery
}
export type ReadFunction = keyof ReadArguments
/** The arguments that every such function begins with, and the one that each may end with. */
const ENTERING = "$1::uuid, $2::uuid, $3::integer, $4::text"
const SESSION = "p_session => $5::uuid"
const READ_FUNCTIONS: {
  readonly [Name in ReadFunction]: {
    readonly sql: string
    readonly params: (argument: ReadArguments[Name]) => ReadonlyArray<unknown>
  }
} = {
  own_profile: {
    sql: `select app.own_profile(${ENTERING}, ${SESSION})::text as answer`,
    params: () => []
  },
  message_page: {
    sql: `select app.message_page(${ENTERING}, $6::text, $7::uuid, $8::uuid, $9::integer, ${SESSION}) as answer`,
    params: ({ after, limit, of }) =>
      typeof of === "string" ? [of, null, after, limit] : ["conversation", of.conversation, after, limit]
  }
}

/** What a question is admitted by, see `work.admit` in `sql/functions/48_admission.sql`. */
export interface AdmissionTerms {
  /** Tokens of question and answer, estimated. */
  readonly estimate: number
  /** The most it may cost by the provider's prices, US dollars as a decimal; undefined: there is no price. */
  readonly worst?: string | undefined
  /** What it costs if this process is lost: US dollars for one token. */
  readonly prices?: { readonly input: TokenPrice; readonly output: TokenPrice } | undefined
}

export interface TokenPrice {
  /** Its row in the database; null: it is of the configuration. */
  readonly price_id: string | null
  readonly price: string | null
  /** Tokens of the question, or the most of the answer. */
  readonly tokens?: number
}

/** The arguments of `app.ask`: the generation as far as it is known, and the question. */
export interface AskedQuestion extends AskedGeneration, AdmissionTerms {
  readonly content: string
  readonly idempotency_key: string | null
  /** Hash of the request's body; null without a key. */
  readonly body_hash: string | null
  /** The API key it is asked with. */
  readonly key_id?: KeyId | undefined
  /** Most characters of earlier turns of the conversation to return. */
  readonly history_characters: number
  /** False: nothing of the content is to be kept. */
  readonly keep?: boolean | undefined
  /** How the key is meant: see `sql/functions/40_asking.sql`. */
  readonly tries?: "first" | "again" | undefined
  /** Whether the model of the conversation is meant, where it has one. */
  readonly takes_model?: boolean | undefined
  /** The calls of tools that it has results for, which are those of the last answer of its conversation. */
  readonly answers?: ReadonlyArray<string> | undefined
  /** The body of a request under `/v1` as it was sent, or the members of a question that is more than its text. */
  readonly request?: string | undefined
  /** Whether it may wait for admissions of the same tenant; else it may follow them on one connection, where there are limits. */
  readonly may_wait?: boolean | undefined
  readonly limited?: boolean | undefined
}

type Call = keyof typeof CALLS
type Argument<Name extends Call> = Parameters<(typeof CALLS)[Name]["params"]>[0]
/** See `sql/functions/40_asking.sql`. The driver declares a JavaScript number as float8: hence the casts. */
const CALLS = {
  ask: {
    sql: `select * from app.ask(${ENTERING}, $6::text::jsonb, $7::text, $8::text, ${SESSION})`,
    params: ({ content, request, ...question }: AskedQuestion): ReadonlyArray<unknown> => [
      JSON.stringify({ ...question, may_wait: CALLS.ask.mayWait(question) }),
      content,
      request ?? null
    ],
    /**
     * For a lock: of a conversation, of a key that another request has, or of limits. Without these it locks only its user and tenant, against being
     * deleted, and nothing deletes a user who is still admitted.
     */
    mayWait: ({ conversation_id, idempotency_key, may_wait }: Omit<AskedQuestion, "content">) =>
      conversation_id !== null || idempotency_key !== null || may_wait === true,
    /** Whether it takes locks of its tenant, which those before it have. */
    following: ({ limited }: AskedQuestion) => limited === true
  }
}

/** A question that was stored. */
export interface Stored {
  readonly tenantId: TenantId
  readonly generationId: GenerationId
}

/** All of them were committed, so what shows that one is on disk shows it of all. */
const flush = (
  pool: Pool["Service"],
  [stored, ...others]: ReadonlyArray<Stored>
): Effect.Effect<Exit.Exit<void, Unavailable>> => {
  if (stored === undefined) return Effect.succeed(Exit.fail(unavailable()))
  const { generationId, tenantId } = stored
  return pool.write("select work.flush($1::uuid, $2::uuid) as done", [tenantId, generationId]).pipe(
    Effect.flatMap(({ rows: [row] }) =>
      Predicate.hasProperty(row, "done") && row.done === true ? Effect.succeed(Exit.void) : flush(pool, others)
    ),
    Effect.catchTag("SqlError", (error) => Effect.exit(outageOrBug(error))),
    Effect.catchTag("Unavailable", (error) => Effect.succeed(Exit.fail(error)))
  )
}

/** The same for all statements of a tenant. */
const placeOf = (line: string | undefined): number => Number.parseInt((line ?? "").slice(-6), 16) || 0

/** Whether the user's row was removed between entering and the end of the statement. Asked once more, they are refused. */
const removedMeanwhile = (error: SqlError | Unavailable): error is SqlError =>
  isSqlError(error) && sqlState(error) === "23503"

/** Whether the failure comes from the work itself, and not from the driver. */
const isOwn = <E>(error: E): error is Exclude<E, Inner> => !isSqlError(error) && !Schema.isSchemaError(error)

/** Maps a statement's failure for the caller. A failure that is neither a refusal nor an outage is our bug: a defect. */
const refuse = <E>(error: E): Effect.Effect<never, Failures<E>> => {
  if (isOwn(error)) return Effect.fail(error)
  if (!isSqlError(error)) return Effect.die(error)
  switch (sqlState(error)) {
    case "LL401":
      return Effect.fail(new Unauthenticated({}))
    case "LL403":
      return Effect.fail(new Forbidden({}))
  }
  return outageOrBug(error)
}

/** One constructor for all rooms; each statement goes to the room of its fiber, and fails without one. */
const sql: Statement.Constructor = Statement.make(
  Effect.flatMap(CurrentRoom, (room) => (room === undefined ? Effect.die(noRoom) : Effect.succeed(room))),
  PgClient.makeCompiler(),
  [["db.system.name", "postgresql"]],
  undefined,
  (work) => Effect.flatMap(CurrentRoom, (room) => (room === undefined ? Effect.die(noRoom) : work(room)))
)

const noRoom = "a tenant statement ran outside its room"

import { Actor } from "@llm-saas/domain/Actor"
import type { ConversationId } from "@llm-saas/domain/Conversation"
import type { Outside } from "@llm-saas/domain/Outside"
import { Forbidden, Unauthenticated, type Unavailable } from "@llm-saas/domain/Refusal"
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Exit, Layer, Predicate, Schema } from "effect"
import { Statement } from "effect/sql"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import type { AskedQuestion } from "./AskedQuestion.ts"
import * as Asking from "./Asking.ts"
import { outageOrBug, sqlState } from "./PostgresError.ts"
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
     * Stores a question, or says why not: a row of `app.ask`. Committed unless it fails; an interruption waits for it. A question that is
     * stored is on disk.
     */
    readonly ask: (question: AskedQuestion) => Entered<unknown, never, never>
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

      const readFunction = <Name extends ReadFunction>(name: Name, argument: ReadArguments[Name]) =>
        Effect.contextWith((context: Context.Context<Actor>): Entered<string | null, never, never> => {
          const { needs, session = null, tenantId, tokenEpoch, userId } = Context.get(context, Actor)
          const { params, sql } = READ_FUNCTIONS[name]
          const all = [tenantId, userId, tokenEpoch, needs, session, ...params(argument)]
          const outer = Context.get(context, CurrentRoom)
          const rows: Effect.Effect<ReadonlyArray<unknown>, SqlError | Unavailable> = outer === undefined
            ? Effect.map(pool.query(sql, all, tenantId), ({ rows }) => rows)
            : outer.execute(sql, all)
          return Effect.map(Effect.catch(rows, refuse), ([row]) =>
            Predicate.hasProperty(row, "answer") && typeof row.answer === "string" ? row.answer : null
          )
        })

      const store = yield* Asking.make(pool)
      const ask = (question: AskedQuestion) =>
        Effect.contextWith((context: Context.Context<Actor>): Entered<unknown, never, never> => {
          const actor = Context.get(context, Actor)
          const outer = Context.get(context, CurrentRoom)
          return Effect.catch(outer === undefined ? store(actor, question) : Asking.inRoom(outer, question), refuse)
        })

      return Tenancy.of({
        transaction: open("transaction"),
        read: open("read"),
        once: open("once"),
        readFunction,
        ask
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

import type { Actor } from "@llm-saas/domain/Actor"
import type { PgConnection } from "@effect/sql-pg"
import { Context, Effect, Fiber, Stream } from "effect"
import type { SqlConnection } from "effect/sql"
import { SqlError, UnknownError } from "effect/sql/SqlError"
import type { Connection } from "./connections/Session.ts"

// Casts: the driver declares a JavaScript number as float8.
const ENTER = "select role from app.enter($1::uuid, $2::uuid, $3::integer, $4::text, $5::uuid)"

/** `read` and `once` send one statement, and their COMMIT along with it; a `read` cannot write. */
export type Kind = "transaction" | "read" | "once"

type Query = Effect.Effect<PgConnection.Result, SqlError>

/**
 * One transaction of one tenant on one connection, as `effect/sql` sees it. Nothing is sent before the first statement: BEGIN and
 * `app.enter` then travel in the same write as that statement, so entering costs no round trip. A refusal of `enter` aborts the transaction
 * on the server, so that the statement after it never runs.
 */
export class Room implements SqlConnection.Connection {
  readonly pg: Connection
  readonly actor: Actor["Service"]
  readonly kind: Kind
  #entering: Fiber.Fiber<PgConnection.Result, SqlError> | undefined
  #committing: Fiber.Fiber<PgConnection.Result, SqlError> | undefined
  #open = true

  constructor(pg: Connection, actor: Actor["Service"], kind: Kind) {
    this.pg = pg
    this.actor = actor
    this.kind = kind
  }

  /** Whether anything was sent. */
  get entered() {
    return this.#entering !== undefined
  }

  /** Enters for work that sent no statement. */
  get enter(): Effect.Effect<void, SqlError> {
    return Effect.asVoid(this.#first(this.pg.query("select 1", [])))
  }

  /** COMMIT, or the one that was sent with the only statement. Fails if PostgreSQL rolled back instead. */
  get commit(): Effect.Effect<void, SqlError> {
    return Effect.flatMap(
      Effect.suspend(() => {
        this.#open = false
        return this.#committing === undefined ? this.pg.query("commit", []) : Fiber.join(this.#committing)
      }),
      (result) =>
        result.command === "ROLLBACK"
          ? Effect.fail(failed("COMMIT rolled back: a failed statement was caught inside the room"))
          : Effect.void
    )
  }

  get rollback(): Effect.Effect<void, SqlError> {
    return Effect.suspend(() => {
      this.#open = false
      if (this.#entering === undefined) return Effect.void
      return this.#committing === undefined
        ? Effect.asVoid(this.pg.query("rollback", []))
        : Effect.exit(Fiber.join(this.#committing))
    })
  }

  execute(sql: string, params: ReadonlyArray<unknown>) {
    return this.#rows(sql, params, true)
  }
  executeUnprepared(sql: string, params: ReadonlyArray<unknown>) {
    return this.#rows(sql, params, false)
  }
  executeRaw(sql: string, params: ReadonlyArray<unknown>) {
    return this.#run(sql, params, true)
  }
  executeValues(sql: string, params: ReadonlyArray<unknown>) {
    return Effect.map(this.#run(sql, params, true), values)
  }
  executeValuesUnprepared(sql: string, params: ReadonlyArray<unknown>) {
    return Effect.map(this.#run(sql, params, false), values)
  }
  /** A cursor would hold the connection for as long as its reader takes: use pages instead. */
  executeStream() {
    return Stream.die("a room has no streams: read a page at a time")
  }

  #rows(sql: string, params: ReadonlyArray<unknown>, prepare: boolean) {
    return Effect.map(this.#run(sql, params, prepare), (result) => result.rows)
  }

  #run(sql: string, params: ReadonlyArray<unknown>, prepare: boolean): Query {
    return Effect.suspend(() => {
      if (!this.#open) return Effect.die("a statement outlived its room")
      const query = this.pg.query(sql, params, prepare)
      if (this.#entering === undefined) return this.#first(query)
      return this.kind === "transaction"
        ? query
        : Effect.die(`Tenancy.${this.kind} takes one statement: use Tenancy.transaction`)
    })
  }

  /** BEGIN, enter, `query` and, where it is the only one, COMMIT: submitted in one turn, so they leave in one write. */
  #first(query: Query): Query {
    const { needs, session = null, tenantId, tokenEpoch, userId } = this.actor
    const sent = Effect.gen({ self: this }, function* () {
      // Not prepared: behind a pooler that does not track prepared statements, an unknown BEGIN would fail alone, and the statements after
      // it would run outside any transaction.
      yield* submit(this.pg.query(this.kind === "read" ? "begin read only" : "begin", [], false))
      const entering = (this.#entering = yield* submit(
        this.pg.query(ENTER, [tenantId, userId, tokenEpoch, needs, session])
      ))
      const first = yield* submit(query)
      if (this.kind !== "transaction") this.#committing = yield* submit(this.pg.query("commit", []))
      return { entering, first }
    })
    // An interruption before all of it was sent would leave a transaction that this room knows nothing of.
    return Effect.flatMap(Effect.uninterruptible(sent), ({ entering, first }) =>
      // A refused entry is why the statement after it failed, so it is the failure to report.
      Effect.andThen(Fiber.join(entering), Fiber.join(first))
    )
  }
}

/** The room of the current fiber. Not exported from the package: only {@link Tenancy} opens one. */
export const CurrentRoom = Context.Reference<Room | undefined>("@llm-saas/database/CurrentRoom", {
  defaultValue: () => undefined
})

// Uninterruptible: if BEGIN were skipped, its statement would be a transaction of its own.
const submit = (query: Query) => Effect.forkChild(query, { startImmediately: true, uninterruptible: true })

const values = (result: PgConnection.Result) => result.rows.map((row) => Object.values(row))

const failed = (message: string) =>
  new SqlError({ reason: new UnknownError({ cause: new Error(message), message, operation: "commit" }) })

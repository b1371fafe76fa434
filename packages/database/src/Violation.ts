import { Effect } from "effect"
import { isSqlError } from "effect/sql/SqlError"
import { sqlState } from "./PostgresError.ts"

/**
 * Maps a constraint violation to a failure: one with this SQLSTATE (and, for a unique key, this constraint's name) becomes `failure`, all
 * others pass unchanged. The transaction has failed either way.
 */
export const onViolation =
  <F>(violation: { readonly state: string; readonly constraint?: string }, failure: () => F) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | F, R> =>
    Effect.catch(self, (error): Effect.Effect<never, E | F> => {
      if (!isSqlError(error) || sqlState(error) !== violation.state) return Effect.fail(error)
      const named = error.reason._tag === "UniqueViolation" ? error.reason.constraint : undefined
      return violation.constraint === undefined || violation.constraint === named
        ? Effect.fail(failure())
        : Effect.fail(error)
    })

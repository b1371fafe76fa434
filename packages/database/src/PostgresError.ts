import { Unavailable } from "@llm-saas/domain/Refusal"
import { Effect, Predicate } from "effect"
import type { SqlError } from "effect/sql/SqlError"

/** Seconds a client is asked to wait when the database cannot answer: about as long as a PostgreSQL restart takes. */
const RETRY_AFTER_SECONDS = 2

/** The SQLSTATE PostgreSQL gave (https://www.postgresql.org/docs/current/errcodes-appendix.html), where it answered at all. */
export const sqlState = (error: SqlError): string | undefined => {
  const cause = error.reason.cause
  // Node's own failures have a code too (ECONNREFUSED, EPIPE); only a server's answer has a severity.
  return Predicate.hasProperty(cause, "severity")
    && Predicate.hasProperty(cause, "code")
    && Predicate.isString(cause.code)
    ? cause.code
    : undefined
}

// Class 08 connection, 53 resources, 57P shutdown or starting up, 28 a login the server does not take just now,
// 25006 a primary that became a replica. 57014 is statement_timeout, 55P03 lock_timeout, 40 a conflict worth repeating.
const OUTAGE = /^(?:08|53|57P|28|25006|57014|55P03|40)/u

/** Whether the failure says "not now" rather than "this statement is wrong". An outage must never look like a refusal or a bug. */
export const isOutage = (error: SqlError): boolean => {
  const state = sqlState(error)
  return state === undefined ? error.isRetryable || error.reason._tag === "AuthenticationError" : OUTAGE.test(state)
}

// As above, without the failures one statement may have on a server that works: a timeout, a lock, a conflict.
const AWAY = /^(?:08|53|57P|28|25006)/u

/** Whether the failure says that the server as a whole is not available. */
export const isAway = (error: SqlError): boolean => {
  const state = sqlState(error)
  const { _tag } = error.reason
  return state === undefined ? _tag === "ConnectionError" || _tag === "AuthenticationError" : AWAY.test(state)
}

/** The reason for a log: a code of PostgreSQL or of Node. No address, no name, no statement. */
export const causeOf = (error: SqlError): string => {
  const state = sqlState(error)
  if (state !== undefined) return `SQLSTATE ${state}`
  const { cause, message } = error.reason
  if (Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code)) return cause.code
  // Messages of the driver and our own are constants.
  return cause instanceof NoAnswer ? cause.message : message.replace(/^PgConnection: /u, "")
}

/** The server was silent for too long. */
export class NoAnswer extends Error {
  constructor(milliseconds: number) {
    super(`no answer within ${Math.round(milliseconds / 1000)} s`)
  }
}

export const unavailable = () => new Unavailable({ retry_after: RETRY_AFTER_SECONDS })

/** Maps a statement's failure where no refusal is possible: the database is away, or it is our bug, a defect. */
export const outageOrBug = (error: SqlError): Effect.Effect<never, Unavailable> =>
  isOutage(error) ? Effect.fail(unavailable()) : Effect.die(error)

import { Effect, Redacted } from "effect"
import type { LoginSession } from "./LoginSession.ts"

/**
 * The access token or API key of calls: a fixed one, or an effect that gives it for each call, such as `Ref.get(ref)`; undefined if there is none,
 * as before a login.
 */
export type Credentials = Redacted.Redacted<string> | Effect.Effect<Redacted.Redacted<string> | undefined> | undefined

/** What calls are made with: one of these. */
export interface Caller {
  /** The access token of calls. */
  readonly token?: Credentials
  /** A login that stays fresh by itself. */
  readonly session?: LoginSession
  /** An API key (`sk-…`), instead of a token: for programs, which have no login. */
  readonly key?: Credentials
}

/** The value of the `Authorization` header, if there is a token. */
export const authorization = ({ key, session, token }: Caller): Effect.Effect<string | undefined> => {
  const given = key ?? session?.token ?? token
  return Effect.map(Effect.isEffect(given) ? given : Effect.succeed(given), (value) =>
    value === undefined ? undefined : `Bearer ${Redacted.value(value)}`
  )
}

/** The token of such a header's value. */
export const tokenOf = (value: string | undefined): Redacted.Redacted<string> | undefined =>
  value === undefined ? undefined : Redacted.make(value.slice("Bearer ".length))

import { Effect, Redacted } from "effect"

/**
 * The access token or API key of calls: a fixed one, or an effect that gives it for each call, such as `Ref.get(ref)`; undefined if there is none,
 * as before a login.
 */
export type Credentials = Redacted.Redacted<string> | Effect.Effect<Redacted.Redacted<string> | undefined> | undefined

/** The value of the `Authorization` header, if there is a token. */
export const authorization = (credentials: Credentials): Effect.Effect<string | undefined> =>
  Effect.map(Effect.isEffect(credentials) ? credentials : Effect.succeed(credentials), (token) =>
    token === undefined ? undefined : `Bearer ${Redacted.value(token)}`
  )

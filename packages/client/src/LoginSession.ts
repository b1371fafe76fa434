import { Effect, Redacted } from "effect"
import { type LlmSaasError } from "./plain/LlmSaasError.ts"
import { inMemory, SessionKeeper, type SessionStore } from "./plain/SessionKeeper.ts"
import { lost, Transport } from "./plain/Transport.ts"
import type { Token } from "./plain/Types.ts"

export interface LoginSessionOptions {
  /** The server's address, such as `https://api.example.com`. */
  readonly url: string | URL
  /** Where the refresh token is kept. Default: in memory. Clients that share one share the session. */
  readonly store?: SessionStore
  /** Instead of the platform's `fetch`. */
  readonly fetch?: typeof fetch
}

/**
 * A login that stays fresh by itself, for `Rpc` and `Http`: their access token is renewed before it ends, or when it is refused; the call is then
 * made again. One renewal at a time for all calls, by the refresh token (`POST /token`), as the client with promises does it.
 */
export interface LoginSession {
  /** Keeps what a login with `session: true` answered, in the place of any before. */
  readonly begin: <A extends Token>(answer: A) => Effect.Effect<A>
  /** The access token, renewed if it is due. Undefined before a login, and after the session's end. */
  readonly token: Effect.Effect<Redacted.Redacted<string> | undefined>
  /** Whether another access token than the refused one could be had. */
  readonly another: (refused: Redacted.Redacted<string> | undefined) => Effect.Effect<boolean>
  /** Renews it now: with a `store` that a session is in, without a login. Fails with `invalid_grant` if that is over. */
  readonly renew: Effect.Effect<Token, LlmSaasError>
  /** Ends the session at the server, and forgets it. */
  readonly logout: Effect.Effect<void, LlmSaasError>
}

/** For one user at one server. Share it between the layers that are to share the login. */
export const makeLoginSession = ({ fetch, store = inMemory(), url }: LoginSessionOptions): LoginSession => {
  const transport = new Transport(url, undefined, fetch)
  const keeper = new SessionKeeper(transport, store)
  const kept = () => (transport.token === undefined ? undefined : Redacted.make(transport.token))
  return {
    begin: (answer) => Effect.promise(() => keeper.begin(answer)),
    token: Effect.promise(() => keeper.fresh()).pipe(Effect.map(kept)),
    another: (refused) =>
      Effect.promise(() => keeper.another(refused === undefined ? undefined : Redacted.value(refused))),
    renew: Effect.tryPromise({ try: () => keeper.renew(), catch: lost }),
    logout: Effect.promise(() => keeper.sending()).pipe(
      Effect.flatMap((sending) =>
        Effect.tryPromise({ try: () => transport.alone<unknown>("POST", "/logout", sending), catch: lost })
      ),
      Effect.andThen(Effect.promise(() => keeper.forget()))
    )
  }
}

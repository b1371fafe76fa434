import { TooManyRequests } from "@llm-saas/domain/Refusal"
import { monotonicMillis } from "@llm-saas/domain/Time"
import type { UserId } from "@llm-saas/domain/User"
import type { LoginAttempts } from "@llm-saas/engine/accounts/LoginAttempts"
import { type Cause, Context, Effect, type Exit, Layer } from "effect"
import { createHash } from "node:crypto"
import { AccountAttempts } from "./AccountAttempts.ts"
import type { ClientNetwork } from "../config/ClientNetworks.ts"
import { FailureCounts } from "./FailureCounts.ts"
import { Settings } from "../config/Settings.ts"

/** An IPv6 /48 may fail this many times as often as one address: behind it are many, or one who has 65,536 addresses to spend. */
export const WIDER = 10

/** A login, as far as it can be told before anything is looked up. */
export interface LoginAttempt {
  /** What was typed. */
  readonly account: string
  /** Whether the tenant was said: then there is one account at most. */
  readonly exact: boolean
  readonly client: ClientNetwork
}

/**
 * Slows down guessing, by what failed lately; a success costs nothing. It also forgives nothing: who has an account of the same
 * email in a tenant of their own could else clear the count between guesses. Failures leak away instead.
 *
 * What a client is told (429) depends only on what it was told before:
 * - An account from one address: `LOGIN_FAILURES` in a window. Whoever fails there locks out their own address, and nobody else.
 * - An address (IPv6: a /64; ten times as many for its /48), whatever the account: `LOGIN_FAILURES_PER_ADDRESS`.
 * - An account from everywhere: beyond `LOGIN_FAILURES_PER_ACCOUNT` each address has one failure in a window instead of several. So
 *   an attack from many addresses needs a new one for every guess, and can still never lock the owner out, from wherever they come:
 *   their right password is their first try.
 *
 * What failed behind a success, on other accounts of the same email, is counted by {@link AccountAttempts} and never told.
 *
 * Counts are this process's: behind n of them a client has up to n times as many tries. `RateLimiter` of `effect/persistence`
 * would share them, but it keeps every key it ever saw, and can neither look without counting nor take back.
 */
export class LoginThrottle extends Context.Service<
  LoginThrottle,
  {
    /**
     * Refuses without running `login` when there were too many failures lately, before anything costly is done. Attempts under way
     * count as failures until they prove otherwise, so that a thousand guesses at once are not all let through; one whose client
     * left without waiting for the answer has failed.
     */
    readonly guard: <A, E, R>(
      attempt: LoginAttempt,
      login: (attempts: LoginAttempts) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | TooManyRequests, R>
    /** A new account was made from there. */
    readonly registered: (userId: UserId, client: ClientNetwork) => Effect.Effect<void>
  }
>()("@llm-saas/server/auth/LoginThrottle") {
  static readonly layer = Layer.effect(
    LoginThrottle,
    Effect.gen(function* () {
      const settings = yield* Settings
      const window = settings.LOGIN_WINDOW_MINUTES * 60_000
      const perAddress = settings.LOGIN_FAILURES_PER_ADDRESS
      const counts = new FailureCounts({ window, capacity: 50_000 })
      const accounts = new AccountAttempts({
        window,
        perPair: settings.LOGIN_FAILURES,
        perEmail: settings.LOGIN_FAILURES_PER_ACCOUNT,
        perAddress,
        perWideAddress: perAddress * WIDER
      })

      const guard = <A, E, R>(
        { account, client, exact }: LoginAttempt,
        login: (attempts: LoginAttempts) => Effect.Effect<A, E, R>
      ) =>
        Effect.clockWith((clock): Effect.Effect<A, E | TooManyRequests, R> => {
          const now = () => monotonicMillis(clock)
          const email = digest(account)
          const attacked = counts.level(`email ${email}`, now()) >= settings.LOGIN_FAILURES_PER_ACCOUNT
          const attempt = counts.attempt(
            [
              { key: `pair ${email} ${client.narrow}`, limit: attacked ? 1 : settings.LOGIN_FAILURES },
              { key: `address ${client.narrow}`, limit: perAddress },
              ...(client.wide === undefined ? [] : [{ key: `address ${client.wide}`, limit: perAddress * WIDER }]),
              { key: `email ${email}`, limit: Number.POSITIVE_INFINITY, leak: settings.LOGIN_FAILURES_PER_ACCOUNT }
            ],
            now()
          )
          if ("wait" in attempt)
            return Effect.fail(new TooManyRequests({ retry_after: Math.ceil(attempt.wait / 1000) }))
          const tried = accounts.login({ email, client, exact, now })
          let settled = false
          const settle = (failed: boolean) => {
            if (!settled) attempt.end(failed, now())
            settled = true
          }
          // As soon as it is known, and not only when it is told: until then it counts as a failure.
          const end = (fitting: ReadonlyArray<UserId>) => {
            const told = tried.attempts.end(fitting)
            settle(told.size === 0)
            return told
          }
          return Effect.onExit(login({ begin: tried.attempts.begin, end }), (exit) =>
            Effect.sync(() => {
              settle(failed(exit))
              tried.close(left(exit))
            })
          )
        })

      return LoginThrottle.of({
        guard,
        registered: (userId, { narrow }) =>
          Effect.clockWith((clock) => Effect.sync(() => accounts.know(userId, narrow, monotonicMillis(clock))))
      })
    })
  )
}

/** Emails are compared as they are stored; a digest has one length, whatever is typed. */
const digest = (account: string): string =>
  createHash("sha256").update(account.trim().normalize("NFC").toLowerCase()).digest("base64url")

const isTagged = (error: unknown, tag: string): boolean =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === tag

const isGuess = (reason: Cause.Reason<unknown>) =>
  reason._tag === "Interrupt" || (reason._tag === "Fail" && isTagged(reason.error, "InvalidCredentials"))

/** Not what is our own fault: a database that is down must not lock people out. */
const failed = (exit: Exit.Exit<unknown, unknown>): boolean =>
  exit._tag === "Failure" && exit.cause.reasons.some(isGuess)

/** Whether the client left before it was told. */
const left = (exit: Exit.Exit<unknown, unknown>): boolean =>
  exit._tag === "Failure" && exit.cause.reasons.some(({ _tag }) => _tag === "Interrupt")

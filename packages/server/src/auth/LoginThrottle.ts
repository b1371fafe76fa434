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

/** An IPv6 /48 may fail this many times as often as one address: it holds many clients, or one client with 65,536 addresses. */
export const WIDER = 10

/** What is known of a login before anything is looked up. */
export interface LoginAttempt {
  /** The account as the client typed it. */
  readonly account: string
  /** Whether the tenant is given: then there is at most one account. */
  readonly exact: boolean
  readonly client: ClientNetwork
}

/**
 * Slows down guessing by counting recent failures; a success costs nothing. A success clears nothing either: a client with an account of
 * the same email in their own tenant could otherwise clear the count between guesses. Failures leak away instead.
 *
 * What a client is told (429) depends only on what it was told before:
 * - One account from one address: `LOGIN_FAILURES` per window. A client that fails there locks out only its own address.
 * - One address (IPv6: a /64; ten times as many for its /48), any account: `LOGIN_FAILURES_PER_ADDRESS`.
 * - One account from all addresses: beyond `LOGIN_FAILURES_PER_ACCOUNT` each address has one failure per window instead of several. So an
 *   attack from many addresses needs a new one for every guess, and can never lock the owner out, wherever they log in from: their right
 *   password is their first try.
 *
 * Failures behind a success, on other accounts of the same email, are counted by {@link AccountAttempts} and never told.
 *
 * Counts are per process: behind n processes a client has up to n times as many tries. `RateLimiter` of `effect/persistence` would share
 * them, but it keeps every key it ever saw, and can neither look without counting nor take back.
 */
export class LoginThrottle extends Context.Service<
  LoginThrottle,
  {
    /**
     * Refuses without running `login` after too many recent failures, before anything costly is done. Attempts under way count as
     * failures until they succeed, so that a thousand guesses at once are not all let through; one whose client left before the answer
     * counts as failed.
     */
    readonly guard: <A, E, R>(
      attempt: LoginAttempt,
      login: (attempts: LoginAttempts) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | TooManyRequests, R>
    /** Records that a new account was created from this network. */
    readonly registered: (userId: UserId, client: ClientNetwork) => Effect.Effect<void>
  }
>()("@llm-saas/server/auth/LoginThrottle") {
  static readonly layer = Layer.effect(
    LoginThrottle,
    Effect.gen(function* () {
      const settings = yield* Settings
      const windowMs = settings.LOGIN_WINDOW_MINUTES * 60_000
      const perAddress = settings.LOGIN_FAILURES_PER_ADDRESS
      const counts = new FailureCounts({ windowMs, capacity: 50_000 })
      const accounts = new AccountAttempts({
        windowMs,
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
          if ("waitMs" in attempt)
            return Effect.fail(new TooManyRequests({ retry_after: Math.ceil(attempt.waitMs / 1000) }))
          const tried = accounts.login({ email, client, exact, now })
          let settled = false
          const settle = (failed: boolean) => {
            if (!settled) attempt.end(failed, now())
            settled = true
          }
          // Called as soon as the result is known, not when it is told: until then it counts as a failure.
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

/** Emails are compared as they are stored; a digest has a fixed length. */
const digest = (account: string): string =>
  createHash("sha256").update(account.trim().normalize("NFC").toLowerCase()).digest("base64url")

const isTagged = (error: unknown, tag: string): boolean =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === tag

const isGuess = (reason: Cause.Reason<unknown>) =>
  reason._tag === "Interrupt" || (reason._tag === "Fail" && isTagged(reason.error, "InvalidCredentials"))

/** Our own faults do not count: a database outage must not lock users out. */
const failed = (exit: Exit.Exit<unknown, unknown>): boolean =>
  exit._tag === "Failure" && exit.cause.reasons.some(isGuess)

/** Whether the client left before it had the answer. */
const left = (exit: Exit.Exit<unknown, unknown>): boolean =>
  exit._tag === "Failure" && exit.cause.reasons.some(({ _tag }) => _tag === "Interrupt")

import { TooManyRequests } from "@llm-saas/domain/Refusal"
import { type Cause, Context, Effect, type Exit, Layer, Option, Predicate } from "effect"
import type { HttpServerRequest } from "effect/http"
import { createHash } from "node:crypto"
import { clientAddress, countedAs, trust } from "./ClientAddress.ts"
import { FailureCounts } from "./FailureCounts.ts"
import { Settings } from "./Settings.ts"

/** An IPv6 /48 may fail this many times as often as one address: behind it are many, or one who has 65,536 addresses to spend. */
const WIDER = 10

/** Where an attempt comes from. */
export type Sender = Pick<HttpServerRequest.HttpServerRequest, "headers" | "remoteAddress">

/**
 * Slows down guessing, by what failed lately; a success costs nothing. It also forgives nothing: who has an account of the same
 * email in a tenant of their own could else clear the count between guesses. Failures leak away instead.
 *
 * - An account from one address: `LOGIN_FAILURES` in a window. Whoever fails there locks out their own address, and nobody else.
 * - An address (IPv6: a /64; ten times as many for its /48), whatever the account: `LOGIN_FAILURES_PER_ADDRESS`.
 * - An account from everywhere: beyond `LOGIN_FAILURES_PER_ACCOUNT` each address has one failure in a window instead of several. So
 *   an attack from many addresses needs a new one for every guess, and can still never lock the owner out, from wherever they come:
 *   their right password is their first try.
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
    readonly guard: (attempt: {
      readonly account: string
      readonly request: Sender
    }) => <A, E, R>(login: Effect.Effect<A, E, R>) => Effect.Effect<A, E | TooManyRequests, R>
  }
>()("@llm-saas/server/LoginThrottle") {
  static readonly layer = Layer.effect(
    LoginThrottle,
    Effect.gen(function* () {
      const settings = yield* Settings
      const proxies = trust(settings.TRUSTED_PROXIES)
      const perAddress = settings.LOGIN_FAILURES_PER_ADDRESS
      const counts = new FailureCounts({ window: settings.LOGIN_WINDOW_MINUTES * 60_000, capacity: 50_000 })

      return LoginThrottle.of({
        guard:
          ({ account, request }) =>
          <A, E, R>(login: Effect.Effect<A, E, R>) =>
            Effect.clockWith((clock): Effect.Effect<A, E | TooManyRequests, R> => {
              const now = clock.currentTimeMillisUnsafe()
              const peer = Option.getOrElse(request.remoteAddress, () => "unknown")
              const [address, wide] = countedAs(clientAddress(peer, request.headers["x-forwarded-for"], proxies))
              const who = digest(account)
              const attacked = counts.level(`account ${who}`, now) >= settings.LOGIN_FAILURES_PER_ACCOUNT
              const attempt = counts.attempt(
                [
                  { key: `pair ${who} ${address}`, limit: attacked ? 1 : settings.LOGIN_FAILURES },
                  { key: `address ${address}`, limit: perAddress },
                  ...(wide === undefined ? [] : [{ key: `address ${wide}`, limit: perAddress * WIDER }]),
                  { key: `account ${who}`, limit: Number.POSITIVE_INFINITY, leak: settings.LOGIN_FAILURES_PER_ACCOUNT }
                ],
                now
              )
              if ("wait" in attempt)
                return Effect.fail(new TooManyRequests({ retry_after: Math.ceil(attempt.wait / 1000) }))
              return Effect.onExit(login, (exit) =>
                Effect.sync(() => attempt.end(failed(exit), clock.currentTimeMillisUnsafe()))
              )
            })
      })
    })
  )
}

/** Emails are compared as they are stored; a digest has one length, whatever is typed. */
const digest = (account: string): string =>
  createHash("sha256").update(account.trim().normalize("NFC").toLowerCase()).digest("base64url")

const GUESSES = Predicate.some<unknown>([
  Predicate.isTagged("InvalidCredentials"),
  Predicate.isTagged("RegistrationRefused")
])

const isGuess = (reason: Cause.Reason<unknown>) =>
  reason._tag === "Interrupt" || (reason._tag === "Fail" && GUESSES(reason.error))

/** Not what is our own fault: a database that is down must not lock people out. */
const failed = (exit: Exit.Exit<unknown, unknown>): boolean =>
  exit._tag === "Failure" && exit.cause.reasons.some(isGuess)

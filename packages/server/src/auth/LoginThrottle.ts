import { type CountedLogin, LoginCounts, type LoginKeys } from "@llm-saas/database/LoginCounts"
import { TooManyRequests, type Unavailable } from "@llm-saas/domain/Refusal"
import { monotonicMillis } from "@llm-saas/domain/Time"
import type { UserId } from "@llm-saas/domain/User"
import type { LoginAttempts } from "@llm-saas/engine/accounts/LoginAttempts"
import { type Cause, Clock, Context, Effect, type Exit, Fiber, Layer, Redacted, Schedule } from "effect"
import { createHash, createHmac, randomUUID } from "node:crypto"
import type { ClientNetwork } from "../config/ClientNetworks.ts"
import { Settings } from "../config/Settings.ts"
import { LocalRefusals } from "./LocalRefusals.ts"
import { SecretKey } from "./SecretKey.ts"

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
 * Slows down guessing by counting recent failures, in the database for all processes together; a success costs nothing. A success clears
 * nothing either: a client with an account of the same email in their own tenant could otherwise clear the count between guesses. Failures
 * leak away instead.
 *
 * What a client is told (429) depends only on what it was told before:
 * - One account from one address: `LOGIN_FAILURES` per window. A client that fails there locks out only its own address.
 * - One address (IPv6: a /64; ten times as many for its /48), any account: `LOGIN_FAILURES_PER_ADDRESS`.
 * - One account from all addresses: beyond `LOGIN_FAILURES_PER_ACCOUNT` each address has one failure per window instead of several. So an
 *   attack from many addresses needs a new one for every guess, and can never lock the owner out, wherever they log in from: their right
 *   password is their first try.
 *
 * A login without a tenant tries all accounts of its email, and may succeed at one while it guesses at another: an attacker with an account
 * of the victim's email in their own tenant would succeed with every guess. So failures behind a success are counted for each account
 * (`auth.login_end`), and never told: an account that has used up its failures is left out silently. Neither the answer nor its time
 * reveals that, or that the account exists. An account is *known* at an address that created it or logged in to it. Only that distinguishes
 * its owner from others who made accounts of the same email in tenants of their own:
 * - Of many accounts, those that are not known share one count, so that a login adds few rows, however many accounts there are. The owner's
 *   account is known after their first login there.
 * - For an address that failed too often behind successes, whatever the email, a matching account that is known there is the only one
 *   told. So guesses at many emails are limited too, even with tenants of the attacker's own.
 *
 * A login that names its tenant has one account, fails where it fails, and is never left out.
 */
export class LoginThrottle extends Context.Service<
  LoginThrottle,
  {
    /**
     * Refuses without running `login` after too many recent failures, before anything costly is done. Attempts under way count as
     * failures until they succeed, so that a thousand guesses at once are not all let through; one whose client left before the answer
     * counts as failed, and one whose process was killed does after a minute. Without the database nothing is let through.
     */
    readonly guard: <A, E, R>(
      attempt: LoginAttempt,
      login: (attempts: LoginAttempts) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | TooManyRequests | Unavailable, R>
    /** Records that a new account was created from this network. */
    readonly registered: (userId: UserId, client: ClientNetwork) => Effect.Effect<void>
  }
>()("@llm-saas/server/auth/LoginThrottle") {
  static readonly layer = Layer.effect(
    LoginThrottle,
    Effect.suspend(() => make)
  )
}

/** How long an answer waits for the end of a login that told no result. The end is tried further behind it. */
const PATIENCE = "250 millis"
/** How often a fault of ours is given back, a second apart. */
const RETRIES = { schedule: Schedule.spaced("1 second"), times: 300 }

const make = Effect.gen(function* () {
  const settings = yield* Settings
  const secret = (yield* SecretKey).value
  const counts = yield* LoginCounts
  const scope = yield* Effect.scope
  const perAddress = settings.LOGIN_FAILURES_PER_ADDRESS
  const limits = {
    windowMs: settings.LOGIN_WINDOW_MINUTES * 60_000,
    perPair: settings.LOGIN_FAILURES,
    perAccount: settings.LOGIN_FAILURES_PER_ACCOUNT,
    perAddress,
    perWideAddress: perAddress * WIDER
  }
  const here = new LocalRefusals({ windowMs: limits.windowMs, capacity: 50_000 })

  /** Ends a login behind its answer, if it takes long. Interrupted, or the database away for long, it fails by its expiry. */
  const behind = (end: Effect.Effect<unknown, Unavailable>) =>
    Effect.interruptible(Effect.ignore(end)).pipe(
      Effect.forkIn(scope),
      Effect.flatMap((fiber) => Effect.interruptible(Effect.timeoutOption(Fiber.await(fiber), PATIENCE))),
      Effect.asVoid
    )

  const begin = Effect.fnUntraced(function* ({ account, client }: LoginAttempt) {
    const clock = yield* Clock.Clock
    const login: CountedLogin = { id: randomUUID(), keys: keysOf(secret, digest(account), client), limits }
    const [pair = "", , ...addresses] = login.keys.told
    const place = { key: pair, limit: limits.perPair }
    const [address = place, ...wide] = addresses.map((key, n) => ({
      key,
      limit: n === 0 ? perAddress : limits.perWideAddress
    }))
    const places = [place, address, ...wide]
    const refused = here.begin(places, monotonicMillis(clock))
    if (refused > 0) return yield* refuse(refused)
    let open = true
    const leave = () => {
      if (open) here.end(places)
      open = false
    }
    const { cause, waitMs } = yield* Effect.onError(counts.begin(login), () => Effect.sync(leave))
    if (waitMs === 0) return { login, leave }
    leave()
    if (cause !== null) here.full(cause === "account" ? place : address, waitMs, monotonicMillis(clock))
    return yield* refuse(waitMs)
  })

  const guard = <A, E, R>(attempt: LoginAttempt, run: (attempts: LoginAttempts) => Effect.Effect<A, E, R>) =>
    Effect.uninterruptibleMask(
      Effect.fnUntraced(function* (restore): Effect.fn.Return<A, E | TooManyRequests | Unavailable, R> {
        const { leave, login } = yield* begin(attempt)
        const { exact } = attempt
        let accounts: ReadonlyArray<UserId> = []
        let ended = false
        const end: LoginAttempts["end"] = (fitting) =>
          Effect.uninterruptible(
            Effect.map(counts.end(login, { exact, accounts, fitting }), ({ told, tried }) => {
              ended = true
              leave()
              return { told: new Set(told), tried: new Set(tried) }
            })
          )
        const begun = (those: ReadonlyArray<UserId>) => void (accounts = those)
        return yield* Effect.onExit(restore(run({ begin: begun, end })), (exit) => {
          if (ended) return Effect.void
          const lost = left(exit)
          // The accounts were guessed at too, if the client left before the answer. Not ended, it fails by its expiry.
          const close = failed(exit)
            ? counts.end(login, { exact, accounts: lost ? accounts : [], fitting: [] })
            : Effect.retry(counts.cancel(login), RETRIES)
          return Effect.ensuring(behind(close), Effect.sync(leave))
        })
      })
    )

  return LoginThrottle.of({
    guard,
    registered: (userId, client) => Effect.ignore(counts.know(keysOf(secret, "", client), userId))
  })
})

/** What a login counts for, keyed by the installation's secret. `email`: a digest. */
const keysOf = (secret: Redacted.Redacted, email: string, { narrow, wide }: ClientNetwork): LoginKeys => {
  const key = (text: string) => createHmac("sha256", Redacted.value(secret)).update(`login ${text}`).digest("base64url")
  const addresses = wide === undefined ? [narrow] : [narrow, wide]
  return {
    told: [
      key(`pair ${email} ${narrow}`),
      key(`email ${email}`),
      ...addresses.map((address) => key(`address ${address}`))
    ],
    behind: [
      key(`others ${email} ${narrow}`),
      key(`behind email ${email}`),
      ...addresses.map((address) => key(`behind address ${address}`))
    ],
    seed: key(`seed ${narrow}`)
  }
}

/** Emails are compared as they are stored; a digest has a fixed length. */
const digest = (account: string): string =>
  createHash("sha256").update(account.trim().normalize("NFC").toLowerCase()).digest("base64url")

const refuse = (waitMs: number) => Effect.fail(new TooManyRequests({ retry_after: Math.ceil(waitMs / 1000) }))

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

import { InvalidCredentials, TooManyRequests, Unavailable } from "@llm-saas/domain/Refusal"
import { assert, describe, it } from "@effect/vitest"
import { stepping } from "@llm-saas/testing/Clocks"
import { Clock, Deferred, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { ClientNetworks } from "../src/config/ClientNetworks.ts"
import { LoginThrottle } from "../src/auth/LoginThrottle.ts"
import { configured } from "./Configured.ts"
import { requestFrom } from "./Request.ts"

const throttle = (variables = {}) =>
  Layer.merge(Layer.fresh(LoginThrottle.layer), ClientNetworks.layer).pipe(Layer.provide(configured(variables)))
const ALICE = "alice@acme.com"
const MINUTE = 60_000

type From = string | readonly [peer: string, forwardedFor: string]
/** Tries to log in: `undefined` when the attempt was let through, or how many seconds to wait. */
const attempt = Effect.fnUntraced(function* <E>(outcome: Effect.Effect<void, E>, from: From, account = ALICE) {
  const { guard } = yield* LoginThrottle
  const networks = yield* ClientNetworks
  const client = networks.of(typeof from === "string" ? requestFrom(from) : requestFrom(...from))
  return yield* guard({ account, client, exact: false }, () => outcome).pipe(
    Effect.as(undefined),
    Effect.catch((error) => Effect.succeed(error instanceof TooManyRequests ? error.retry_after : undefined))
  )
})
const wrong = (from: From, account = ALICE) => attempt(Effect.fail(new InvalidCredentials({})), from, account)
const right = (from: From, account = ALICE) => attempt(Effect.void, from, account)
const times = <A, E, R>(n: number, each: (i: number) => Effect.Effect<A, E, R>) =>
  Effect.forEach(
    Array.from({ length: n }, (_, i) => i),
    each
  )
const isThrough = (answers: ReadonlyArray<unknown>) =>
  assert.isTrue(
    answers.every((answer) => answer === undefined),
    JSON.stringify(answers)
  )

describe("guessing a password", () => {
  it.effect("from one address ends after ten failures, and goes on as they leak away", () =>
    Effect.gen(function* () {
      isThrough(yield* times(10, () => wrong("198.51.100.1")))
      // Fifteen minutes for ten failures: ninety seconds for one. The right password has to wait as well.
      assert.strictEqual(yield* wrong("198.51.100.1"), 90)
      assert.strictEqual(yield* right("198.51.100.1"), 90)
      yield* TestClock.adjust(89_000)
      assert.strictEqual(yield* wrong("198.51.100.1"), 1)
      yield* TestClock.adjust(1000)
      assert.isUndefined(yield* wrong("198.51.100.1"))
      assert.strictEqual(yield* wrong("198.51.100.1"), 90)
      yield* TestClock.adjust(15 * MINUTE)
      isThrough(yield* times(10, () => wrong("198.51.100.1")))
      assert.strictEqual(yield* wrong("198.51.100.1"), 90)
    }).pipe(Effect.provide(throttle()))
  )

  it.effect("is neither let go nor held up where the wall clock steps", () =>
    Effect.gen(function* () {
      const { clock, step } = yield* stepping
      const guess = wrong("198.51.100.1").pipe(Effect.provideService(Clock.Clock, clock))
      yield* times(10, () => guess)
      step(60 * MINUTE)
      assert.strictEqual(yield* guess, 90)
      step(-120 * MINUTE)
      assert.strictEqual(yield* guess, 90)
      yield* TestClock.adjust(90_000)
      assert.isUndefined(yield* guess)
    }).pipe(Effect.provide(throttle()))
  )

  it.effect("is refused before anything is done", () =>
    Effect.gen(function* () {
      yield* times(10, () => wrong("198.51.100.1"))
      let ran = false
      assert.isDefined(
        yield* attempt(
          Effect.sync(() => void (ran = true)),
          "198.51.100.1"
        )
      )
      assert.isFalse(ran)
    }).pipe(Effect.provide(throttle()))
  )

  it.effect("is the same account however its email is written", () =>
    Effect.gen(function* () {
      yield* times(9, () => wrong("198.51.100.1", "Am\u00e9lie@acme.com"))
      assert.isUndefined(yield* wrong("198.51.100.1", "  AME\u0301LIE@ACME.COM "))
      assert.isDefined(yield* wrong("198.51.100.1", "am\u00e9lie@acme.com"))
    }).pipe(Effect.provide(throttle()))
  )

  it.effect("of many accounts from one address ends too", () =>
    Effect.gen(function* () {
      isThrough(yield* times(50, (i) => wrong("198.51.100.1", `user${i}@acme.com`)))
      assert.isDefined(yield* wrong("198.51.100.1", "another@acme.com"))
      assert.isUndefined(yield* wrong("198.51.100.2", "another@acme.com"))
    }).pipe(Effect.provide(throttle()))
  )

  it.effect("at once is not let through at once", () =>
    Effect.gen(function* () {
      const answer = yield* Deferred.make<void>()
      const slow = Effect.andThen(Deferred.await(answer), Effect.fail(new InvalidCredentials({})))
      const guesses = yield* times(1000, () =>
        Effect.forkChild(attempt(slow, "198.51.100.1"), { startImmediately: true })
      )
      yield* Deferred.succeed(answer, undefined)
      const answers = yield* Fiber.joinAll(guesses)
      assert.strictEqual(answers.filter((each) => each === undefined).length, 10)
      assert.isTrue(answers.every((each) => each === undefined || each === 1))
      assert.strictEqual(yield* wrong("198.51.100.1"), 90)
    }).pipe(Effect.provide(throttle()))
  )

  it.effect("counts, if the client leaves before it hears the answer", () =>
    Effect.gen(function* () {
      yield* times(10, () =>
        Effect.gen(function* () {
          const guess = yield* Effect.forkChild(attempt(Effect.never, "198.51.100.1"), { startImmediately: true })
          yield* Fiber.interrupt(guess)
        })
      )
      assert.isDefined(yield* wrong("198.51.100.1"))
    }).pipe(Effect.provide(throttle()))
  )

  it.effect("cannot be paid for with a success: neither in a tenant of the guesser's own nor for another account", () =>
    Effect.gen(function* () {
      for (let i = 0; i < 10; i++) {
        yield* wrong("198.51.100.1")
        yield* right("198.51.100.1", "mallory@evil.example")
        if (i < 9) yield* right("198.51.100.1")
      }
      assert.isDefined(yield* wrong("198.51.100.1"))
    }).pipe(Effect.provide(throttle()))
  )

  it.effect("of IPv6 is one client's within a /64, and ten times as many within a /48", () =>
    Effect.gen(function* () {
      isThrough(yield* times(10, (i) => wrong(`2001:db8:1:1::${i}`)))
      assert.isDefined(yield* wrong("2001:db8:1:1:ffff::1"))
      assert.isUndefined(yield* wrong("2001:db8:1:2::1"))
      const wide = yield* times(600, (i) => wrong(`2001:db8:2:${(i >> 3).toString(16)}::1`, `user${i}@acme.com`))
      assert.strictEqual(wide.filter((each) => each === undefined).length, 500)
      assert.isUndefined(yield* wrong("2001:db8:3::1", "another@acme.com"))
    }).pipe(Effect.provide(throttle()))
  )
})

describe("the owner of an account", () => {
  it.effect("may log in as often as they like, and many at once", () =>
    Effect.gen(function* () {
      isThrough(yield* times(500, () => right("192.0.2.1")))
      isThrough(
        yield* Effect.all(
          Array.from({ length: 10 }, () => right("192.0.2.1")),
          { concurrency: "unbounded" }
        )
      )
    }).pipe(Effect.provide(throttle()))
  )

  it.effect("is not locked out by one who fails elsewhere", () =>
    Effect.gen(function* () {
      yield* times(200, () => wrong("198.51.100.1"))
      isThrough(yield* times(9, () => wrong("192.0.2.1")))
      assert.isUndefined(yield* right("192.0.2.1"))
    }).pipe(Effect.provide(throttle()))
  )

  it.effect(
    "is not locked out by two hundred addresses that fail for days; each of those has one guess in a window",
    () =>
      Effect.gen(function* () {
        const bots = (round: number) =>
          times(200, (i) => wrong(`198.18.0.${i}`, ALICE).pipe(Effect.map((answer) => [round, answer] as const)))
        yield* bots(0)
        for (let hour = 1; hour <= 24; hour++) {
          const guesses = (yield* bots(hour)).concat(yield* bots(hour))
          const through = guesses.filter(([, answer]) => answer === undefined).length
          if (hour > 1) assert.isAtMost(through, 200 + 50)
          assert.isUndefined(yield* right("192.0.2.1"), "from the office")
          assert.isUndefined(yield* right(`203.0.113.${hour}`), "from somewhere new")
          yield* TestClock.adjust(60 * MINUTE)
        }
      }).pipe(Effect.provide(throttle()))
  )

  it.effect("who mistyped before an attack began waits for one window at most", () =>
    Effect.gen(function* () {
      yield* times(8, () => wrong("192.0.2.1"))
      yield* times(100, (i) => wrong(`198.18.0.${i}`))
      const wait = yield* right("192.0.2.1")
      assert.strictEqual(wait, 15 * 60)
      yield* TestClock.adjust((wait ?? 0) * 1000)
      assert.isUndefined(yield* right("192.0.2.1"))
    }).pipe(Effect.provide(throttle()))
  )

  it.effect("does not pay for an outage of ours", () =>
    Effect.gen(function* () {
      isThrough(yield* times(100, () => attempt(Effect.fail(new Unavailable({ retry_after: 2 })), "192.0.2.1")))
      assert.isUndefined(yield* right("192.0.2.1"))
    }).pipe(Effect.provide(throttle()))
  )
})

describe("X-Forwarded-For", () => {
  it.effect("is ignored where the peer is not trusted", () =>
    Effect.gen(function* () {
      yield* times(10, (i) => wrong(["198.51.100.1", `192.0.2.${i}`]))
      assert.isDefined(yield* wrong(["198.51.100.1", "192.0.2.99"]))
      assert.isUndefined(yield* right("192.0.2.1"))
    }).pipe(Effect.provide(throttle()))
  )

  it.effect("of a trusted proxy tells its clients apart, by the address the proxy saw", () =>
    Effect.gen(function* () {
      yield* times(10, (i) => wrong(["10.0.0.1", `192.0.2.${i}, 198.51.100.1`]))
      assert.isDefined(yield* wrong(["10.0.0.1", "192.0.2.99, 198.51.100.1"]))
      assert.isUndefined(yield* wrong(["10.0.0.1", "198.51.100.2"]))
    }).pipe(Effect.provide(throttle({ TRUSTED_PROXIES: '["10.0.0.0/8"]' })))
  )
})

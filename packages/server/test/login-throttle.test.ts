import { InvalidCredentials, Unavailable } from "@llm-saas/domain/Refusal"
import { assert, describe, it } from "@effect/vitest"
import { stepping } from "@llm-saas/testing/Clocks"
import { Clock, Deferred, Effect, Fiber } from "effect"
import { attempt, LoginProcesses, MINUTE, right, times, wrong } from "./LoginProcesses.ts"

// Every other login is at the other of two processes.

/** Seconds that a test may take. */
const SLACK = 20
const about = (answer: number | undefined, seconds: number) => {
  assert.isAtMost(answer ?? 0, seconds)
  assert.isAtLeast(answer ?? 0, seconds - SLACK)
}
const isThrough = (answers: ReadonlyArray<unknown>) =>
  assert.isTrue(
    answers.every((answer) => answer === undefined),
    JSON.stringify(answers)
  )

describe("guessing a password", () => {
  it.effect("from one address ends after ten failures, and goes on as they leak away", () =>
    Effect.gen(function* () {
      const { pass } = yield* LoginProcesses
      isThrough(yield* times(10, () => wrong("198.51.100.1")))
      // Fifteen minutes for ten failures: ninety seconds for one. The right password has to wait as well.
      about(yield* wrong("198.51.100.1"), 90)
      about(yield* right("198.51.100.1"), 90)
      yield* pass(60_000)
      about(yield* wrong("198.51.100.1"), 30)
      yield* pass(30_000)
      assert.isUndefined(yield* wrong("198.51.100.1"))
      about(yield* wrong("198.51.100.1"), 90)
      yield* pass(15 * MINUTE)
      isThrough(yield* times(10, () => wrong("198.51.100.1")))
      about(yield* wrong("198.51.100.1"), 90)
    }).pipe(Effect.provide(LoginProcesses.layer))
  )

  it.effect("is neither let go nor held up where the wall clock steps", () =>
    Effect.gen(function* () {
      const { pass } = yield* LoginProcesses
      const { clock, step } = yield* stepping
      const guess = wrong("198.51.100.1").pipe(Effect.provideService(Clock.Clock, clock))
      yield* times(10, () => guess)
      step(60 * MINUTE)
      about(yield* guess, 90)
      step(-120 * MINUTE)
      about(yield* guess, 90)
      yield* pass(90_000)
      assert.isUndefined(yield* guess)
    }).pipe(Effect.provide(LoginProcesses.layer))
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
    }).pipe(Effect.provide(LoginProcesses.layer))
  )

  it.effect("is the same account however its email is written", () =>
    Effect.gen(function* () {
      yield* times(9, () => wrong("198.51.100.1", "Am\u00e9lie@acme.com"))
      assert.isUndefined(yield* wrong("198.51.100.1", "  AME\u0301LIE@ACME.COM "))
      assert.isDefined(yield* wrong("198.51.100.1", "am\u00e9lie@acme.com"))
    }).pipe(Effect.provide(LoginProcesses.layer))
  )

  it.effect("of many accounts from one address ends too", () =>
    Effect.gen(function* () {
      isThrough(yield* times(12, (i) => wrong("198.51.100.1", `user${i}@acme.com`)))
      assert.isDefined(yield* wrong("198.51.100.1", "another@acme.com"))
      assert.isUndefined(yield* wrong("198.51.100.2", "another@acme.com"))
    }).pipe(Effect.provide(LoginProcesses.with({ LOGIN_FAILURES_PER_ADDRESS: "12" })))
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
      about(yield* wrong("198.51.100.1"), 90)
    }).pipe(Effect.provide(LoginProcesses.layer))
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
    }).pipe(Effect.provide(LoginProcesses.layer))
  )

  it.effect("cannot be paid for with a success: neither in a tenant of the guesser's own nor for another account", () =>
    Effect.gen(function* () {
      for (let i = 0; i < 10; i++) {
        yield* wrong("198.51.100.1")
        yield* right("198.51.100.1", "mallory@evil.example")
        if (i < 9) yield* right("198.51.100.1")
      }
      assert.isDefined(yield* wrong("198.51.100.1"))
    }).pipe(Effect.provide(LoginProcesses.layer))
  )

  it.effect("of IPv6 is one client's within a /64, and ten times as many within a /48", () =>
    Effect.gen(function* () {
      isThrough(yield* times(10, (i) => wrong(`2001:db8:1:1::${i}`)))
      assert.isDefined(yield* wrong("2001:db8:1:1:ffff::1"))
      assert.isUndefined(yield* wrong("2001:db8:1:2::1"))
      const wide = yield* times(120, (i) => wrong(`2001:db8:2:${(i >> 3).toString(16)}::1`, `user${i}@acme.com`))
      assert.strictEqual(wide.filter((each) => each === undefined).length, 100)
      assert.isUndefined(yield* wrong("2001:db8:3::1", "another@acme.com"))
    }).pipe(Effect.provide(LoginProcesses.with({ LOGIN_FAILURES_PER_ADDRESS: "10" })))
  )
})

describe("the owner of an account", () => {
  it.effect("may log in as often as they like, and many at once", () =>
    Effect.gen(function* () {
      isThrough(yield* times(60, () => right("192.0.2.1")))
      isThrough(
        yield* Effect.all(
          Array.from({ length: 10 }, () => right("192.0.2.1")),
          { concurrency: "unbounded" }
        )
      )
    }).pipe(Effect.provide(LoginProcesses.layer))
  )

  it.effect("is not locked out by one who fails elsewhere", () =>
    Effect.gen(function* () {
      yield* times(60, () => wrong("198.51.100.1"))
      isThrough(yield* times(9, () => wrong("192.0.2.1")))
      assert.isUndefined(yield* right("192.0.2.1"))
    }).pipe(Effect.provide(LoginProcesses.layer))
  )

  it.effect("is not locked out by forty addresses that fail for hours; each of those has one guess in a window", () =>
    Effect.gen(function* () {
      const { pass } = yield* LoginProcesses
      const bots = times(40, (i) => wrong(`198.18.0.${i}`))
      yield* bots
      for (let hour = 1; hour <= 6; hour++) {
        const through = (yield* bots).concat(yield* bots).filter((answer) => answer === undefined).length
        if (hour > 1) assert.isAtMost(through, 40 + 10)
        assert.isUndefined(yield* right("192.0.2.1"), "from the office")
        assert.isUndefined(yield* right(`203.0.113.${hour}`), "from somewhere new")
        yield* pass(60 * MINUTE)
      }
    }).pipe(Effect.provide(LoginProcesses.with({ LOGIN_FAILURES_PER_ACCOUNT: "10" })))
  )

  it.effect("who mistyped before an attack began waits for one window at most", () =>
    Effect.gen(function* () {
      const { pass } = yield* LoginProcesses
      yield* times(8, () => wrong("192.0.2.1"))
      yield* times(20, (i) => wrong(`198.18.0.${i}`))
      const wait = yield* right("192.0.2.1")
      about(wait, 15 * 60)
      yield* pass((wait ?? 0) * 1000)
      assert.isUndefined(yield* right("192.0.2.1"))
    }).pipe(Effect.provide(LoginProcesses.with({ LOGIN_FAILURES_PER_ACCOUNT: "20" })))
  )

  it.effect("does not pay for an outage of ours", () =>
    Effect.gen(function* () {
      isThrough(yield* times(30, () => attempt(Effect.fail(new Unavailable({ retry_after: 2 })), "192.0.2.1")))
      assert.isUndefined(yield* right("192.0.2.1"))
    }).pipe(Effect.provide(LoginProcesses.layer))
  )
})

describe("X-Forwarded-For", () => {
  it.effect("is ignored where the peer is not trusted", () =>
    Effect.gen(function* () {
      yield* times(10, (i) => wrong(["198.51.100.1", `192.0.2.${i}`]))
      assert.isDefined(yield* wrong(["198.51.100.1", "192.0.2.99"]))
      assert.isUndefined(yield* right("192.0.2.1"))
    }).pipe(Effect.provide(LoginProcesses.layer))
  )

  it.effect("of a trusted proxy tells its clients apart, by the address the proxy saw", () =>
    Effect.gen(function* () {
      yield* times(10, (i) => wrong(["10.0.0.1", `192.0.2.${i}, 198.51.100.1`]))
      assert.isDefined(yield* wrong(["10.0.0.1", "192.0.2.99, 198.51.100.1"]))
      assert.isUndefined(yield* wrong(["10.0.0.1", "198.51.100.2"]))
    }).pipe(Effect.provide(LoginProcesses.with({ TRUSTED_PROXIES: '["10.0.0.0/8"]' })))
  )
})

import { assert, describe, it } from "@effect/vitest"
import { UserId } from "@llm-saas/domain/User"
import { Deferred, Effect, Fiber } from "effect"
import { randomUUID } from "node:crypto"
import { LoginProcesses, login, times } from "./LoginProcesses.ts"

// Every other login is at the other of two processes.

const account = () => UserId.make(randomUUID())
const accounts = (n: number) => Array.from({ length: n }, account)
const FEW = { LOGIN_FAILURES: "5", LOGIN_FAILURES_PER_ACCOUNT: "12", LOGIN_FAILURES_PER_ADDRESS: "12" }

describe("with an account of the victim's email in a tenant of one's own", () => {
  it.effect("ten guesses are let through, and then the victim's account is left out, whatever is guessed", () =>
    Effect.gen(function* () {
      const { pass } = yield* LoginProcesses
      const [own, victim] = [account(), account()]
      const guesses = yield* times(30, () => login([own, victim], [own]))
      assert.strictEqual(guesses.filter(({ tried }) => tried.has(victim)).length, 10)
      assert.isTrue(guesses.every(({ told }) => told.has(own) && told.size === 1))
      const right = yield* login([own, victim], [own, victim])
      assert.deepStrictEqual([...right.tried], [own])
      assert.deepStrictEqual([...right.told], [own])
      // Failures leak away as everywhere: fifteen minutes for ten.
      yield* pass(90_000)
      assert.isTrue((yield* login([own, victim], [own])).tried.has(victim))
      assert.isFalse((yield* login([own, victim], [own])).tried.has(victim))
    }).pipe(Effect.provide(LoginProcesses.layer))
  )

  it.effect("guesses that end at once are not all let through", () =>
    Effect.gen(function* () {
      const [own, victim] = [account(), account()]
      const guesses = yield* Effect.all(
        Array.from({ length: 40 }, () => login([own, victim], [own])),
        { concurrency: 10 }
      )
      assert.strictEqual(guesses.filter(({ tried }) => tried.has(victim)).length, 10)
    }).pipe(Effect.provide(LoginProcesses.layer))
  )

  it.effect("one whose client left before the answer has failed, and one that we could not finish has not", () =>
    Effect.gen(function* () {
      const { next, rows } = yield* LoginProcesses
      const victim = account()
      const attempt = { account: "victim", exact: false, client: { narrow: "198.51.100.1", wide: undefined } }
      const cut = <E>(until: Effect.Effect<never, E>) =>
        next().guard(attempt, ({ begin }) => {
          begin([victim])
          return until
        })
      yield* times(20, () => Effect.ignore(cut(Effect.fail("a fault"))))
      yield* times(9, () =>
        Effect.gen(function* () {
          const begun = yield* Deferred.make<void>()
          const guess = yield* Effect.forkChild(cut(Effect.andThen(Deferred.succeed(begun, undefined), Effect.never)))
          yield* Deferred.await(begun)
          yield* Fiber.interrupt(guess)
        })
      )
      // They end behind the interruption.
      yield* Effect.repeat(rows("select from meta.login_attempts"), { until: (left) => left.length === 0 })
      assert.isTrue((yield* login([victim], [])).tried.has(victim))
      // Of the account at the address, the email and the address, and the same behind successes.
      const levels = yield* rows("select round(level) as level from meta.login_counts where level > 0")
      assert.deepStrictEqual(
        levels.map(({ level }) => Number(level)),
        [10, 10, 10, 10, 10]
      )
    }).pipe(Effect.provide(LoginProcesses.layer))
  )

  it.effect("guesses from many addresses have one each, once there were so many", () =>
    Effect.gen(function* () {
      const [own, victim] = [account(), account()]
      const letThrough = (round: number) =>
        Effect.map(
          times(36, (n) => login([own, victim], [own], { address: `198.18.${round}.${n % 12}` })),
          (logins) => logins.filter(({ tried }) => tried.has(victim)).length
        )
      assert.isAtMost(yield* letThrough(0), 12 + 12)
      assert.strictEqual(yield* letThrough(1), 12)
      const owner = yield* login([own, victim], [victim], { address: "192.0.2.1" })
      assert.isTrue(owner.told.has(victim), "the owner")
    }).pipe(Effect.provide(LoginProcesses.with(FEW)))
  )

  it.effect("guesses at many emails from one address are told no more than guesses at one", () =>
    Effect.gen(function* () {
      yield* times(12, (n) =>
        Effect.gen(function* () {
          const own = account()
          yield* login([own], [own], { email: `email${n}` })
          yield* login([own, account()], [own], { email: `email${n}` })
        })
      )
      const [own, victim] = [account(), account()]
      yield* login([own], [own], { email: "another" })
      const both = yield* login([own, victim], [own, victim], { email: "another" })
      assert.deepStrictEqual([...both.told], [own])
      // Elsewhere nothing changes: who has two accounts with one password is asked which.
      const two = accounts(2)
      assert.strictEqual((yield* login(two, two, { email: "two", address: "192.0.2.1" })).told.size, 2)
    }).pipe(Effect.provide(LoginProcesses.with(FEW)))
  )
})

describe("the owner of an account", () => {
  it.effect("is let in among fifty others of their email, from anywhere, and again", () =>
    Effect.gen(function* () {
      const others = accounts(50)
      const victim = account()
      for (const there of [
        [...others, victim],
        [victim, ...others]
      ])
        for (const address of ["192.0.2.1", "192.0.2.2"])
          for (const { told } of yield* times(15, () => login(there, [victim], { address })))
            assert.deepStrictEqual([...told], [victim])
    }).pipe(Effect.provide(LoginProcesses.layer))
  )

  it.effect("is let in where they made the account, however often others have guessed from there", () =>
    Effect.gen(function* () {
      const { one } = yield* LoginProcesses
      const others = accounts(50)
      const victim = account()
      yield* one.registered(victim, { narrow: "198.51.100.1", wide: undefined })
      yield* times(20, () => login([...others, victim], [victim]))
      yield* times(9, () => login([...others, victim], others.slice(0, 1)))
      assert.isTrue((yield* login([...others, victim], [victim])).told.has(victim))
    }).pipe(Effect.provide(LoginProcesses.layer))
  )

  it.effect("is never left out where they say their tenant; guesses there count for logins without", () =>
    Effect.gen(function* () {
      const [own, victim] = [account(), account()]
      yield* times(20, () => login([own, victim], [own]))
      assert.isTrue((yield* login([victim], [victim], { exact: true })).told.has(victim))
      const other = account()
      yield* times(9, () => login([other], [], { exact: true, address: "192.0.2.9" }))
      assert.isTrue((yield* login([own, other], [own], { address: "192.0.2.9" })).tried.has(other))
      assert.isFalse((yield* login([own, other], [own, other], { address: "192.0.2.9" })).tried.has(other))
    }).pipe(Effect.provide(LoginProcesses.layer))
  )
})

it.effect("a login makes few rows, however many accounts its email has, and stores no address, email or account", () =>
  Effect.gen(function* () {
    const { rows } = yield* LoginProcesses
    const there = accounts(5000)
    yield* times(4, (n) => login(there, [], { address: `198.51.100.${n}` }))
    const counts = yield* rows("select key from meta.login_counts")
    assert.isAtMost(counts.length, 4 * 3 + 2)
    for (const { key } of counts) assert.match(String(key), /^[\w+/-]{43}$/u)
  }).pipe(Effect.provide(LoginProcesses.layer))
)

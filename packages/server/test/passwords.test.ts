import { Password } from "@llm-saas/domain/Password"
import { PasswordHasher } from "@llm-saas/engine/PasswordHasher"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Redacted, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { readdirSync, readFileSync } from "node:fs"
import * as HashingThreads from "../src/HashingThreads.ts"
import { make } from "../src/Passwords.ts"

const ROOMY = { threads: 1, waiting: 100, patience: 60_000 }
const hasher = Layer.effect(PasswordHasher, make(ROOMY))
const password = (text: string) => Schema.decodeUnknownSync(Password)(text)
const typed = (text: string) => Redacted.make(text)
const OPTIONS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const job = { password: "correct horse", hash: undefined, options: OPTIONS }
const isUnavailable = (exit: Exit.Exit<unknown, { readonly _tag: string }>) =>
  Exit.isFailure(exit)
  && exit.cause.reasons.every((reason) => reason._tag === "Fail" && reason.error._tag === "Unavailable")

describe("a password", () => {
  it.layer(hasher)((it) => {
    it.effect("is kept as argon2id of OWASP's parameters, with a salt of its own", () =>
      Effect.gen(function* () {
        const { hash, needsRehash, verify } = yield* PasswordHasher
        const [one, other] = [yield* hash(password("correct horse")), yield* hash(password("correct horse"))]
        assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
        assert.notStrictEqual(one, other)
        assert.isTrue(yield* verify(one, typed("correct horse")))
        assert.isFalse(yield* verify(one, typed("Correct horse")))
        assert.isFalse(needsRehash(one))
        assert.isTrue(needsRehash(one.replace("t=2", "t=1")))
        assert.isTrue(needsRehash(one.replace("m=19456", "m=9216")))
      })
    )

    it.effect("is the same on another keyboard", () =>
      Effect.gen(function* () {
        const { hash, verify } = yield* PasswordHasher
        const composed = yield* hash(password("caf\u00e9 caf\u00e9"))
        assert.isTrue(yield* verify(composed, typed("cafe\u0301 cafe\u0301")))
        assert.isFalse(yield* verify(composed, typed("cafe cafe")))
        assert.isTrue(yield* verify(yield* hash(password("cafe\u0301 cafe\u0301")), typed("caf\u00e9 caf\u00e9")))
      })
    )

    it.effect("of any length may be tried, and is wrong", () =>
      Effect.gen(function* () {
        const { hash, verify } = yield* PasswordHasher
        const kept = yield* hash(password("x".repeat(256)))
        assert.isTrue(yield* verify(kept, typed("x".repeat(256))))
        for (const wrong of ["", "x", "x".repeat(257), "x".repeat(2048), "\0", "\ud800"])
          assert.isFalse(yield* verify(kept, typed(wrong)))
      })
    )

    it.effect("of nobody never fits, and takes as long to find out", () =>
      Effect.gen(function* () {
        const { hash, verify } = yield* PasswordHasher
        const kept = yield* hash(password("correct horse"))
        const timed = (known: string | undefined) =>
          Effect.gen(function* () {
            const from = performance.now()
            assert.isFalse(yield* verify(known, typed("wrong horse")))
            return performance.now() - from
          })
        const known: Array<number> = []
        const unknown: Array<number> = []
        for (let i = 0; i < 7; i++) {
          known.push(yield* timed(kept))
          unknown.push(yield* timed(undefined))
        }
        // Without a hash an answer takes a hundredth of this.
        const ratio = Math.min(...unknown) / Math.min(...known)
        assert.isTrue(ratio > 0.3 && ratio < 3, `${ratio}`)
      })
    )

    it.effect("whose stored hash is none is a defect, not a wrong password", () =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(PasswordHasher.use(({ verify }) => verify("$argon2id$nonsense", typed("x"))))
        assert.isTrue(Exit.isFailure(exit) && exit.cause.reasons.some((reason) => reason._tag === "Die"))
      })
    )

    it.effect("is hashed while the event loop goes on", () =>
      Effect.gen(function* () {
        const { hash } = yield* PasswordHasher
        let turns = 0
        const turn: Effect.Effect<never> = Effect.forever(
          Effect.callback<void>((resume) => {
            setImmediate(() => {
              turns++
              resume(Effect.void)
            })
          })
        )
        const turning = yield* Effect.forkChild(turn)
        yield* Effect.all(
          Array.from({ length: 4 }, () => hash(password("correct horse"))),
          { concurrency: "unbounded" }
        )
        yield* Fiber.interrupt(turning)
        assert.isAbove(turns, 100)
      })
    )
  })
})

describe("hashing threads", () => {
  it.effect("are as many as allowed, with as many waiting as allowed; one more is told to come back", () =>
    Effect.gen(function* () {
      const threads = yield* HashingThreads.make({ threads: 2, waiting: 3, patience: 60_000 })
      const running = yield* Effect.forEach([1, 2, 3, 4, 5], () =>
        Effect.forkChild(threads.run(job), { startImmediately: true })
      )
      assert.deepStrictEqual(threads.load(), { running: 2, waiting: 3 })
      assert.isTrue(isUnavailable(yield* Effect.exit(threads.run(job))))
      const hashes = yield* Fiber.joinAll(running)
      assert.strictEqual(new Set(hashes).size, 5)
      assert.deepStrictEqual(threads.load(), { running: 0, waiting: 0 })
    })
  )

  it.effect("of a client that left are busy until they are done; its place in the queue is free at once", () =>
    Effect.gen(function* () {
      const threads = yield* HashingThreads.make({ threads: 1, waiting: 1, patience: 60_000 })
      const running = yield* Effect.forkChild(threads.run(job), { startImmediately: true })
      const waiting = yield* Effect.forkChild(threads.run(job), { startImmediately: true })
      yield* Fiber.interrupt(running)
      assert.deepStrictEqual(threads.load(), { running: 1, waiting: 1 })
      yield* Fiber.interrupt(waiting)
      assert.deepStrictEqual(threads.load(), { running: 1, waiting: 0 })
      const next = yield* Effect.forkChild(threads.run(job), { startImmediately: true })
      assert.deepStrictEqual(threads.load(), { running: 1, waiting: 1 })
      assert.isString(yield* Fiber.join(next))
      assert.deepStrictEqual(threads.load(), { running: 0, waiting: 0 })
    })
  )

  it.effect("that take too long are not waited for", () =>
    Effect.gen(function* () {
      const threads = yield* HashingThreads.make({ threads: 1, waiting: 1, patience: 5000 })
      const slow = { ...job, options: { ...OPTIONS, timeCost: 200 } }
      const clients = yield* Effect.forEach([1, 2], () =>
        Effect.forkChild(Effect.exit(threads.run(slow)), { startImmediately: true })
      )
      yield* TestClock.adjust(5000)
      for (const exit of yield* Fiber.joinAll(clients)) assert.isTrue(isUnavailable(exit))
      assert.deepStrictEqual(threads.load(), { running: 1, waiting: 0 })
    })
  )

  it.effect("end with their scope, whoever waits", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const threads = yield* Scope.provide(HashingThreads.make({ threads: 1, waiting: 5, patience: 60_000 }), scope)
      const clients = yield* Effect.forEach([1, 2, 3], () =>
        Effect.forkChild(Effect.exit(threads.run(job)), { startImmediately: true })
      )
      yield* Scope.close(scope, Exit.void)
      for (const exit of yield* Fiber.joinAll(clients)) assert.isTrue(isUnavailable(exit))
      assert.deepStrictEqual(threads.load(), { running: 0, waiting: 0 })
    })
  )

  it.effect.runIf(process.platform === "linux")("run at low priority, and no other thread does", () =>
    Effect.gen(function* () {
      // Field 19 of /proc/…/stat is the nice value; fields are counted behind the name in parentheses (proc(5)).
      const low = () =>
        readdirSync("/proc/self/task").filter((thread) => {
          const stat = readFileSync(`/proc/self/task/${thread}/stat`, "utf8")
          return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16] === "10"
        }).length
      const before = low()
      const threads = yield* HashingThreads.make({ threads: 2, waiting: 0, patience: 60_000 })
      yield* Effect.all([threads.run(job), threads.run(job)], { concurrency: "unbounded" })
      assert.strictEqual(low() - before, 2)
    })
  )
})

it("a megabyte is refused as a password before it is normalised or hashed", () => {
  const from = performance.now()
  for (const character of ["a", "\u0344", "🙂"]) {
    assert.isTrue(Exit.isFailure(Schema.decodeUnknownExit(Password)(character.repeat(1_000_000))))
  }
  assert.isBelow(performance.now() - from, 500)
})

import type { Flows } from "../src/auth/FairQueue.ts"
import { Password } from "@llm-saas/domain/Password"
import { OLD_HASHES, PasswordHasher } from "@llm-saas/engine/accounts/PasswordHasher"
import { assert, describe, it, vi } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Redacted, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { hashSync } from "@node-rs/argon2"
import { randomBytes } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import * as HashingThreads from "../src/auth/HashingThreads.ts"
import { from, make } from "../src/auth/Passwords.ts"

const ROOMY = { threads: 1, waiting: 100, patienceMs: 60_000 }
const SECRET = Redacted.make("q8Zr1T5wXn4Lb7Vd0Ks3Mj6Hf9Gc2Ya8Pe5Ru")
const hasher = Layer.effect(PasswordHasher, make(ROOMY, SECRET))
const password = (text: string) => Schema.decodeUnknownSync(Password)(text)
const typed = (text: string) => Redacted.make(text)
const OPTIONS = { memoryCost: 19_456, timeCost: 2, parallelism: 1, salt: Buffer.alloc(16) }
const job = { password: "correct horse", options: OPTIONS }
const FLOWS = { client: "198.51.100.1", target: "login a" }
const share = { client: "198.51.100.1", target: "tenant" }
const ALICE = { email: "alice@acme.com", share }
const hash = (text: string, of = ALICE) => PasswordHasher.use((each) => each.hash(password(text), of))
const compare = (text: string, hashes: ReadonlyArray<string>, of = ALICE) =>
  PasswordHasher.use((each) => each.compare(typed(text), { ...of, hashes }))
const verify = (kept: string, text: string) => Effect.map(compare(text, [kept]), ({ fits }) => fits[0] === true)
const isUnavailable = (exit: Exit.Exit<unknown, { readonly _tag: string }>) =>
  Exit.isFailure(exit)
  && exit.cause.reasons.every((reason) => reason._tag === "Fail" && reason.error._tag === "Unavailable")

describe("a password", () => {
  it.layer(hasher)((it) => {
    it.effect("is kept as argon2id of OWASP's parameters, with a salt of its address", () =>
      Effect.gen(function* () {
        const [one, other] = [
          yield* hash("correct horse"),
          yield* hash("correct horse", { ...ALICE, email: "bob@acme.com" })
        ]
        assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
        assert.notStrictEqual(one.split("$")[4], other.split("$")[4])
        assert.isTrue(yield* verify(one, "correct horse"))
        assert.isFalse(yield* verify(one, "Correct horse"))
      })
    )

    it.effect("is the same on another keyboard", () =>
      Effect.gen(function* () {
        const composed = yield* hash("caf\u00e9 caf\u00e9")
        assert.isTrue(yield* verify(composed, "cafe\u0301 cafe\u0301"))
        assert.isFalse(yield* verify(composed, "cafe cafe"))
        assert.isTrue(yield* verify(yield* hash("cafe\u0301 cafe\u0301"), "caf\u00e9 caf\u00e9"))
      })
    )

    it.effect("of any length may be tried, and is wrong", () =>
      Effect.gen(function* () {
        const kept = yield* hash("x".repeat(256))
        assert.isTrue(yield* verify(kept, "x".repeat(256)))
        for (const wrong of ["", "x", "x".repeat(257), "x".repeat(2048), "\0", "\ud800"])
          assert.isFalse(yield* verify(kept, wrong))
      })
    )

    it.effect("kept with another salt or other parameters fits too, and the answer says what is kept today", () =>
      Effect.gen(function* () {
        const older = [
          hashSync("correct horse", { memoryCost: 19_456, timeCost: 2, parallelism: 1 }),
          hashSync("correct horse", { memoryCost: 9216, timeCost: 1, parallelism: 1 }),
          hashSync("wrong horse", { memoryCost: 9216, timeCost: 1, parallelism: 1 })
        ]
        const fresh = yield* hash("correct horse")
        const found = yield* compare("correct horse", [...older, fresh])
        assert.deepStrictEqual(found, { fits: [true, true, false, true], hash: fresh })
      })
    )

    it.effect("that is broken in the database does not fit, and does not keep others of its address out", () =>
      Effect.gen(function* () {
        const kept = yield* hash("correct horse")
        const broken = ["$argon2id$nonsense", "$argon2id$v=19$m=19456,t=2,p=1$x$y", "", kept.slice(0, -1)]
        const { fits } = yield* compare("correct horse", [...broken, kept])
        assert.deepStrictEqual(fits, [false, false, false, false, true])
      })
    )
  })

  it.effect("is compared with a thousand accounts of its address at the price of one hash, and with none too", () =>
    Effect.gen(function* () {
      const counted = yield* HashingThreads.make(ROOMY)
      let hashes = 0
      const threads = { ...counted, run: (...of: Parameters<typeof counted.run>) => (hashes++, counted.run(...of)) }
      const { compare, hash } = from(threads, SECRET)
      const wrong = yield* hash(password("wrong horse"), ALICE)
      const right = yield* hash(password("correct horse"), ALICE)
      for (const kept of [[], [right], [...Array.from({ length: 1000 }, () => wrong), right]]) {
        hashes = 0
        const { fits } = yield* compare(typed("correct horse"), { ...ALICE, hashes: kept })
        assert.deepStrictEqual(
          fits,
          kept.map((each) => each === right)
        )
        assert.strictEqual(hashes, 1)
      }
      // Of older kinds, of which there are no new ones, eight are looked at.
      const old = Array.from({ length: 20 }, () => hashSync("correct horse", { ...OPTIONS, salt: randomBytes(16) }))
      hashes = 0
      yield* compare(typed("correct horse"), { ...ALICE, hashes: old })
      assert.strictEqual(hashes, 1 + OLD_HASHES)
    })
  )

  it.layer(hasher)((it) => {
    it.effect("is hashed while the event loop goes on", () =>
      Effect.gen(function* () {
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
          Array.from({ length: 4 }, () => hash("correct horse")),
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
      const threads = yield* HashingThreads.make({ threads: 2, waiting: 3, patienceMs: 60_000 })
      const running = yield* Effect.forEach([1, 2, 3, 4, 5], () =>
        Effect.forkChild(threads.run(job, FLOWS), { startImmediately: true })
      )
      assert.deepStrictEqual(threads.load(), { running: 2, waiting: 3 })
      assert.isTrue(isUnavailable(yield* Effect.exit(threads.run(job, FLOWS))))
      const hashes = yield* Fiber.joinAll(running)
      assert.isTrue(hashes.every((hash) => typeof hash === "string"))
      assert.deepStrictEqual(threads.load(), { running: 0, waiting: 0 })
    })
  )

  it.effect("serve another client next, while one has as many waiting as there may be", () =>
    Effect.gen(function* () {
      const threads = yield* HashingThreads.make({ threads: 1, waiting: 20, patienceMs: 60_000 })
      const order: Array<string> = []
      const asked = (name: string, flows: Flows) =>
        Effect.forkChild(
          Effect.exit(Effect.tap(threads.run(job, flows), () => Effect.sync(() => void order.push(name)))),
          { startImmediately: true }
        )
      const flood = yield* Effect.forEach(Array.from({ length: 40 }), () =>
        asked("flood", { client: "flood", target: "login a" })
      )
      const login = yield* asked("login", { client: "calm", target: "login a" })
      yield* Fiber.join(login)
      // One was running, and one is as early as the login.
      assert.isAtMost(order.indexOf("login"), 2)
      const ends = yield* Fiber.joinAll(flood)
      // One running and twenty waiting, less the one that the login pushed out.
      assert.strictEqual(ends.filter(Exit.isSuccess).length, 20)
      assert.isTrue(ends.filter(Exit.isFailure).every(isUnavailable))
    })
  )

  it.effect("of a client that left are busy until they are done; its place in the queue is free at once", () =>
    Effect.gen(function* () {
      const threads = yield* HashingThreads.make({ threads: 1, waiting: 1, patienceMs: 60_000 })
      const running = yield* Effect.forkChild(threads.run(job, FLOWS), { startImmediately: true })
      const waiting = yield* Effect.forkChild(threads.run(job, FLOWS), { startImmediately: true })
      yield* Fiber.interrupt(running)
      assert.deepStrictEqual(threads.load(), { running: 1, waiting: 1 })
      yield* Fiber.interrupt(waiting)
      assert.deepStrictEqual(threads.load(), { running: 1, waiting: 0 })
      const next = yield* Effect.forkChild(threads.run(job, FLOWS), { startImmediately: true })
      assert.deepStrictEqual(threads.load(), { running: 1, waiting: 1 })
      assert.isString(yield* Fiber.join(next))
      assert.deepStrictEqual(threads.load(), { running: 0, waiting: 0 })
    })
  )

  it.effect("that take too long are not waited for", () =>
    Effect.gen(function* () {
      const threads = yield* HashingThreads.make({ threads: 1, waiting: 1, patienceMs: 5000 })
      const slow = { ...job, options: { ...OPTIONS, timeCost: 200 } }
      const clients = yield* Effect.forEach([1, 2], () =>
        Effect.forkChild(Effect.exit(threads.run(slow, FLOWS)), { startImmediately: true })
      )
      yield* TestClock.adjust(5000)
      for (const exit of yield* Fiber.joinAll(clients)) assert.isTrue(isUnavailable(exit))
      assert.deepStrictEqual(threads.load(), { running: 1, waiting: 0 })
    })
  )

  it.effect("end with their scope, even if a client waits", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const threads = yield* Scope.provide(HashingThreads.make({ threads: 1, waiting: 5, patienceMs: 60_000 }), scope)
      const clients = yield* Effect.forEach([1, 2, 3], () =>
        Effect.forkChild(Effect.exit(threads.run(job, FLOWS)), { startImmediately: true })
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
      const threads = yield* HashingThreads.make({ threads: 2, waiting: 0, patienceMs: 60_000 })
      yield* Effect.all([threads.run(job, FLOWS), threads.run(job, FLOWS)], { concurrency: "unbounded" })
      assert.strictEqual(low() - before, 2)
    })
  )
})

it("a megabyte is refused as a password before it is normalised or hashed", () => {
  const normalize = vi.spyOn(String.prototype, "normalize")
  try {
    for (const character of ["a", "\u0344", "🙂"])
      assert.isTrue(Exit.isFailure(Schema.decodeUnknownExit(Password)(character.repeat(1_000_000))))
    assert.strictEqual(normalize.mock.calls.length, 0)
  } finally {
    normalize.mockRestore()
  }
})

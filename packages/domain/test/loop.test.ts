import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Logger, References, Scope } from "effect"
import { TestClock } from "effect/testing"
import { lateLoops, type Loop, Loops, repeat } from "../src/Loop.ts"

/** Captures the log, and gives each test its own set of loops. */
const watched = Effect.fnUntraced(function* <A, E, R>(work: (lines: Array<string>) => Effect.Effect<A, E, R>) {
  const lines: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => void lines.push(`${logLevel}: ${String(message)}`))
  return yield* work(lines).pipe(
    Effect.provideService(References.CurrentLoggers, new Set([logger])),
    Effect.provideService(Loops, new Set<Loop>())
  )
})

describe("a loop", () => {
  it.effect("continues after a round that dies, logs the cause once, and logs the recovery", () =>
    watched((lines) =>
      Effect.gen(function* () {
        let rounds = 0
        let broken = false
        const round = Effect.suspend(() => {
          rounds++
          return broken ? Effect.die(new Error("a bug")) : Effect.void
        })
        yield* repeat({ name: "the sweep", every: "1 second", late: "1 minute" }, round)
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(rounds, 10)
        broken = true
        yield* TestClock.adjust("50 seconds")
        assert.deepStrictEqual(yield* lateLoops, [], "not yet")
        yield* TestClock.adjust("20 seconds")
        assert.deepStrictEqual(yield* lateLoops, ["the sweep"])
        assert.deepStrictEqual(lines, ["Error: the sweep failed, and is tried again"])
        const before = rounds
        broken = false
        yield* TestClock.adjust("20 seconds")
        assert.isAbove(rounds, before)
        assert.deepStrictEqual(yield* lateLoops, [])
        assert.match(lines[1] ?? "", /^Info: the sweep works again, after \d+ failed rounds$/u)
        assert.strictEqual(lines.length, 2)
      })
    )
  )

  it.effect("that hangs in a round, or is interrupted from inside, is late; one that was ended is removed", () =>
    watched(() =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        let interrupted = 0
        yield* Scope.provide(repeat({ name: "hangs", late: "1 minute" }, Effect.never), scope)
        yield* Scope.provide(
          repeat(
            { name: "cut", late: "1 minute" },
            Effect.suspend(() => (interrupted++, Effect.interrupt))
          ),
          scope
        )
        yield* TestClock.adjust("61 seconds")
        assert.deepStrictEqual(yield* lateLoops, ["hangs", "cut"])
        assert.isAbove(interrupted, 3)
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* lateLoops, [])
      })
    )
  )
})

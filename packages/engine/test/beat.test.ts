import { assert, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { BEAT, failOnTheBeat } from "../src/Beat.ts"

/** How long (ms) it takes to hear of work that ends after `took`. */
const heard = (took: number, end: Effect.Effect<string, string>) =>
  Effect.gen(function* () {
    const from = yield* Clock.currentTimeMillis
    const work = Effect.andThen(Effect.sleep(took), end)
    const fiber = yield* Effect.forkChild(
      Effect.andThen(Effect.exit(failOnTheBeat(work)), (exit) =>
        Effect.map(Clock.currentTimeMillis, (at) => ({ at, exit }))
      )
    )
    yield* TestClock.adjust(BEAT * 4)
    const { at, exit } = yield* Fiber.join(fiber)
    return { after: at - from, exit }
  })

it.effect("a refusal is heard on the beat, however long it took to find", () =>
  Effect.gen(function* () {
    for (const [took, beats] of [
      [0, 1],
      [1, 1],
      [BEAT / 2, 1],
      [BEAT, 1],
      [BEAT + 1, 2],
      [BEAT * 2.5, 3]
    ] as const) {
      assert.deepStrictEqual(yield* heard(took, Effect.fail("no")), { after: beats * BEAT, exit: Exit.fail("no") })
    }
  })
)

it.effect("success is heard at once", () =>
  Effect.gen(function* () {
    assert.deepStrictEqual(yield* heard(7, Effect.succeed("yes")), { after: 7, exit: Exit.succeed("yes") })
  })
)

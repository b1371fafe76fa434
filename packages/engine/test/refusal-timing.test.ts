import { assert, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ANSWER_INTERVAL_MS, answerAtInterval, SETTLING_MS } from "../src/accounts/RefusalTiming.ts"

/** How long (ms) an answer takes that was found after `took` and settled after `settled` ms. */
const answered = (took: number, settled: number, end: Effect.Effect<string, string>, waits?: () => boolean) =>
  Effect.gen(function* () {
    const from = yield* Clock.currentTimeMillis
    const work = answerAtInterval(Effect.sleep(took), () => Effect.andThen(Effect.sleep(settled), end), waits)
    const fiber = yield* Effect.forkChild(
      Effect.andThen(Effect.exit(work), (exit) => Effect.map(Clock.currentTimeMillis, (at) => ({ at, exit })))
    )
    yield* TestClock.adjust(ANSWER_INTERVAL_MS * 5)
    const { at, exit } = yield* Fiber.join(fiber)
    return { after: at - from, exit }
  })

it.effect("an answer comes at a whole interval, success and refusal alike, however long it took", () =>
  Effect.gen(function* () {
    for (const [took, intervals] of [
      [0, 1],
      [1, 1],
      [ANSWER_INTERVAL_MS - SETTLING_MS, 1],
      [ANSWER_INTERVAL_MS - SETTLING_MS + 1, 2],
      [ANSWER_INTERVAL_MS * 2.5, 3]
    ] as const) {
      for (const settled of [0, 1, SETTLING_MS]) {
        const after = intervals * ANSWER_INTERVAL_MS
        assert.deepStrictEqual(yield* answered(took, settled, Effect.fail("no")), { after, exit: Exit.fail("no") })
        assert.deepStrictEqual(yield* answered(took, settled, Effect.succeed("yes")), {
          after,
          exit: Exit.succeed("yes")
        })
      }
    }
  })
)

it.effect("settling that takes longer than its reserve is answered at a later interval", () =>
  Effect.gen(function* () {
    assert.strictEqual(
      (yield* answered(ANSWER_INTERVAL_MS - SETTLING_MS, SETTLING_MS + 1, Effect.fail("no"))).after,
      2 * ANSWER_INTERVAL_MS
    )
  })
)

it.effect("an answer that does not wait comes at once, and so does a failure to find one", () =>
  Effect.gen(function* () {
    assert.strictEqual((yield* answered(7, 3, Effect.succeed("yes"), () => false)).after, 10)
    const broken = Effect.exit(answerAtInterval(Effect.fail("down"), () => Effect.void))
    assert.deepStrictEqual(yield* broken, Exit.fail("down"))
  })
)

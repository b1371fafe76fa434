import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { MessagePacing } from "../../src/rpc/MessagePacing.ts"

const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

it.effect(
  "so many messages are begun in one turn of the event loop, in their order, even if clients leave meanwhile",
  () =>
    Effect.gen(function* () {
      const pacing = new MessagePacing(4)
      const begun: Array<number> = []
      const fibers = yield* Effect.forEach(
        Array.from({ length: 20 }, (_, n) => n),
        (n) =>
          Effect.forkChild(
            Effect.andThen(
              pacing.next,
              Effect.sync(() => begun.push(n))
            ),
            { startImmediately: true }
          )
      )
      assert.strictEqual(begun.length, 4)
      let before = 4
      const leaving = fibers[10]
      if (leaving !== undefined) yield* Fiber.interrupt(leaving)
      while (begun.length < 19) {
        yield* turn
        assert.isAtMost(begun.length - before, 4)
        before = begun.length
      }
      assert.deepStrictEqual(
        begun,
        Array.from({ length: 20 }, (_, n) => n).filter((n) => n !== 10)
      )
      yield* turn
      yield* pacing.next
    })
)

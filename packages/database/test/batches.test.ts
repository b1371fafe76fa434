import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import * as Batches from "../src/Batches.ts"

/** Batches whose writing the test ends, one after the other. */
const held = Effect.fnUntraced(function* (items: number, size: number, apartMs = 0) {
  const written: Array<{ readonly batch: ReadonlyArray<string>; readonly done: Deferred.Deferred<void> }> = []
  const submit = yield* Batches.make({
    items,
    size,
    apartMs,
    sizeOf: (item: string) => item.length,
    write: (batch) =>
      Effect.gen(function* () {
        const done = yield* Deferred.make<void>()
        written.push({ batch, done })
        yield* Deferred.await(done)
        return batch.map((item) => (item.startsWith("!") ? Exit.fail(item) : Exit.succeed(`${item} written`)))
      })
  })
  return { submit, written }
})

const settled = Effect.forEach(Array.from({ length: 5 }), () => Effect.yieldNow, { discard: true })

describe("batches", () => {
  it.effect("are one at a time, within their limits, and each item gets its own result once", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.oneof(
              fc.constant("end" as const),
              fc.record({ name: fc.string({ minLength: 1, maxLength: 12 }), leaves: fc.boolean() })
            ),
            { maxLength: 30 }
          ),
          fc.integer({ min: 1, max: 5 }),
          fc.integer({ min: 1, max: 30 }),
          (steps, items, size) =>
            Effect.runPromise(
              Effect.gen(function* () {
                const { submit, written } = yield* held(items, size)
                const fibers: Array<{ readonly name: string; readonly fiber: Fiber.Fiber<string, string> }> = []
                const left: Array<string> = []
                let ended = 0
                const endOne = Effect.gen(function* () {
                  yield* settled
                  const next = written[ended]
                  if (next === undefined) return false
                  // No other batch began before this one ended.
                  assert.strictEqual(written.length, ended + 1)
                  ended++
                  yield* Deferred.succeed(next.done, undefined)
                  return true
                })
                for (const [n, step] of steps.entries()) {
                  if (step === "end") {
                    yield* endOne
                    continue
                  }
                  const name = `${step.name}#${n}`
                  const fiber = yield* Effect.forkChild(submit(name), { startImmediately: true })
                  // One whose batch has not begun is left out.
                  const begun = written.flatMap(({ batch }) => batch).includes(name)
                  if (step.leaves && !begun) {
                    yield* Fiber.interrupt(fiber)
                    left.push(name)
                  } else fibers.push({ name, fiber })
                }
                while (yield* endOne) continue
                for (const { fiber, name } of fibers) {
                  const exit = yield* Fiber.await(fiber)
                  assert.deepStrictEqual(exit, name.startsWith("!") ? Exit.fail(name) : Exit.succeed(`${name} written`))
                }
                const all = written.flatMap(({ batch }) => batch)
                assert.deepStrictEqual(all, [...new Set(all)])
                assert.deepStrictEqual(all.toSorted(), fibers.map(({ name }) => name).toSorted())
                for (const { batch } of written) {
                  assert.isAtMost(batch.length, items)
                  if (batch.length > 1) assert.isAtMost(batch.join("").length, size)
                }
              }).pipe(Effect.scoped)
            )
        ),
        { numRuns: 200 }
      )
    )
  )

  it.effect("that fail by a fault say so to every item, and the next one is written", () =>
    Effect.gen(function* () {
      let failing = true
      const submit = yield* Batches.make({
        items: 10,
        size: 10,
        apartMs: 0,
        sizeOf: () => 1,
        write: (batch: ReadonlyArray<string>) =>
          failing ? Effect.die("a fault") : Effect.succeed(batch.map((item) => Exit.succeed(item)))
      })
      const both = yield* Effect.all([Effect.exit(submit("a")), Effect.exit(submit("b"))], { concurrency: 2 })
      assert.deepStrictEqual(both, [Exit.die("a fault"), Exit.die("a fault")])
      failing = false
      assert.strictEqual(yield* submit("c"), "c")
    }).pipe(Effect.scoped)
  )

  it.effect("begin apart, but for the first one and for full ones", () =>
    Effect.gen(function* () {
      const { submit, written } = yield* held(3, 100, 10)
      const ask = (item: string) => Effect.forkChild(submit(item), { startImmediately: true })
      const writtenNow = Effect.gen(function* () {
        yield* settled
        const last = written.at(-1)
        if (last !== undefined) yield* Deferred.succeed(last.done, undefined)
        yield* settled
        return written.map(({ batch }) => batch)
      })
      yield* ask("a")
      assert.deepStrictEqual(yield* writtenNow, [["a"]])
      yield* TestClock.adjust("4 millis")
      yield* ask("b")
      yield* ask("c")
      yield* TestClock.adjust("5 millis")
      assert.deepStrictEqual(yield* writtenNow, [["a"]])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* writtenNow, [["a"], ["b", "c"]])
      for (const item of ["d", "e", "f"]) yield* ask(item)
      assert.deepStrictEqual(yield* writtenNow, [["a"], ["b", "c"], ["d", "e", "f"]])
      yield* TestClock.adjust("1 minute")
      yield* ask("g")
      assert.deepStrictEqual((yield* writtenNow).at(-1), ["g"])
    }).pipe(Effect.scoped)
  )

  it.effect("of several keys have items of one each, one at a time of each", () =>
    Effect.gen(function* () {
      const written: Array<{ readonly batch: ReadonlyArray<string>; readonly done: Deferred.Deferred<void> }> = []
      const submit = yield* Batches.make({
        items: 10,
        size: 10,
        sizeOf: () => 1,
        keyOf: (item: string) => item.slice(0, 1),
        write: (batch) =>
          Effect.gen(function* () {
            const done = yield* Deferred.make<void>()
            written.push({ batch, done })
            yield* Deferred.await(done)
            return batch.map((item) => Exit.succeed(item))
          })
      })
      const fibers = yield* Effect.forEach(["a1", "b1", "a2", "b2", "c1", "a3"], (item) =>
        Effect.andThen(Effect.yieldNow, Effect.forkChild(submit(item), { startImmediately: true }))
      )
      for (let n = 0; n < written.length; n++) {
        yield* settled
        const one = written[n]
        if (one !== undefined) yield* Deferred.succeed(one.done, undefined)
        yield* settled
      }
      for (const fiber of fibers) assert.isTrue(Exit.isSuccess(yield* Fiber.await(fiber)))
      for (const { batch } of written) assert.strictEqual(new Set(batch.map((item) => item.slice(0, 1))).size, 1)
      assert.deepStrictEqual(
        written.flatMap(({ batch }) => batch).filter((item) => item.startsWith("a")),
        ["a1", "a2", "a3"]
      )
      // Those of other keys began while the first one of `a` was under way.
      assert.deepStrictEqual(
        written.slice(0, 3).map(({ batch }) => batch[0]),
        ["a1", "b1", "c1"]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("that were not begun are interrupted with the program", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { submit, written } = yield* held(3, 100, 10).pipe(Scope.provide(scope))
      yield* Effect.forkChild(submit("a"), { startImmediately: true })
      yield* settled
      yield* Deferred.succeed(written[0]?.done ?? (yield* Deferred.make<void>()), undefined)
      yield* settled
      const waiting = yield* Effect.forkChild(submit("b"), { startImmediately: true })
      yield* settled
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(waiting)))
    })
  )
})

import { assert, it } from "@effect/vitest"
import { TenantId } from "@llm-saas/domain/Tenant"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Reserving } from "../src/generations/Reserving.ts"

const tenant = TenantId.make("00000000-0000-4000-8000-000000000001")

/** A statement that takes 120 ms and cannot be interrupted, as that which stores a question; `from`: when it finds room. */
const storing = (from: number) => {
  const stored: Array<string> = []
  let begun = 0
  const store = Effect.uninterruptible(
    Effect.gen(function* () {
      begun++
      yield* Effect.sleep("120 millis")
      const outcome = begun > from ? "asked" : "reserved"
      stored.push(outcome)
      return { row: { outcome } }
    })
  )
  return { store, stored, begun: () => begun }
}

it.effect("a question that waits for a budget is told of what was stored, whenever that was", () =>
  Effect.gen(function* () {
    // Of all moments at which there may be room, some are when the time is up.
    for (let from = 40; from < 52; from++) {
      const { store, stored } = storing(from)
      const fiber = yield* Effect.forkChild(Effect.uninterruptible(new Reserving().admitted(tenant, store)))
      yield* TestClock.adjust("20 seconds")
      const { row } = yield* Fiber.join(fiber)
      assert.strictEqual(row.outcome, stored.includes("asked") ? "asked" : "reserved", `from ${from}`)
    }
  })
)

it.effect("a question waits for ten seconds, in line or not", () =>
  Effect.gen(function* () {
    const { begun, store } = storing(Number.POSITIVE_INFINITY)
    const reserving = new Reserving()
    const fibers = yield* Effect.forEach([1, 2, 3], () =>
      Effect.forkChild(Effect.uninterruptible(reserving.admitted(tenant, store)))
    )
    yield* TestClock.adjust("9 seconds")
    assert.isUndefined(fibers[0]?.pollUnsafe())
    yield* TestClock.adjust("1500 millis")
    for (const fiber of fibers) assert.strictEqual((yield* Fiber.join(fiber)).row.outcome, "reserved")
    // One of them looked.
    assert.isBelow(begun(), 80)
    yield* TestClock.adjust("1 minute")
    assert.isBelow(begun(), 80)
  })
)

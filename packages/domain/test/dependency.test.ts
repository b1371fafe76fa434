import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, References } from "effect"
import { TestClock } from "effect/testing"
import { Dependencies, type Dependency, dependency, type DependencyLabel } from "../src/Dependency.ts"

describe("an outage of a dependency", () => {
  it.effect("is logged once with its cause, and once when it is over, with its duration and failures", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => void lines.push(`${logLevel}: ${String(message)}`))
      yield* Effect.gen(function* () {
        const database = yield* dependency("postgresql")
        assert.strictEqual(yield* dependency("postgresql"), database)
        yield* database.worked
        assert.strictEqual(database.outage, undefined)
        for (let times = 0; times < 5; times++) {
          yield* database.failed(times === 0 ? "ECONNREFUSED" : "SQLSTATE 57P03")
          yield* TestClock.adjust("2 seconds")
        }
        assert.deepStrictEqual([database.outage?.cause, database.outage?.failures], ["ECONNREFUSED", 5])
        // A single success among failures is not a recovery.
        yield* database.failed("ECONNREFUSED")
        yield* database.worked
        assert.isDefined(database.outage)
        yield* TestClock.adjust("1 second")
        yield* database.worked
        yield* database.worked
        assert.isUndefined(database.outage)
      }).pipe(
        Effect.provideService(References.CurrentLoggers, new Set([logger])),
        Effect.provideService(Dependencies, new Map<DependencyLabel, Dependency>())
      )
      assert.deepStrictEqual(lines, [
        "Error: PostgreSQL is not available: ECONNREFUSED",
        "Info: PostgreSQL is available again, after 11.0 s and 6 failures"
      ])
    })
  )
})

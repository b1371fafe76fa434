import { Cause, Effect, Exit, Redacted } from "effect"
import * as EmbeddedPostgres from "../src/EmbeddedPostgres.ts"

// A program that uses the cluster of its argument until it is told to stop, for embedded-postgres.test.ts.
const fiber = Effect.runFork(
  Effect.scoped(
    Effect.gen(function* () {
      const { dataDir, url } = yield* EmbeddedPostgres.make({ directory: process.argv[2] ?? "" })
      yield* Effect.sync(() => console.log(JSON.stringify({ dataDir, url: Redacted.value(url) })))
      return yield* Effect.never
    })
  )
)
process.once("SIGTERM", () => fiber.interruptUnsafe())
// Nothing else keeps the process alive.
const work = setInterval(() => {}, 60_000)
fiber.addObserver((exit) => {
  clearInterval(work)
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
  console.error(Cause.pretty(exit.cause))
  process.exitCode = 1
})

import { Context, Effect, Layer } from "effect"
import { fileURLToPath } from "node:url"
import { spawned } from "../Process.ts"
import { Running } from "../Running.ts"

const BUILD = fileURLToPath(new URL("../../../../scripts/console.mjs", import.meta.url))

/** The console has been built: the server reads its files when it starts. Nothing is done if it is there already. */
class Built extends Context.Service<Built, true>()("test/console/Built") {
  static readonly layer = Layer.effect(
    Built,
    Effect.scoped(
      Effect.gen(function* () {
        const building = yield* spawned(process.execPath, [BUILD], {})
        const { code } = yield* building.ended
        if (code !== 0)
          return yield* Effect.die(new Error(`The console could not be built: ${building.output().stderr}`))
        return Built.of(true)
      })
    )
  )
}

/** `Running`, with the console. `variables` beside, or instead of, the usual ones. */
export const consoleServer = (variables: Record<string, string> = {}) =>
  // One after the other.
  Layer.unwrap(Effect.as(Layer.build(Built.layer), Running.with(variables)))

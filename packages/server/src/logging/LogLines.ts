import { Context, Effect, Layer } from "effect"

/** Milliseconds between two writes: at this rate a write costs nothing beside the requests it tells of. */
const INTERVAL = 50
/** Characters that are not kept waiting any longer. */
const FULL = 65_536

/** Where lines of the log go. A line is given with its newline. */
export class LogLines extends Context.Service<
  LogLines,
  {
    /** Never waits, never fails. */
    readonly write: (line: string) => void
  }
>()("@llm-saas/server/logging/LogLines") {
  /**
   * Standard output, many lines a write. What waits is written when the scope closes and when the process ends, also by
   * `process.exit` or an error nobody caught; only a kill that cannot be seen loses the last 50 ms.
   */
  static readonly layer = Layer.effect(
    LogLines,
    Effect.gen(function* () {
      let waiting = ""
      let timer: NodeJS.Timeout | undefined = undefined
      let closed = false
      const flush = () => {
        clearTimeout(timer)
        timer = undefined
        if (waiting === "") return
        const text = waiting
        waiting = ""
        process.stdout.write(text)
      }
      // Whoever reads our output may leave before us: no reason to stop serving.
      const ignore = () => {}
      process.stdout.on("error", ignore)
      process.on("exit", flush)
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          closed = true
          flush()
          process.off("exit", flush)
        })
      )
      return LogLines.of({
        write: (line) => {
          waiting += line
          // The last lines of a connection may come after everything else is taken down.
          if (closed || waiting.length > FULL) flush()
          else timer ??= setTimeout(flush, INTERVAL).unref()
        }
      })
    })
  )
}

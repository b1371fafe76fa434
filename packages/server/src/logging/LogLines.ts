import { Context, Effect, Layer } from "effect"

/** Milliseconds between two writes: at this rate their cost is negligible. */
const INTERVAL_MS = 50
/** Characters waiting that are written at once. */
const FULL_CHARACTERS = 65_536

/** Writes lines of the log. A line includes its newline. */
export class LogLines extends Context.Service<
  LogLines,
  {
    /** Never waits, never fails. */
    readonly write: (line: string) => void
  }
>()("@llm-saas/server/logging/LogLines") {
  /**
   * Standard output, many lines per write. Waiting lines are written when the scope closes and when the process ends, also by
   * `process.exit` or an uncaught error; only a kill that cannot be handled loses the last 50 ms.
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
      // The reader of our output may exit before us: the server goes on.
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
          // The last lines of a connection may come after everything else is shut down.
          if (closed || waiting.length > FULL_CHARACTERS) flush()
          else timer ??= setTimeout(flush, INTERVAL_MS).unref()
        }
      })
    })
  )
}

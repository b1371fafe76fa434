import { Cause, Console, Effect, type Exit, Schema } from "effect"

/** The server cannot start. The message is one clear line for the person who started it; the process ends with exit code 1. */
export class StartupFailed extends Schema.TaggedError<StartupFailed>()("StartupFailed", { message: Schema.String }) {}

/** Says on standard error why the program ends, if it was not told to: our own failures in their own line, a bug with its trace. */
export const explain = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.void
  const failed = cause.reasons.find((reason) => reason._tag === "Fail")
  return Console.error(failed?.error instanceof Error ? failed.error.message : Cause.pretty(cause))
}

/**
 * 0 when the program did what it was for, or was told to stop and did: a supervisor that sent SIGTERM takes anything else for a
 * crash. 1 when it could not. What has been written goes out before: a process that ends leaves behind what a slow reader of its
 * output has not taken yet.
 */
export const exitCode = <A, E>(exit: Exit.Exit<A, E>, end: (code: number) => void): void => {
  const leave = () => {
    clearTimeout(timer)
    end(exit._tag === "Success" || Cause.hasInterruptsOnly(exit.cause) ? 0 : 1)
  }
  const timer = setTimeout(leave, LAST_WORDS)
  process.stdout.write("", leave)
}

/** Milliseconds that whoever reads our output has for its end. */
const LAST_WORDS = 2000

import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Cause, Console, DateTime, Effect, type Exit, Runtime, Schema } from "effect"
import * as DotEnv from "../config/DotEnv.ts"
import { redact } from "../logging/Redaction.ts"

/** The server cannot start. The message is one line for the operator; the process ends with exit code 1. */
export class StartupFailed extends Schema.TaggedError<StartupFailed>()("StartupFailed", { message: Schema.String }) {}

/**
 * Prints on standard error why the program ends, unless it was told to or has said it: our own failures as their messages, a bug with its
 * stack.
 */
export const explain = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  if (Cause.hasInterruptsOnly(cause) || !Runtime.getErrorReported(Cause.squash(cause))) return Effect.void
  return Console.error(messageOf(cause) ?? Cause.pretty(cause))
}

/** As {@link explain}, for a server: in production each line is a JSON object, like every line of its log. */
export const explainServer = (cause: Cause.Cause<unknown>): Effect.Effect<void> =>
  Effect.flatMap(isProduction, (production) => {
    if (!production || Cause.hasInterruptsOnly(cause)) return explain(cause)
    const message = messageOf(cause)
    const lines =
      message === undefined
        ? [{ message: "the program ended by a bug", cause: redact(Cause.pretty(cause)) }]
        : message.split("\n").map((line) => ({ message: line }))
    return Effect.flatMap(DateTime.now, (now) =>
      Effect.forEach(
        lines,
        (line) => Console.error(JSON.stringify({ time: DateTime.formatIso(now), level: "error", ...line })),
        { discard: true }
      )
    )
  })

const messageOf = (cause: Cause.Cause<unknown>): string | undefined => {
  const failed = cause.reasons.find((reason) => reason._tag === "Fail")
  return failed?.error instanceof Error ? failed.error.message : undefined
}

/** APP_ENV, read without the settings: they may be what failed. */
const isProduction = DotEnv.provider({ path: ".env", environment: process.env, names: [] }).pipe(
  Effect.flatMap((variables) => variables.load(["APP_ENV"])),
  Effect.match({
    onSuccess: (node) => node?.value === "production",
    onFailure: () => process.env["APP_ENV"] === "production"
  }),
  Effect.provide(NodeFileSystem.layer)
)

/**
 * 0 when the program finished, or was told to stop and did: a supervisor that sent SIGTERM takes anything else for a crash. 1 when it
 * failed. Waits for the output first: a process that ends discards what a slow reader has not taken yet.
 */
export const exitCode = <A, E>(exit: Exit.Exit<A, E>, end: (code: number) => void): void => {
  const leave = () => {
    clearTimeout(timer)
    end(exit._tag === "Success" || Cause.hasInterruptsOnly(exit.cause) ? 0 : 1)
  }
  const timer = setTimeout(leave, LAST_WORDS_MS)
  process.stdout.write("", leave)
}

/** Milliseconds the reader of our output has for its end. */
const LAST_WORDS_MS = 2000

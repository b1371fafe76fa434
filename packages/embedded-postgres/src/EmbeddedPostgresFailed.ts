import { Effect, Schema } from "effect"

/** The embedded PostgreSQL cannot run here. The message is for the person who started the program, and says what to do. */
export class EmbeddedPostgresFailed extends Schema.TaggedError<EmbeddedPostgresFailed>()("EmbeddedPostgresFailed", {
  message: Schema.String
}) {}

/** Files and directories: what node throws becomes a failure that begins with what was attempted. */
export const attempt = <A>(what: string, work: () => A): Effect.Effect<A, EmbeddedPostgresFailed> =>
  Effect.try({
    try: work,
    catch: (error) =>
      new EmbeddedPostgresFailed({ message: `${what}: ${error instanceof Error ? error.message : String(error)}` })
  })

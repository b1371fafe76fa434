import { Effect, Schema } from "effect"

/** The embedded PostgreSQL cannot run here. The message tells the operator what to do. */
export class EmbeddedPostgresFailed extends Schema.TaggedError<EmbeddedPostgresFailed>()("EmbeddedPostgresFailed", {
  message: Schema.String
}) {}

/** Turns what Node's file functions throw into a failure whose message begins with the attempted action. */
export const attempt = <A>(what: string, work: () => A): Effect.Effect<A, EmbeddedPostgresFailed> =>
  Effect.try({
    try: work,
    catch: (error) =>
      new EmbeddedPostgresFailed({ message: `${what}: ${error instanceof Error ? error.message : String(error)}` })
  })

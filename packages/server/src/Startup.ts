import { Schema } from "effect"

/** The server cannot start. The message is one clear line for the person who started it; the process ends with exit code 1. */
export class StartupFailed extends Schema.TaggedError<StartupFailed>()("StartupFailed", { message: Schema.String }) {}

import { Schema } from "effect"

/** The tests have no database. The message says what was tried. */
export class TestDatabaseFailed extends Schema.TaggedError<TestDatabaseFailed>()("TestDatabaseFailed", {
  message: Schema.String
}) {}

import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"

/** Answers with JSON that the database wrote as the contract has it. A test decodes such answers with the contract's schemas. */
export const asJson = <E, R>(json: Effect.Effect<string, E, R>) =>
  Effect.map(json, (text) => HttpServerResponse.text(text, { contentType: "application/json" }))

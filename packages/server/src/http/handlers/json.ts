import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"

/** Answers with JSON that is written as the contract has it, by the database or by hand. A test decodes such answers with the contract's schemas. */
export const asJson = <E, R>(json: Effect.Effect<string, E, R>, status = 200) =>
  Effect.map(json, (text) => HttpServerResponse.text(text, { contentType: "application/json", status }))

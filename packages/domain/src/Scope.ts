import { Schema } from "effect"
import { Problem } from "./ProblemClass.ts"

/** What an API key may do. Which endpoint needs which is in `packages/api/src/Scopes.ts`. */
export const SCOPES = [
  "chat",
  "embeddings",
  "messages:read",
  "messages:write",
  "usage:read",
  "keys:write",
  "admin"
] as const

export const Scope = Schema.Literals(SCOPES).annotate({ identifier: "Scope" })
export type Scope = typeof Scope.Type

/** The API key lacks a scope. `scopes`: any one of these would do; empty where it is not the scopes that are lacking. */
export class InsufficientScope extends Problem<InsufficientScope>()("InsufficientScope", "insufficient_scope", {
  scopes: Schema.Array(Scope)
}) {}

/** The API key is not for this model. */
export class ModelNotAllowed extends Problem<ModelNotAllowed>()("ModelNotAllowed", "model_not_allowed", {
  model: Schema.String
}) {}

import { Schema } from "effect"
import { Problem } from "./ProblemClass.ts"
import { line } from "./Text.ts"

/** A model by its name here. */
export const ModelName = line(200)

/** There is no model of this name, or it is for another purpose. */
export class ModelNotFound extends Problem<ModelNotFound>()("ModelNotFound", "model_not_found", {
  model: Schema.String
}) {}

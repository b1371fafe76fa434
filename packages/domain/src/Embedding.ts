import type { JsonObject } from "./Json.ts"
import type { Origin } from "./ModelRequest.ts"
import type { Usage } from "./Usage.ts"

/** Inputs of which a model makes vectors. */
export interface EmbeddingRequest {
  /** The model as the client names it: the alias of a route. */
  readonly model: string
  /** Texts, or texts as a model's tokens. */
  readonly input: ReadonlyArray<string | ReadonlyArray<number>>
  /** Length of the vectors. Undefined: the model's own. */
  readonly dimensions?: number | undefined
  /** The request as the client sent it. A provider that speaks the same dialect gets it unchanged, but for the model. */
  readonly origin?: Origin | undefined
}

/** One vector for each input, in the same order: numbers, or base64 of 32-bit little-endian floats where the client asked for it. */
export interface EmbeddingAnswer {
  readonly vectors: ReadonlyArray<ReadonlyArray<number> | string>
  /** Undefined where the provider did not count. */
  readonly usage: Usage | undefined
  /** The model that answered, where the provider says. */
  readonly model: string | undefined
  /** The answer as the provider sent it, for a client that speaks the same dialect. */
  readonly raw?: JsonObject | undefined
}
